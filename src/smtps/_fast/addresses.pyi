from smtps._pure.addresses import plain_addresses as plain_addresses
from smtps._pure.addresses import plain_mailbox as plain_mailbox
