# Tell addresses that go on the wire as they are.
cdef bint is_plain_pair(object local, object domain) noexcept
