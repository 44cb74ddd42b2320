from smtps._pure.outgoing import Outgoing as Outgoing
