"""Who a message is from and for, its subject, its date and its identifier."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from ..address import Address
from ..codec import plain_addresses
from ..controls import refuse_controls
from ..domain import domain_to_wire
from ..envelope import Envelope
from ..errors import BadValue
from ..mailboxes import parse_address
from .msgid import check_date, check_message_id, date_now, format_date, new_message_id
from .people import People, parse_people, people_header
from .template import has_fields

__all__ = ["Addressed"]


class Addressed:
    """The part of a message that says who, about what, and when.

    What can be wrong with a value is said when it is assigned. The Message-ID and the date are made
    once and stay.
    """

    __slots__ = (
        *("_bcc", "_cc", "_date", "_fixed", "_from", "_is_own_id", "_message_id", "_reply_to"),
        *("_sender", "_subject", "_to", "_to_template"),
    )

    def __init__(
        self,
        *,
        from_: People = "",
        to: People = (),
        cc: People = (),
        bcc: People = (),
        reply_to: People = (),
        subject: str = "",
        date: datetime | str | None = None,
        message_id: str | None = None,
    ) -> None:
        #: What headers say of all people but `to`, and whether in UTF-8: made once.
        self._fixed: tuple[bool, bytes, bytes] | None = None
        self._from = parse_people(from_, "from_")
        self._to: tuple[Address, ...] = ()
        self._to_template = ""
        self.to = to
        self._cc = parse_people(cc, "cc") if cc else ()
        self._bcc = parse_people(bcc, "bcc") if bcc else ()
        self._reply_to = parse_people(reply_to, "reply_to") if reply_to else ()
        self._sender: Address | None = None
        self.subject = subject
        self._date = ""
        self._message_id = ""
        self._is_own_id = False
        if date is not None:
            self.date = date
        if message_id is not None:
            self.message_id = message_id

    # --- who --------------------------------------------------------------------------------------

    @property
    def from_(self) -> tuple[Address, ...]:
        """The authors."""
        return self._from

    @from_.setter
    def from_(self, value: People) -> None:
        self._from = parse_people(value, "from_")
        self._fixed = None

    @property
    def sender(self) -> Address | None:
        """Who sends it for the authors, where that is not the first of them. RFC 5322, 3.6.2."""
        return self._sender

    @sender.setter
    def sender(self, value: str | Address | None) -> None:
        if value is not None and not isinstance(value, Address):
            value = parse_address(value, field="sender")
        self._sender = value
        self._fixed = None

    @property
    def to(self) -> tuple[Address, ...]:
        """Whom it is for."""
        return self._to

    @to.setter
    def to(self, value: People) -> None:
        self._to_template = value if isinstance(value, str) and has_fields(value) else ""
        self._to = () if self._to_template else parse_people(value, "to")

    def address_to(self, one: Address) -> None:
        """Let it be for one person alone, in place of the field that stood for it."""
        self._to = (one,)
        self._to_template = ""

    @property
    def to_template(self) -> str:
        """The recipient with its fields, if `to` has some for a `Mailing` to fill."""
        return self._to_template

    @property
    def cc(self) -> tuple[Address, ...]:
        """Who gets a copy."""
        return self._cc

    @cc.setter
    def cc(self, value: People) -> None:
        self._cc = parse_people(value, "cc")
        self._fixed = None

    @property
    def bcc(self) -> tuple[Address, ...]:
        """Who gets a copy that no header tells of."""
        return self._bcc

    @bcc.setter
    def bcc(self, value: People) -> None:
        self._bcc = parse_people(value, "bcc")

    @property
    def reply_to(self) -> tuple[Address, ...]:
        """Where answers are to go."""
        return self._reply_to

    @reply_to.setter
    def reply_to(self, value: People) -> None:
        self._reply_to = parse_people(value, "reply_to")
        self._fixed = None

    @property
    def recipients(self) -> tuple[Address, ...]:
        """Everybody of To, Cc and Bcc."""
        return self._to + self._cc + self._bcc

    @property
    def envelope(self) -> Envelope:
        """The envelope: Sender or the first author as its sender, and each recipient once.

        Raises:
            BadValue: there is no author. Error 164.
            AddressError: there is no recipient.
        """
        self._check_filled()
        author = self._sender or self._author()
        people = self._to + self._cc + self._bcc
        sender = f"{author.local}@{author.domain}"
        addresses = [f"{one.local}@{one.domain}" for one in people]
        if len(addresses) > 1:
            addresses = list(dict.fromkeys(addresses))
        plain = plain_addresses(sender, addresses)
        is_alone = len(self._from) == 1 and not self._sender and not self._reply_to
        if plain is not None and is_alone:
            return Envelope.of_plain(sender, plain)
        if plain is None:
            # One needs quotes, UTF-8 or a closer look.
            sender, addresses = author.spec, list(dict.fromkeys([one.spec for one in people]))
        return Envelope(sender, addresses, smtputf8=self.needs_utf8(people) or None)

    def _check_filled(self) -> None:
        """Refuse a template.

        Raises:
            BadValue: there is a field to be filled.
        """
        if self._to_template:
            raise BadValue("message", "has {{ fields }} to be filled; send it through a Mailing")

    def _author(self) -> Address:
        if not self._from:
            raise BadValue("from_", "empty; say who the message is from", code=164)
        return self._from[0]

    # --- what about, and when ---------------------------------------------------------------------

    @property
    def subject(self) -> str:
        """The subject; without one there is no header."""
        return self._subject

    @subject.setter
    def subject(self, value: str) -> None:
        if not isinstance(value, str):
            raise BadValue("subject", f"expected text, not {type(value).__name__}")
        if not value.isprintable():
            refuse_controls("subject", value)
        self._subject = value

    @property
    def date(self) -> str:
        """The date as the header has it; it is set when it is first asked for."""
        if not self._date:
            self._date = date_now()
        return self._date

    @date.setter
    def date(self, value: datetime | str) -> None:
        if isinstance(value, datetime):
            self._date = format_date(value)
        else:
            self._date = check_date(value, field="date")

    @property
    def message_id(self) -> str:
        """The Message-ID with its angle brackets; it is made when it is first asked for.

        Raises:
            BadValue: there is no author whose domain it could bear. Error 164.
        """
        if not self._message_id:
            self._message_id = new_message_id(_wire_domain(self._author().domain))
        return self._message_id

    @message_id.setter
    def message_id(self, value: str) -> None:
        self._message_id = check_message_id(value, field="message_id")
        self._is_own_id = True

    def new_identity(self) -> tuple[str, str]:
        """Give date and Message-ID for one more like this: what was assigned, or a new one."""
        message_id = self._message_id if self._is_own_id else ""
        domain = _wire_domain(self._author().domain)
        return self._date or date_now(), message_id or new_message_id(domain)

    def _copy_addressed(self, other: Addressed) -> None:
        """Let `other` be from and for the same people, with an identity of its own."""
        # One by one: a loop over the names takes seven times as long.
        other._from = self._from
        other._to = self._to
        other._to_template = self._to_template
        other._cc = self._cc
        other._bcc = self._bcc
        other._reply_to = self._reply_to
        other._sender = self._sender
        other._fixed = self._fixed
        other._subject = self._subject
        other._date = self._date
        other._message_id = self._message_id if self._is_own_id else ""
        other._is_own_id = self._is_own_id

    def needs_utf8(self, people: tuple[Address, ...]) -> bool:
        """Tell whether `people` or who is named beside To, Cc and Bcc has a UTF-8 address."""
        sender = (self._sender,) if self._sender else ()
        for group in (self._from, sender, people, self._reply_to):
            for one in group:
                if not one.local.isascii():
                    return True
        return False

    def people_headers(self, utf8: bool) -> tuple[bytes, bytes, bytes]:
        """Compose what stands before To, To, and what stands between it and the subject."""
        fixed = self._fixed
        if fixed is None or fixed[0] != utf8:
            self._author()
            before = people_header("From", self._from, utf8=utf8)
            if self._sender or len(self._from) > 1:
                # RFC 5322 3.6.2: with several authors, one must be named as who sent it.
                before += people_header("Sender", (self._sender or self._from[0],), utf8=utf8)
            behind = b""
            if self._cc or self._reply_to:
                behind = people_header("Cc", self._cc, utf8=utf8)
                behind += people_header("Reply-To", self._reply_to, utf8=utf8)
            fixed = self._fixed = (utf8, before, behind)
        if self._to:
            to = people_header("To", self._to, utf8=utf8)
        else:
            to = b"" if self._cc else b"To: undisclosed-recipients:;\r\n"
        return fixed[1], to, fixed[2]


@lru_cache(maxsize=256)
def _wire_domain(domain: str) -> str:
    return domain_to_wire(domain, field="from_")
