"""`Message`: what people send (text, HTML, images, files, signatures), composed as it is sent."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from email.message import Message as EmailMessage
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from ..codec import text_message
from ..controls import require_text, shown
from ..domain import domain_to_wire
from ..errors import BadValue
from .addressed import Addressed
from .attachments import attached, content_id, embedded
from .blob import BlobSource
from .headers import other_header, text_header
from .msgid import new_boundary
from .parts import Multipart, Part, Piece, Text, TextPart
from .people import People
from .rendering import Rendering
from .signing import Signer, check_cover, signatures
from .template import Template, has_fields
from .transfer import SEVEN_BITS, Offer
from .unsubscribe import quote_url, unsubscribe_headers

if TYPE_CHECKING:
    from .smime import PemSource

__all__ = ["Fill", "Headers", "Message"]

_UTF8 = Offer(utf8=True)
_NO_TEXT: list[tuple[str, str | bytes]] = [("plain", "")]

#: More headers: name and value.
Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]


#: Puts the values of a row into a text, each quoted as the second argument does.
Fill: TypeAlias = Callable[[str, Callable[[str], str]], str]
_Late: TypeAlias = Callable[[Fill], bytes]


class Message(Addressed):
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
        *("_boundary", "_cids", "_files", "_filled", "_headers", "_html", "_images", "_late"),
        *("_opaque", "_signers", "_source", "_text", "_wraps"),
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
        super().__init__(
            from_=from_,
            to=to,
            cc=cc,
            bcc=bcc,
            reply_to=reply_to,
            subject=subject,
            date=date,
            message_id=message_id,
        )
        self._text = _check_text("text", text)
        self._html = _check_text("html", html)
        # Tuples, since copies share them.
        self._headers: tuple[bytes, ...] = ()
        self._files: tuple[Part, ...] = ()
        self._images: tuple[Part, ...] = ()
        self._cids: tuple[str, ...] = ()
        self._opaque: Part | None = None
        #: Texts that a `Mailing` filled, in place of those above.
        self._filled: tuple[Text | None, Text | None] | None = None
        #: Headers with fields to be filled, by their place among the headers.
        self._late: tuple[tuple[int, _Late], ...] = ()
        self._signers: tuple[Signer, ...] = ()
        #: What puts the whole body into another, in this order.
        self._wraps: tuple[Callable[[Part], Part], ...] = ()
        self._boundary = ""
        #: The row of a `Mailing` that it is to be made of.
        self._source: Any = None
        if headers is not None:
            for name, value in _pairs(headers):
                self.add_header(name, value)

    def __repr__(self) -> str:
        return f"<Message {self._subject!r} to {len(self.recipients)}>"

    # --- what it says -----------------------------------------------------------------------------

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

    def add_header(self, name: str, value: str) -> None:
        """Add a header that has no argument of its own. Text in any language is encoded.

        Raises:
            BadValue: the name is not one, is computed from other arguments, or the value could end
                the line.
        """
        if has_fields(value):
            late = (len(self._headers), lambda fill: other_header(name, fill(value, str)))
            self._late = (*self._late, late)
        self._headers = (*self._headers, other_header(name, value))

    def attach(
        self, source: BlobSource, *, name: str | None = None, content_type: str | None = None
    ) -> None:
        """Attach a file. It is read when the message is sent, and never held whole.

        Args:
            source: bytes-like, a path, or a binary file, which is read from where it stands.
            name: the name that readers see; by default that of the file.
            content_type: such as "application/pdf"; by default what the name suggests.

        Raises:
            BadValue: it cannot be read, or the name or type is not one.
        """
        self._files = (*self._files, attached(source, name, content_type))

    def embed(
        self, source: BlobSource, *, cid: str | None = None, content_type: str | None = None
    ) -> str:
        """Add an image that the HTML shows, and give its identifier: `<img src="cid:...">`.

        Raises:
            BadValue: as `attach`, or `cid` is no identifier, or that of another image.
        """
        identifier = content_id(cid, self._from)
        image = embedded(source, identifier, content_type)
        if identifier in self._cids:
            raise BadValue("cid", f"{identifier!r} is another image of this message; give its own")
        self._cids = (*self._cids, identifier)
        self._images = (*self._images, image)
        return identifier

    def unsubscribe(self, *, url: str | None = None, mailto: str | None = None) -> None:
        """Let readers leave with one click: List-Unsubscribe, and its POST. RFC 2369, RFC 8058.

        Args:
            url: an https address that unsubscribes by a POST, without asking anything more.
            mailto: an address, perhaps with `?subject=...`, that unsubscribes by a message.

        Raises:
            BadValue: neither is given, or one is not such an address.
        """
        for field, text in (("url", url), ("mailto", mailto)):
            _check_text(field, text)

        def lines(fill: Fill) -> bytes:
            return unsubscribe_headers(
                None if url is None else fill(url, quote_url),
                None if mailto is None else fill(mailto, quote_url),
            )

        if has_fields(url) or has_fields(mailto):
            self._late = (*self._late, (len(self._headers), lines))
        # Fields stand for something that could be there, so that all else is checked now.
        sample = lines(lambda text, _: Template(text).sample("x"))
        self._headers = (*self._headers, sample)

    def sign(self, *signers: Signer) -> None:
        """Have every rendering signed, by each of `signers`. The body then goes in 7 bits.

        Warns if a signer's domain is not that of the author nor above it.

        Raises:
            BadValue: there is none, or one is no signer; or the message offers to unsubscribe with
                one click, and a signer does not cover those headers, as RFC 8058 demands.
        """
        if not signers:
            raise BadValue("sign", "there is no signer; give one or several")
        for signer in signers:
            if not hasattr(signer, "signature"):
                raise BadValue("sign", f"expected a DkimSigner, not {type(signer).__name__}")
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
        self._images = (*self._images, part)

    def take_file(self, part: Part) -> None:
        """Take a finished part as an attachment."""
        self._files = (*self._files, part)

    @property
    def is_only_texts(self) -> bool:
        """Whether nothing but text and HTML is in it."""
        return not (self._files or self._images or self._wraps or self._opaque is not None)

    @property
    def is_signed(self) -> bool:
        """Whether DKIM signs it."""
        return bool(self._signers)

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
        if not self._boundary:
            self._boundary = new_boundary()
        rendering = self._of_texts(offer) or self._of_parts(offer)
        if self._signers:
            self._check_cover()
            rendering.put_on_top(signatures(self._signers, rendering))
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
            AddressError, BadValue: it is none, or an address or header of it could not be sent.
        """
        from .taking import take_over

        if not isinstance(message, EmailMessage):
            raise BadValue(
                "message", f"expected an email.message.Message, not {type(message).__name__}"
            )
        taken = cls()
        take_over(message, taken)
        return taken

    def copy(self) -> Self:
        """Give a message like this one, that changes apart from it and has an identity of its own.

        The date and the Message-ID stay if they were assigned; what this one made is made anew.
        """
        other = object.__new__(type(self))
        self._copy_addressed(other)
        # One by one: a loop over the names takes seven times as long.
        other._text = self._text
        other._html = self._html
        other._headers = self._headers
        other._files = self._files
        other._images = self._images
        other._cids = self._cids
        other._opaque = self._opaque
        other._filled = self._filled
        other._late = self._late
        other._signers = self._signers
        other._wraps = self._wraps
        other._boundary = ""
        other._source = None
        return other

    def fill(self, text: Text | None, html: Text | None, fill: Fill) -> None:
        """Put in what a `Mailing` has filled: the texts, and every header with fields.

        Raises:
            BadValue: a header cannot be sent with these values.
        """
        self._filled = (text, html)
        self._headers = self.header_lines(fill)
        self._late = ()

    def header_lines(self, fill: Fill) -> tuple[bytes, ...]:
        """Give the headers that have no argument of their own, filled.

        Raises:
            BadValue: one cannot be sent with these values.
        """
        if not self._late:
            return self._headers
        headers = list(self._headers)
        for place, build in self._late:
            headers[place] = build(fill)
        return tuple(headers)

    def _check_filled(self) -> None:
        if self._late or self._to_template:
            raise BadValue("message", "has {{ fields }} to be filled; send it through a Mailing")

    def _own_offer(self) -> Offer:
        return _UTF8 if self.needs_utf8(self.recipients) else SEVEN_BITS

    def _head(self, utf8: bool) -> list[bytes]:
        """Compose the headers, without those of MIME, in an order that stays."""
        lines = list(self.people_headers(utf8))
        if self._subject:
            lines.append(text_header("Subject", self._subject))
        lines.append(f"Date: {self.date}\r\nMessage-ID: {self.message_id}\r\n".encode("ascii"))
        lines += self._headers
        lines.append(b"MIME-Version: 1.0\r\n")
        return lines

    def _of_texts(self, offer: Offer) -> Rendering | None:
        """Compose a message that is nothing but texts, as most are; None if it is more."""
        if not self.is_only_texts:
            return None
        texts: list[tuple[str, str | bytes]] = []
        plain, shown = self._filled or (self._text, self._html)
        if plain is not None:
            texts.append(("plain", plain if isinstance(plain, str) else plain.text))
        if shown is not None:
            texts.append(("html", shown if isinstance(shown, str) else shown.text))
        head = self._head(offer.utf8)
        try:
            whole = text_message(head, self._boundary, texts or _NO_TEXT, offer.eight_bit)
        except UnicodeEncodeError:
            # The parts say which of them it was.
            return None
        return Rendering([whole])

    def _of_parts(self, offer: Offer) -> Rendering:
        part = self._part()
        pieces: list[Piece] = [*self._head(offer.utf8)]
        part.write(pieces, offer, self._boundary)
        return Rendering(pieces, binary=offer.binary)

    def _part(self) -> Part:
        """Nest the parts no deeper than they need: mixed, related, alternative."""
        part = self._opaque or self._body()
        if self._files:
            part = Multipart("mixed", [part, *self._files])
        for wrap in self._wraps:
            part = wrap(part)
        return part

    def _body(self) -> Part:
        plain: Part | None
        shown: Part | None
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

    def _check_cover(self) -> None:
        check_cover(self._signers, self._headers)


def _check_text(field: str, value: str | None) -> str | None:
    return None if value is None else require_text(field, value)


def _pairs(headers: Headers) -> Iterable[tuple[str, str]]:
    if isinstance(headers, Mapping):
        return headers.items()
    expected = "expected a mapping, or pairs of name and value"
    if isinstance(headers, (str, bytes)) or not isinstance(headers, Iterable):
        raise BadValue("headers", f"{expected}, not {type(headers).__name__}")
    pairs = tuple(headers)
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise BadValue("headers", f"{expected}, not {shown(pair)}")
    return pairs
