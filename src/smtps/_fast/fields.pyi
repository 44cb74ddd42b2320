from smtps._pure.fields import address_field as address_field
from smtps._pure.fields import fold as fold
from smtps._pure.fields import text_field as text_field
