from smtps._pure.forms import Filled as Filled
from smtps._pure.forms import Form as Form
from smtps._pure.forms import take_values as take_values
