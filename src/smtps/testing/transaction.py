"""One mail transaction as the server sees it: who, to whom, and the content so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from .records import Parameters

__all__ = ["Transaction"]


@dataclass(slots=True)
class Transaction:
    """What was accepted since MAIL. RFC 5321, section 3.3."""

    sender: str
    parameters: Parameters
    recipients: list[str] = field(default_factory=list)
    recipient_parameters: list[Parameters] = field(default_factory=list)
    #: The chunks of BDAT, and their size when they are not kept.
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0
    #: Whether a BDAT came, after which DATA and RCPT are out of order.
    chunked: bool = False
    #: Whether a BDAT was refused: nothing but RSET helps. RFC 3030, section 2.
    broken: bool = False

    @property
    def eight_bit(self) -> bool:
        """Whether the client declared content with bytes above 127."""
        declared = (self.parameters.get("BODY") or "").upper() in ("8BITMIME", "BINARYMIME")
        return declared or "SMTPUTF8" in self.parameters
