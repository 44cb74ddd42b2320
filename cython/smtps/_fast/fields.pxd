# Write the header of one recipient.
cdef object mailbox_field(object name, object local, object domain, object shown)
