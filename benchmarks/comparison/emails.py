"""How users of the standard library compose: an `EmailMessage`, signed by dkimpy."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from pathlib import Path

from .orders import AUTHOR, DOMAIN, SELECTOR, Order, reader, subject

__all__ = ["compose", "finished", "signature", "signed"]


def compose(order: Order, number: int) -> EmailMessage:
    """Make the message of this number."""
    name, address = reader(number)
    text, html = order.filled(name)
    message = EmailMessage()
    message["From"] = Address(AUTHOR[0], addr_spec=AUTHOR[1])
    message["To"] = Address(name, addr_spec=address)
    message["Subject"] = subject(number)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=DOMAIN)
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    if order.file:
        path = Path(order.file)
        message.add_attachment(
            path.read_bytes(), maintype="application", subtype="octet-stream", filename=path.name
        )
    return message


def signed(message: EmailMessage, algorithm: str, key: bytes) -> bytes:
    """Give the message with a signature on top."""
    data = finished(message)
    return signature(data, algorithm, key) + data


def finished(message: EmailMessage) -> bytes:
    """Write the message in 7 bits, as any server takes it."""
    return message.as_bytes(policy=SMTP.clone(cte_type="7bit"))


def signature(data: bytes, algorithm: str, key: bytes) -> bytes:
    """Give the header that signs a finished message. dkimpy takes no loaded key."""
    import dkim

    header: bytes = dkim.sign(
        data,
        SELECTOR.encode(),
        DOMAIN.encode(),
        _raw(key) if algorithm == "ed25519" else key,
        canonicalize=(b"relaxed", b"relaxed"),
        signature_algorithm=f"{algorithm}-sha256".encode(),
    )
    return header


def _raw(pem: bytes) -> bytes:
    """Give an Ed25519 key as dkimpy wants it: the last 32 octets of PKCS #8."""
    from base64 import b64decode, b64encode

    return b64encode(b64decode(b"".join(pem.split(b"\n")[1:-2]))[-32:])
