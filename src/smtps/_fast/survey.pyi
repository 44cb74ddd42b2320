from smtps._pure.survey import Survey as Survey
from smtps._pure.survey import survey as survey
