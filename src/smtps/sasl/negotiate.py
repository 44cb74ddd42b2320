"""NTLM and GSSAPI (Kerberos), through pyspnego. MS-SMTPNTLM; RFC 4752.

pyspnego is an extra, loaded when it is needed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import BadValue, SMTPSError
from .credentials import Credentials, Responses, broken

__all__ = ["gssapi", "missing_extra", "ntlm"]

_SERVICE = "smtp"
_NO_LAYER = 1


def missing_extra(mechanism: str) -> str:
    """Give the extra that has to be installed for a mechanism; empty if nothing is missing."""
    # Windows knows Kerberos by itself.
    libraries = () if sys.platform == "win32" else ("gssapi", "krb5")
    needs = {"NTLM": ("ntlm", ("spnego",)), "GSSAPI": ("kerberos", ("spnego", *libraries))}
    extra, modules = needs.get(mechanism, ("", ()))
    return "" if all(map(importlib.util.find_spec, modules)) else extra


def ntlm(credentials: Credentials) -> Responses:
    """Answer the one challenge of NTLM version 2; the user may have a domain in front."""
    with _plainly(starting=True):
        context = _context(credentials, "ntlm", username=credentials.user)
        token = context.step()
    challenge = yield token
    with _plainly():
        token = context.step(_present(challenge))
    yield token


def gssapi(credentials: Credentials) -> Responses:
    """Show a ticket, check the server's, and agree that TLS is all the security layer there is.

    Without a password the ticket is the one of the credential cache. Asking the centre for tickets
    is the library's own doing: it blocks, on asyncio too.
    """
    with _plainly(starting=True):
        user = credentials.user if credentials.password else None
        context = _context(credentials, "kerberos", username=user)
        token = context.step()
    challenge = yield token
    while not context.complete:
        with _plainly():
            token = context.step(_present(challenge))
        challenge = yield token or b""
    with _plainly():
        offer = context.unwrap(_present(challenge)).data
        if len(offer) != 4 or not offer[0] & _NO_LAYER:
            raise broken("the server wants a security layer, which TLS is for")
        # RFC 4752 3.1: our choice, no buffer for a layer, and as whom to act.
        identity = (credentials.authorization or credentials.user).encode()
        answer = context.wrap(bytes((_NO_LAYER, 0, 0, 0)) + identity, encrypt=False).data
    yield answer


def _context(credentials: Credentials, protocol: str, *, username: str | None) -> Any:
    spnego = importlib.import_module("spnego")
    bindings = None
    if credentials.binding is not None:
        kind, data = credentials.binding.kind, credentials.binding.data
        channel = importlib.import_module("spnego.channel_bindings")
        bindings = channel.GssChannelBindings(application_data=f"{kind}:".encode() + data)
    return spnego.client(
        username,
        credentials.password or None,
        hostname=credentials.host,
        service=_SERVICE,
        protocol=protocol,
        channel_bindings=bindings,
    )


def _present(challenge: bytes | None) -> bytes:
    if challenge is None:
        raise broken("the server accepted before the exchange was complete")
    if not challenge:
        # The library would begin anew.
        raise broken("the challenge is empty")
    return challenge


@contextmanager
def _plainly(*, starting: bool = False) -> Iterator[None]:
    """Report what pyspnego reports as an error of this package.

    Args:
        starting: whether the server has said nothing yet, so that the credentials are to blame.
    """
    try:
        yield
    except SMTPSError:
        raise
    except Exception as error:
        # A token that makes no sense ends in errors of any kind in there.
        reason = f"{type(error).__name__}: {error}"
        if starting:
            raise BadValue(
                "user", f"no exchange can begin with these credentials: {reason}"
            ) from error
        raise broken(f"the exchange failed: {reason}") from error
