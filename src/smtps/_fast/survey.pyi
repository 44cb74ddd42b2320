from typing_extensions import Buffer

from smtps._pure.survey import Survey as Survey

def survey(data: Buffer, /) -> Survey: ...
