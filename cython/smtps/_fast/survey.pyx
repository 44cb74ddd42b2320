"""Survey a body: what its transfer encoding and its size on the wire depend on."""

from libc.string cimport memset

from smtps._fast cimport kernels
from smtps._fast.buffers cimport GIL_THRESHOLD, View, close_view, open_view
from smtps._fast.records cimport new_record, set_item

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
    cdef object result = new_record(Survey, 7)
    set_item(result, 0, found.longest_line)
    set_item(result, 1, found.eight_bit)
    set_item(result, 2, found.nul)
    set_item(result, 3, found.bare_cr)
    set_item(result, 4, found.bare_lf)
    set_item(result, 5, found.crlf)
    set_item(result, 6, found.dots)
    return result
