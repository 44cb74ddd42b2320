"""SASL mechanisms: each one a generator that is sent challenges and yields responses. RFC 4422."""

from __future__ import annotations

from .binding import choose_binding, end_point
from .choice import Mechanism, named, offers_binding, strongest
from .credentials import Binding, Credentials, Responses
from .encoding import LONGEST_COMMAND, auth_line, decode_challenge, response_line
from .negotiate import missing_extra
from .oauth import bearer
from .saslprep import saslprep

__all__ = [
    "Binding",
    "Credentials",
    "LONGEST_COMMAND",
    "Mechanism",
    "Responses",
    "auth_line",
    "bearer",
    "choose_binding",
    "decode_challenge",
    "end_point",
    "missing_extra",
    "named",
    "offers_binding",
    "response_line",
    "saslprep",
    "strongest",
]
