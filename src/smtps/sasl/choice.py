"""Choose a mechanism: the one that was named, or the strongest that both sides know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from ..enumerations import AuthMechanism
from .cram_md5 import cram_md5
from .credentials import Credentials, Responses
from .digest_md5 import digest_md5
from .external import external
from .login import login
from .negotiate import gssapi, ntlm
from .oauth import oauthbearer, xoauth2
from .plain import plain
from .scram import scram

__all__ = ["Mechanism", "named", "offers_binding", "strongest"]


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One mechanism, and what has to hold before it may run."""

    name: str
    #: Begins an exchange; the first value is the initial response, or None.
    start: Callable[[Credentials], Responses]
    #: Whether the server gets something that is good for another login.
    reveals: bool = False
    needs_token: bool = False
    needs_certificate: bool = False
    binds: bool = False
    #: Whether user and password are hashed, and so have to be prepared.
    prepares: bool = False


_LOGIN = Mechanism("LOGIN", login, reveals=True)
_PLAIN = Mechanism("PLAIN", plain, reveals=True)
_CRAM_MD5 = Mechanism("CRAM-MD5", cram_md5, prepares=True)
_DIGEST_MD5 = Mechanism("DIGEST-MD5", digest_md5)
_SCRAM_1, _SCRAM_1_PLUS, _SCRAM_256, _SCRAM_256_PLUS = (
    Mechanism(
        f"SCRAM-{name}{'-PLUS' if plus else ''}",
        partial(scram, digest=digest, plus=plus),
        binds=plus,
        prepares=True,
    )
    for name, digest in (("SHA-1", "sha1"), ("SHA-256", "sha256"))
    for plus in (False, True)
)
_XOAUTH2 = Mechanism("XOAUTH2", xoauth2, reveals=True, needs_token=True)
_OAUTHBEARER = Mechanism("OAUTHBEARER", oauthbearer, reveals=True, needs_token=True)
_EXTERNAL = Mechanism("EXTERNAL", external, needs_certificate=True)
_NTLM = Mechanism("NTLM", ntlm)
_GSSAPI = Mechanism("GSSAPI", gssapi)

#: What each choice of the options may become on the wire, the first that is offered.
_NAMED: dict[AuthMechanism, tuple[Mechanism, ...]] = {
    AuthMechanism.USER_PASSWORD: (_LOGIN, _PLAIN),
    AuthMechanism.CRAM_MD5: (_CRAM_MD5,),
    AuthMechanism.NTLM: (_NTLM,),
    AuthMechanism.APOP: (),
    AuthMechanism.SASL_PLAIN: (_PLAIN,),
    AuthMechanism.SASL_DIGEST_MD5: (_DIGEST_MD5,),
    AuthMechanism.KERBEROS: (_GSSAPI,),
    AuthMechanism.XOAUTH2: (_XOAUTH2,),
    AuthMechanism.SCRAM_SHA_1: (_SCRAM_1,),
    AuthMechanism.SCRAM_SHA_256: (_SCRAM_256,),
    AuthMechanism.SCRAM_SHA_1_PLUS: (_SCRAM_1_PLUS,),
    AuthMechanism.SCRAM_SHA_256_PLUS: (_SCRAM_256_PLUS,),
    AuthMechanism.OAUTHBEARER: (_OAUTHBEARER,),
    AuthMechanism.EXTERNAL: (_EXTERNAL,),
}

#: Bound to TLS, then with the server's proof, then without the password on the wire, then with.
_BY_STRENGTH = (
    _SCRAM_256_PLUS,
    _SCRAM_1_PLUS,
    _SCRAM_256,
    _SCRAM_1,
    _DIGEST_MD5,
    _CRAM_MD5,
    _PLAIN,
    _LOGIN,
)


def named(asked: AuthMechanism) -> tuple[Mechanism, ...]:
    """Give what a named mechanism may become, the preferred first."""
    return _NAMED[asked]


def strongest(*, token: bool, password: bool, certificate: bool, binding: bool) -> list[Mechanism]:
    """Give the mechanisms that the credentials allow, the strongest first.

    A token is given to be used, so it comes before a password; EXTERNAL is tried where there is
    neither, since many clients with a certificate log in by password. NTLM and Kerberos are used
    where they are named only.

    Args:
        binding: whether there is something for -PLUS to bind to.
    """
    found: list[Mechanism] = [_OAUTHBEARER, _XOAUTH2] if token else []
    if password:
        found += (mechanism for mechanism in _BY_STRENGTH if binding or not mechanism.binds)
    if certificate and not found:
        found.append(_EXTERNAL)
    return found


def offers_binding(offered: Iterable[str]) -> bool:
    """Tell whether the server can bind to TLS."""
    return any(name.endswith("-PLUS") for name in offered)
