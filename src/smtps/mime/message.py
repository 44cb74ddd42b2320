"""`Message`: what people send (text, HTML, images, files, signatures), composed as it is sent."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from email.message import Message as EmailMessage
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias

from ..address import Address, domain_to_wire, parse_address
from ..envelope import Envelope
from ..errors import BadValue
from ..options import refuse_controls
from .attachments import attached, content_id, embedded
from .blob import BlobSource
from .headers import other_header, text_header
from .msgid import check_date, check_message_id, date_now, format_date, new_message_id
from .parts import Multipart, Part, Piece, TextPart
from .people import People, author_header, parse_people, people_header
from .rendering import Rendering
from .template import Template, has_fields
from .transfer import SEVEN_BITS, Offer
from .unsubscribe import quote_url, unsubscribe_headers

if TYPE_CHECKING:
    from .smime import PemSource

__all__ = ["BodyHash", "Fill", "Headers", "Message", "Signer"]

# Boundaries differ in every message, and no text that was written before can hold one.
_run = secrets.token_hex(12)
_number = count()

#: More headers: name and value.
Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]


class BodyHash(Protocol):
    """The hash of a body, taken piece by piece."""

    def update(self, piece: bytes, /) -> None:
        """Take in the next piece."""

    def digest(self) -> bytes:
        """Give the hash of all that came."""


class Signer(Protocol):
    """Something that signs a message by a header of its own, such as DKIM."""

    #: The domain that signs.
    domain: str
    #: What hashes of bodies it can share with others: those of the same name are alike.
    body_form: str

    @property
    def covered(self) -> frozenset[str]:
        """The headers that it covers where they exist, in lower case."""

    def body_hash(self) -> BodyHash:
        """Begin to hash a body."""

    def signature(self, headers: bytes, body_digest: bytes) -> bytes:
        """Give the header lines to put on top of `headers`."""


#: Puts the values of a row into a text, each quoted as the second argument does.
Fill: TypeAlias = Callable[[str, Callable[[str], str]], str]
_Late: TypeAlias = Callable[[Fill], bytes]


class Message:
    """A message as its author thinks of it; `render` makes it what goes on the wire.

    What can be wrong with a value is said when it is assigned. The Message-ID and the date are made
    once and stay, so that every rendering is the same message. Bcc is never among the headers.

    Args:
        from_: one mailbox, `a@b` or `Ann <a@b>`; with several, the first is the Sender.
        to: mailboxes: text with commas between them, or a sequence.
        text: the plain text, with any newlines.
        html: the same as HTML; with both, readers show what they prefer.
        headers: more headers; text in any language is encoded.
        date: without it, the time when it is first rendered.
        message_id: without it a new one, `<...@domain of the author>`.

    Raises:
        AddressError: a mailbox is not one.
        BadValue: any other value could not be sent, or would change another header.
    """

    __slots__ = (
        *("_bcc", "_boundary", "_cc", "_date", "_files", "_filled", "_from", "_headers", "_html"),
        *(
            "_images",
            "_is_own_id",
            "_late",
            "_message_id",
            "_opaque",
            "_reply_to",
            "_sender",
            "_signers",
        ),
        *("_subject", "_text", "_to", "_to_template", "_wraps"),
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
        text: str | None = None,
        html: str | None = None,
        headers: Headers | None = None,
        date: datetime | str | None = None,
        message_id: str | None = None,
    ) -> None:
        self._from = parse_people(from_, "from_")
        self._to: tuple[Address, ...] = ()
        self._to_template = ""
        self.to = to
        self._cc = parse_people(cc, "cc") if cc else ()
        self._bcc = parse_people(bcc, "bcc") if bcc else ()
        self._reply_to = parse_people(reply_to, "reply_to") if reply_to else ()
        self.subject = subject
        self._text = _check_text("text", text)
        self._html = _check_text("html", html)
        self._headers: list[bytes] = []
        self._files: list[Part] = []
        self._images: list[Part] = []
        self._opaque: Part | None = None
        #: Texts that a `Mailing` filled, in place of those above.
        self._filled: tuple[Part | None, Part | None] | None = None
        #: Headers with fields to be filled, by their place among the headers.
        self._late: list[tuple[int, _Late]] = []
        self._sender: Address | None = None
        self._signers: tuple[Signer, ...] = ()
        #: What puts the whole body into another, in this order.
        self._wraps: tuple[Callable[[Part], Part], ...] = ()
        self._boundary = ""
        self._date = ""
        self._message_id = ""
        self._is_own_id = False
        if date is not None:
            self.date = date
        if message_id is not None:
            self.message_id = message_id
        if headers is not None:
            for name, value in headers.items() if isinstance(headers, Mapping) else headers:
                self.add_header(name, value)

    def __repr__(self) -> str:
        return f"<Message {self._subject!r} to {len(self.recipients)}>"

    # --- who --------------------------------------------------------------------------------------

    @property
    def from_(self) -> tuple[Address, ...]:
        """The authors."""
        return self._from

    @from_.setter
    def from_(self, value: People) -> None:
        self._from = parse_people(value, "from_")

    @property
    def sender(self) -> Address | None:
        """Who sends it for the authors, where that is not the first of them. RFC 5322, 3.6.2."""
        return self._sender

    @sender.setter
    def sender(self, value: str | Address | None) -> None:
        self._sender = parse_address(value, field="sender") if isinstance(value, str) else value

    @property
    def to(self) -> tuple[Address, ...]:
        """Whom it is for."""
        return self._to

    @to.setter
    def to(self, value: People) -> None:
        self._to_template = value if isinstance(value, str) and has_fields(value) else ""
        self._to = () if self._to_template else parse_people(value, "to")

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
        addresses = dict.fromkeys([one.spec for one in people])
        return Envelope(author.spec, list(addresses), smtputf8=self._needs_utf8(people) or None)

    def _check_filled(self) -> None:
        if self._to_template or self._late:
            raise BadValue("message", "has {{ fields }} to be filled; send it through a Mailing")

    def _author(self) -> Address:
        if not self._from:
            raise BadValue("from_", "empty; say who the message is from", code=164)
        return self._from[0]

    # --- what -------------------------------------------------------------------------------------

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
    def text(self) -> str | None:
        """The plain text."""
        return self._text

    @text.setter
    def text(self, value: str | None) -> None:
        self._text = _check_text("text", value)

    @property
    def html(self) -> str | None:
        """The text as HTML."""
        return self._html

    @html.setter
    def html(self, value: str | None) -> None:
        self._html = _check_text("html", value)

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

    def add_header(self, name: str, value: str) -> None:
        """Add a header that has no argument of its own. Text in any language is encoded.

        Raises:
            BadValue: the name is not one, is computed from other arguments, or the value could end
                the line.
        """
        if has_fields(value):
            self._late.append(
                (len(self._headers), lambda fill: other_header(name, fill(value, str)))
            )
        self._headers.append(other_header(name, value))

    def attach(
        self, source: BlobSource, *, name: str | None = None, content_type: str | None = None
    ) -> None:
        """Attach a file. It is read when the message is sent, and never held whole.

        Args:
            source: bytes, a path, or a binary file, which is read from where it stands.
            name: the name that readers see; by default that of the file.
            content_type: such as "application/pdf"; by default what the name suggests.

        Raises:
            BadValue: it cannot be read, or the name or type is not one.
        """
        self._files.append(attached(source, name, content_type))

    def embed(
        self, source: BlobSource, *, cid: str | None = None, content_type: str | None = None
    ) -> str:
        """Add an image that the HTML shows, and give its identifier: `<img src="cid:...">`.

        Raises:
            BadValue: as `attach`, or `cid` is no identifier.
        """
        identifier = content_id(cid, self._from)
        self._images.append(embedded(source, identifier, content_type))
        return identifier

    def unsubscribe(self, *, url: str | None = None, mailto: str | None = None) -> None:
        """Let readers leave with one click: List-Unsubscribe, and its POST. RFC 2369, RFC 8058.

        Args:
            url: an https address that unsubscribes by a POST, without asking anything more.
            mailto: an address, perhaps with `?subject=...`, that unsubscribes by a message.

        Raises:
            BadValue: neither is given, or one is not such an address.
        """

        def lines(fill: Fill) -> bytes:
            return unsubscribe_headers(
                None if url is None else fill(url, quote_url),
                None if mailto is None else fill(mailto, quote_url),
            )

        if has_fields(url) or has_fields(mailto):
            self._late.append((len(self._headers), lines))
        # Fields stand for something that could be there, so that all else is checked now.
        self._headers.append(lines(lambda text, _: Template(text).sample("x")))

    def sign(self, *signers: Signer) -> None:
        """Have every rendering signed, by each of `signers`. The body then goes in 7 bits.

        Warns if a signer's domain is not that of the author nor above it.

        Raises:
            BadValue: the message offers to unsubscribe with one click, and a signer does not cover
                those headers, as RFC 8058 demands.
        """
        for signer in signers:
            author = domain_to_wire(self._author().domain, field="from_").lower()
            domain = signer.domain.lower()
            if author != domain and not author.endswith(f".{domain}"):
                warnings.warn(
                    f"{domain} signs for an author at {author}; DMARC does not count that",
                    RuntimeWarning,
                    stacklevel=2,
                )
        self._signers += signers
        self._check_cover()

    def sign_smime(
        self,
        certificate: PemSource,
        key: PemSource,
        *,
        chain: Iterable[PemSource] = (),
        password: bytes | None = None,
    ) -> None:
        """Have the texts and files signed by a person's certificate. RFC 8551.

        They are then held in memory, and go in 7 bits. Headers are not covered; DKIM covers them.

        Args:
            certificate: PEM, or the path of a file; so is `key`, RSA or of an elliptic curve.
            chain: the certificates between this one and an authority that readers trust.
            password: what the key is encrypted with.

        Raises:
            BadValue: one of them cannot be used, or key and certificate do not belong together.
        """
        # Here, since few sign in this way, and what it needs takes long to load.
        from .smime import Signed, SmimeKey

        signing = SmimeKey(certificate, key, chain, password)
        self._wraps = (*self._wraps, lambda part: Signed(part, signing))

    def encrypt_smime(self, *certificates: PemSource) -> None:
        """Have the texts and files encrypted for the owners of these certificates. RFC 8551.

        They are then held in memory. Headers, the subject among them, stay as they are. What was
        signed before is encrypted with its signature.

        Raises:
            BadValue: one is no certificate, or its key is not RSA.
        """
        from .smime import Encrypted, check_recipients, load_certificates

        readers = [
            one for source in certificates for one in load_certificates(source, "certificates")
        ]
        check_recipients(readers)
        self._wraps = (*self._wraps, lambda part: Encrypted(part, readers))

    def take_part(self, part: Part) -> None:
        """Take a finished body in place of text and HTML."""
        self._opaque = part

    def take_image(self, part: Part) -> None:
        """Take a finished part that the HTML shows."""
        self._images.append(part)

    def take_file(self, part: Part) -> None:
        """Take a finished part as an attachment."""
        self._files.append(part)

    # --- the message as it goes -------------------------------------------------------------------

    def rendering(self, offer: Offer = SEVEN_BITS) -> Rendering:
        """Compose the message for what a server takes.

        Raises:
            BadValue: it lacks an author, or a file cannot be read.
            AddressError: an address needs SMTPUTF8, and the offer has it not.
        """
        self._check_filled()
        if self._signers:
            # RFC 6376 5.3: what a server on the way would encode anew breaks the signature.
            offer = offer._replace(eight_bit=False, binary=False)
        part = self._part()
        if not self._boundary:
            self._boundary = f"{_run}{next(_number):x}"
        pieces: list[Piece] = self._head(offer.utf8)
        part.write(pieces, offer, self._boundary)
        rendering = Rendering(pieces, binary=offer.binary)
        if self._signers:
            self._check_cover()
            rendering.put_on_top(self._signatures(rendering))
        return rendering

    def render(self) -> bytes:
        """Give the whole message, as any server takes it."""
        return self.rendering(self._own_offer()).whole()

    def chunks(self) -> Iterator[bytes]:
        """Give the message piece by piece, as any server takes it; files are read as it goes."""
        return self.rendering(self._own_offer()).chunks()

    @classmethod
    def from_email(cls, message: EmailMessage) -> Self:
        """Take over a message of the standard library: its people, texts and files.

        What has another shape (signed, encrypted, a report) is kept as it is, byte for byte.

        Raises:
            AddressError, BadValue: an address or header of it could not be sent.
        """
        from .taking import take_over

        taken = cls()
        take_over(message, taken)
        return taken

    def copy(self) -> Self:
        """Give a message like this one, that changes apart from it and has an identity of its own.

        The date and the Message-ID stay if they were assigned; what this one made is made anew.
        """
        other = object.__new__(type(self))
        for name in Message.__slots__:
            setattr(other, name, getattr(self, name))
        other._headers = self._headers.copy()
        other._files = self._files.copy()
        other._images = self._images.copy()
        other._late = self._late.copy()
        other._boundary = ""
        if not self._is_own_id:
            other._message_id = ""
        return other

    def fill(self, text: Part | None, html: Part | None, fill: Fill) -> None:
        """Put in what a `Mailing` has filled: the texts, and every header with fields.

        Raises:
            BadValue: a header cannot be sent with these values.
        """
        self._filled = (text, html)
        for place, build in self._late:
            self._headers[place] = build(fill)
        self._late = []

    def _own_offer(self) -> Offer:
        return Offer(utf8=self._needs_utf8(self.recipients))

    def _needs_utf8(self, people: tuple[Address, ...]) -> bool:
        return any(not one.local.isascii() for one in (*self._from, *people, *self._reply_to))

    def _head(self, utf8: bool) -> list[Piece]:
        """Compose the headers, without those of MIME, in an order that stays."""
        self._author()
        lines: list[Piece] = [author_header("From", self._from, utf8=utf8)]
        if self._sender or len(self._from) > 1:
            # RFC 5322 3.6.2: with several authors, one must be named as who sent it.
            sender = self._sender or self._from[0]
            lines.append(people_header("Sender", (sender,), utf8=utf8))
        if self._to or not self._cc:
            lines.append(
                people_header("To", self._to, utf8=utf8) or b"To: undisclosed-recipients:;\r\n"
            )
        if self._cc:
            lines.append(people_header("Cc", self._cc, utf8=utf8))
        if self._reply_to:
            lines.append(people_header("Reply-To", self._reply_to, utf8=utf8))
        if self._subject:
            lines.append(_subject_header(self._subject))
        lines.append(f"Date: {self.date}\r\nMessage-ID: {self.message_id}\r\n".encode("ascii"))
        lines += self._headers
        lines.append(b"MIME-Version: 1.0\r\n")
        return lines

    def _part(self) -> Part:
        """Nest the parts no deeper than they need: mixed, related, alternative."""
        part = self._opaque or self._body()
        if self._files:
            part = Multipart("mixed", [part, *self._files])
        for wrap in self._wraps:
            part = wrap(part)
        return part

    def _body(self) -> Part:
        if self._filled is not None:
            plain, shown = self._filled
        else:
            plain = None if self._text is None else TextPart(self._text, "plain", "text")
            shown = None if self._html is None else TextPart(self._html, "html", "html")
        if self._images:
            if shown is None:
                raise BadValue("html", "missing; embedded images are shown by HTML only")
            parts = [shown, *self._images]
            shown = Multipart("related", parts, parameters=';\r\n type="text/html"')
        if shown is None:
            return plain or TextPart("", "plain", "text")
        return shown if plain is None else Multipart("alternative", [plain, shown])

    # --- signatures -------------------------------------------------------------------------------

    def _check_cover(self) -> None:
        offered = any(b"List-Unsubscribe-Post:" in lines for lines in self._headers)
        for signer in self._signers if offered else ():
            missing = {"list-unsubscribe", "list-unsubscribe-post"} - signer.covered
            if missing:
                raise BadValue(
                    "sign",
                    f"the signature does not cover {' and '.join(sorted(missing))}, which RFC 8058"
                    " demands; leave out headers=, or name them too",
                )

    def _signatures(self, rendering: Rendering) -> bytes:
        """Hash the body once for all signers that want it alike, and sign the headers."""
        hashes: dict[str, BodyHash] = {}
        for signer in self._signers:
            hashes.setdefault(signer.body_form, signer.body_hash())
        head, body = rendering.parted()
        for piece in body:
            for hashing in hashes.values():
                hashing.update(piece)
        digests = {form: hashing.digest() for form, hashing in hashes.items()}
        return b"".join(
            signer.signature(head, digests[signer.body_form]) for signer in self._signers
        )


@lru_cache(maxsize=256)
def _wire_domain(domain: str) -> str:
    return domain_to_wire(domain, field="from_")


# Most mailings have one subject.
@lru_cache(maxsize=256)
def _subject_header(text: str) -> bytes:
    return text_header("Subject", text)


def _check_text(field: str, value: str | None) -> str | None:
    if value is not None and not isinstance(value, str):
        raise BadValue(field, f"expected text, not {type(value).__name__}")
    return value
