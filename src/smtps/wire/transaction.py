"""The commands of one mail transaction: MAIL and RCPT with their parameters."""

from __future__ import annotations

from ..envelope import Envelope, Recipient
from ..errors import NotOffered
from .capabilities import Capabilities
from .commands import build_command, xtext

__all__ = ["mail_command", "rcpt_command"]


def mail_command(
    envelope: Envelope,
    capabilities: Capabilities,
    *,
    size: int | None = None,
    body: str | None = None,
    verb: str = "MAIL FROM",
) -> bytes:
    """Build MAIL with the parameters that the envelope asks for and the server offers.

    Args:
        size: the bytes of the content, announced where SIZE is offered. RFC 1870.
        body: "8BITMIME" or "BINARYMIME", which the caller has seen offered.

    Raises:
        NotOffered: the envelope needs an extension that this server lacks.
        AddressError: the sender's local part needs SMTPUTF8 and it was switched off.
    """
    path = envelope.mailbox.wire(utf8=envelope.smtputf8) if envelope.mailbox else ""
    parameters = []
    if size is not None and capabilities.size is not None:
        parameters.append(f"SIZE={size}")
    if body is not None:
        parameters.append(f"BODY={body}")
    if envelope.smtputf8:
        _demand(capabilities, "SMTPUTF8", "an address or header in UTF-8")
        parameters.append("SMTPUTF8")
    if envelope.ret is not None:
        _demand(capabilities, "DSN", "ret")
        parameters.append(f"RET={envelope.ret}")
    if envelope.envid is not None:
        _demand(capabilities, "DSN", "envid")
        parameters.append(f"ENVID={xtext(envelope.envid)}")
    if envelope.requiretls:
        _demand(capabilities, "REQUIRETLS", "requiretls")
        parameters.append("REQUIRETLS")
    if envelope.deliver_by is not None:
        _demand(capabilities, "DELIVERBY", "deliver_by")
        # RFC 2852 4: ";R" asks to return what is late, ";N" to notify; a notice may be overdue.
        mode = "N" if envelope.deliver_by < 0 else "R"
        parameters.append(f"BY={envelope.deliver_by};{mode}")
    if envelope.priority is not None:
        _demand(capabilities, "MT-PRIORITY", "priority")
        parameters.append(f"MT-PRIORITY={envelope.priority}")
    return build_command(f"{verb}:<{path}>", *parameters)


def rcpt_command(
    recipient: Recipient, capabilities: Capabilities, *, utf8: bool = False, options: str = ""
) -> bytes:
    """Build RCPT with its parameters.

    Args:
        options: more parameters, in the form that they have on the wire.

    Raises:
        NotOffered: a delivery report is asked for and the server has no DSN.
        AddressError: the local part needs SMTPUTF8 and it was switched off.
    """
    path = recipient.mailbox.wire(utf8=utf8)
    given = (options,) if options else ()
    if not recipient.notify and recipient.orcpt is None:
        return build_command(f"RCPT TO:<{path}>", *given)
    _demand(capabilities, "DSN", "notify or orcpt")
    parameters = []
    if recipient.notify:
        parameters.append("NOTIFY=" + ",".join(recipient.notify))
    if recipient.orcpt is not None:
        kind = "rfc822" if recipient.orcpt.isascii() else "utf-8"
        parameters.append(f"ORCPT={kind};{_original(recipient.orcpt)}")
    return build_command(f"RCPT TO:<{path}>", *parameters, *given)


def _original(address: str) -> str:
    """Encode the original recipient: xtext, or the form that RFC 6533, section 3, gives UTF-8."""
    if address.isascii():
        return xtext(address)
    return "".join(
        character
        if "!" <= character <= "~" and character not in "\\+="
        else f"\\x{{{ord(character):X}}}"
        for character in address
    )


def _demand(capabilities: Capabilities, keyword: str, need: str) -> None:
    if keyword not in capabilities.raw:
        raise NotOffered(keyword, need)
