"""The commands of one mail transaction: MAIL and RCPT with their parameters."""

from __future__ import annotations

from ..envelope import Envelope, Recipient
from ..errors import BadValue, NotOffered
from .capabilities import Capabilities
from .commands import build_command, envelope_id, original_recipient

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
        BadValue: `envid` is too long, or the server never delivers as soon as `deliver_by` asks.
        AddressError: the sender's local part needs SMTPUTF8 and it was switched off.
    """
    parameters = []
    if size is not None and capabilities.size is not None:
        parameters.append(f"SIZE={size}")
    if body is not None:
        parameters.append(f"BODY={body}")
    if envelope.is_plain:
        return build_command(f"{verb}:<{envelope.sender}>", *parameters)
    parameters += _demanded(envelope, capabilities)
    path = envelope.mailbox.wire(utf8=envelope.smtputf8) if envelope.mailbox else ""
    return build_command(f"{verb}:<{path}>", *parameters)


def _demanded(envelope: Envelope, capabilities: Capabilities) -> list[str]:
    """Give the parameters without which the message must not go."""
    parameters = []
    if envelope.smtputf8:
        _demand(capabilities, "SMTPUTF8", "an address or header in UTF-8")
        parameters.append("SMTPUTF8")
    if envelope.ret is not None:
        _demand(capabilities, "DSN", "ret")
        parameters.append(f"RET={envelope.ret}")
    if envelope.envid is not None:
        _demand(capabilities, "DSN", "envid")
        parameters.append(f"ENVID={envelope_id(envelope.envid)}")
    if envelope.requiretls:
        _demand(capabilities, "REQUIRETLS", "requiretls")
        if not capabilities.requiretls:
            raise NotOffered("REQUIRETLS over TLS with a verified certificate", "requiretls")
        parameters.append("REQUIRETLS")
    if envelope.deliver_by is not None:
        _demand(capabilities, "DELIVERBY", "deliver_by")
        parameters.append(_deliver_by(envelope.deliver_by, capabilities.deliver_by_minimum))
    if envelope.priority is not None:
        _demand(capabilities, "MT-PRIORITY", "priority")
        parameters.append(f"MT-PRIORITY={envelope.priority}")
    return parameters


def _deliver_by(seconds: int, minimum: int) -> str:
    """Ask to return what is late (";R"), or to notify of it only (";N"). RFC 2852, section 4."""
    if seconds < 0:
        return f"BY={-seconds};N"
    if seconds < minimum:
        reason = f"the server promises nothing in less than {minimum} seconds; give it more time"
        raise BadValue("deliver_by", reason)
    return f"BY={seconds};R"


def rcpt_command(
    recipient: Recipient, capabilities: Capabilities, *, utf8: bool = False, options: str = ""
) -> bytes:
    """Build RCPT with its parameters.

    Args:
        options: more parameters, in the form that they have on the wire.

    Raises:
        NotOffered: a delivery report is asked for and the server has no DSN.
        BadValue: `orcpt` is too long.
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
        parameters.append(f"ORCPT={original_recipient(recipient.orcpt)}")
    return build_command(f"RCPT TO:<{path}>", *parameters, *given)


def _demand(capabilities: Capabilities, keyword: str, need: str) -> None:
    if keyword not in capabilities.raw:
        raise NotOffered(keyword, need)
