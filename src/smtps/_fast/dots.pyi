from smtps._pure.dots import DotStuffer as DotStuffer
from smtps._pure.dots import dot_stuff as dot_stuff
from smtps._pure.dots import dot_stuff_into as dot_stuff_into
from smtps._pure.dots import normalize_newlines as normalize_newlines
from smtps._pure.dots import normalize_newlines_into as normalize_newlines_into
