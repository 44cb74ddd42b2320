"""The hot functions: compiled where that was possible, plain Python elsewhere, alike in all else.

The input is anything with the buffer protocol, and any cut into chunks gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._choice import implementation, level
from ._pure.fields import HARD_LIMIT
from ._pure.survey import Survey
from ._pure.texts import EncodedText, frame, text_headers

# Type checkers see the plain Python, which the compiled functions are held to.
if TYPE_CHECKING or implementation == "pure":
    from ._pure.addresses import plain_addresses, plain_mailbox
    from ._pure.base64 import Base64Encoder, encode_base64, encode_base64_into
    from ._pure.canonical import BodyCanonicalizer, canonical_fields
    from ._pure.dots import (
        DotStuffer,
        dot_stuff,
        dot_stuff_into,
        normalize_newlines,
        normalize_newlines_into,
    )
    from ._pure.fields import address_field, fold, text_field
    from ._pure.lines import LineBuffer
    from ._pure.quoted_printable import encode_quoted_printable
    from ._pure.replies import ReplyParser
    from ._pure.survey import survey
    from ._pure.texts import encode_text, text_message
    from ._pure.words import encode_phrase, encode_unstructured
else:
    from ._fast.addresses import plain_addresses, plain_mailbox
    from ._fast.base64 import Base64Encoder, encode_base64, encode_base64_into
    from ._fast.canonical import BodyCanonicalizer, canonical_fields
    from ._fast.dots import (
        DotStuffer,
        dot_stuff,
        dot_stuff_into,
        normalize_newlines,
        normalize_newlines_into,
    )
    from ._fast.fields import address_field, fold, text_field
    from ._fast.lines import LineBuffer
    from ._fast.quoted_printable import encode_quoted_printable
    from ._fast.replies import ReplyParser
    from ._fast.survey import survey
    from ._fast.texts import encode_text, text_message
    from ._fast.words import encode_phrase, encode_unstructured

__all__ = [
    "HARD_LIMIT",
    "Base64Encoder",
    "BodyCanonicalizer",
    "DotStuffer",
    "EncodedText",
    "LineBuffer",
    "ReplyParser",
    "Survey",
    "address_field",
    "canonical_fields",
    "dot_stuff",
    "dot_stuff_into",
    "encode_base64",
    "encode_base64_into",
    "encode_phrase",
    "encode_quoted_printable",
    "encode_text",
    "encode_unstructured",
    "fold",
    "frame",
    "implementation",
    "level",
    "normalize_newlines",
    "normalize_newlines_into",
    "plain_addresses",
    "plain_mailbox",
    "survey",
    "text_field",
    "text_headers",
    "text_message",
]
