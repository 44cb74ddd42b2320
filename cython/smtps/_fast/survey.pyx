"""Survey a body: what its transfer encoding and its size on the wire depend on."""

from libc.string cimport memset

from smtps._fast cimport kernels
from smtps._fast.buffers cimport GIL_THRESHOLD, View, close_view, open_view

from smtps._pure.survey import Survey

__all__ = ["Survey", "survey"]


def survey(data, /):
    """Like the function of the same name in `smtps._pure.survey`."""
    cdef View view
    cdef kernels.smtps_survey_t found
    memset(&found, 0, sizeof(found))
    open_view(data, &view)
    try:
        if view.size < GIL_THRESHOLD:
            kernels.survey(view.data, view.size, &found)
        else:
            with nogil:
                kernels.survey(view.data, view.size, &found)
    finally:
        close_view(&view)
    return Survey(
        found.longest_line, found.eight_bit, found.nul, found.bare_cr, found.bare_lf, found.crlf,
        found.dots)
