"""The hot functions: compiled where that was possible, plain Python elsewhere, alike in all else.

`SMTPS_IMPL=pure` or `fast` chooses; a requested implementation that is missing is an error. The
input is anything with the buffer protocol, and any cut into chunks gives the same bytes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ._pure.survey import Survey

__all__ = [
    "Base64Encoder",
    "DotStuffer",
    "LineBuffer",
    "ReplyParser",
    "Survey",
    "dot_stuff",
    "encode_base64",
    "encode_quoted_printable",
    "implementation",
    "level",
    "normalize_newlines",
    "survey",
]

_asked = os.environ.get("SMTPS_IMPL", "")
if _asked not in ("", "fast", "pure"):
    raise ImportError(f"SMTPS_IMPL={_asked}: expected fast or pure")

#: "fast" or "pure".
implementation = "pure"
#: The CPU level of the compiled functions, or "pure".
level = "pure"

from ._pure.base64 import Base64Encoder, encode_base64
from ._pure.dots import DotStuffer, dot_stuff, normalize_newlines
from ._pure.lines import LineBuffer
from ._pure.quoted_printable import encode_quoted_printable
from ._pure.replies import ReplyParser
from ._pure.survey import survey
