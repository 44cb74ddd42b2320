"""What the options say about logging in: whether, how, and with what."""

from __future__ import annotations

from ..enumerations import AuthMechanism, SSLStartMode
from ..errors import BadValue, NotOffered
from ..hosts import to_ascii
from ..properties import ConnectionProperties
from ..sasl import (
    Binding,
    Credentials,
    Mechanism,
    bearer,
    choose_binding,
    end_point,
    missing_extra,
    named,
    offers_binding,
    saslprep,
    strongest,
)
from ..session import Session
from ..tokens import Token

__all__ = ["check_credentials", "choose_mechanism", "credentials_of", "is_wanted", "own_token"]

# What is shown says who the user is.
_NAMELESS = (AuthMechanism.EXTERNAL, AuthMechanism.KERBEROS, AuthMechanism.OAUTHBEARER)
# Their servers look for the certificate, whichever version of TLS it is.
_OF_WINDOWS = ("NTLM", "GSSAPI")


def is_wanted(options: ConnectionProperties) -> bool:
    """Tell whether to log in: there is a user, or a ticket, certificate or token says who it is."""
    if options.user or options.token_provider is not None:
        return True
    return _is_named(options) and options.auth_mechanism in _NAMELESS


def check_credentials(options: ConnectionProperties) -> None:
    """Refuse what cannot work whatever the server offers, before the network is touched.

    Raises:
        BadValue: it names the option and the way out.
    """
    if not _is_named(options):
        # The server may leave nothing else, so without TLS no login begins that could end in it.
        _check_clear_text(options, reveals=True)
        return
    asked = options.auth_mechanism
    if asked is AuthMechanism.APOP:
        raise BadValue("auth_mechanism", "APOP is a command of POP; SMTP has nothing like it")
    for mechanism in named(asked):
        _check_clear_text(options, reveals=mechanism.reveals)
        _check_needs(options, mechanism)
        if mechanism.prepares:
            for field in ("user", "password"):
                saslprep(field, getattr(options, field))


def choose_mechanism(session: Session) -> Mechanism:
    """Choose from what the server offers.

    Raises:
        NotOffered: nothing of it fits, or there is no AUTH at all.
        BadValue: what fits would give a secret to anyone who listens.
    """
    options, offered = session.options, session.capabilities.auth
    if not offered:
        raise NotOffered("AUTH", "user")
    for mechanism in _candidates(session):
        if mechanism.name in offered:
            _check_clear_text(options, reveals=mechanism.reveals, secure=session.tls is not None)
            return mechanism
    wanted = options.auth_mechanism.name if _is_named(options) else "these credentials"
    raise NotOffered(
        f"AUTH with a mechanism for {wanted} (only {' '.join(offered)})", "auth_mechanism"
    )


def credentials_of(
    session: Session, mechanism: Mechanism, token: Token | None = None
) -> Credentials:
    """Gather what the mechanism may need."""
    options = session.options
    standard = _standard_binding(session)
    binding = standard
    if not options.settings.channel_binding:
        if mechanism.name in _OF_WINDOWS:
            binding = _end_point(session)
        elif mechanism.binds:
            binding = standard or _end_point(session)
    if mechanism.binds and binding is None:
        raise BadValue("channel_binding", "this connection has nothing of that kind to bind to")
    return Credentials(
        user=options.user,
        password=options.password,
        authorization="" if mechanism.needs_token else _authorization(options),
        token=token.value if token else "",
        host=to_ascii(options.mail_server),
        port=options.mail_port,
        binding=binding,
        knows_binding=standard is not None and not offers_binding(session.capabilities.auth),
    )


def own_token(options: ConnectionProperties) -> Token | None:
    """Give the token that AuthorizationIdentity holds, if it holds one.

    That name is used for two things. It is a token where a mechanism of OAuth is named, where it
    begins with "Bearer", and where there is no password; else it says as whom to act.
    """
    text = options.authorization_identity
    if _is_named(options):
        is_token = any(mechanism.needs_token for mechanism in named(options.auth_mechanism))
    else:
        is_token = text.lower().startswith("bearer ") or not options.password
    return Token(bearer(text)) if is_token and text else None


def _candidates(session: Session) -> list[Mechanism]:
    options = session.options
    if _is_named(options):
        return list(named(options.auth_mechanism))
    token = bool(options.token_provider or own_token(options))
    return strongest(
        token=token,
        password=bool(options.password) or not (token or _has_certificate(options)),
        certificate=_has_certificate(options) and session.tls is not None,
        binding=_standard_binding(session) is not None,
    )


def _check_needs(options: ConnectionProperties, mechanism: Mechanism) -> None:
    name = mechanism.name
    if mechanism.needs_token and not (options.token_provider or own_token(options)):
        raise BadValue(
            "token_provider", f"{name} needs a token; set this or authorization_identity"
        )
    if (mechanism.binds or mechanism.needs_certificate) and _is_clear(options):
        raise BadValue("auth_mechanism", f"{name} needs TLS; choose another ssl_start_mode")
    if mechanism.needs_certificate and not _has_certificate(options):
        raise BadValue("ssl_cert", f"{name} needs a client certificate; set this")
    if extra := missing_extra(name):
        raise BadValue("auth_mechanism", f"{name} needs a package: pip install 'smtps[{extra}]'")


def _check_clear_text(
    options: ConnectionProperties, *, reveals: bool, secure: bool | None = None
) -> None:
    """Keep what another could log in with from a connection that anyone can read.

    CRAM-MD5, DIGEST-MD5, SCRAM, NTLM and Kerberos do not show the password, so they may run there
    if they are named. Who listens can still try passwords against what he read, and SCRAM alone
    makes that slow.
    """
    if secure is None:
        secure = not _is_clear(options)
    if reveals and not secure and not options.settings.allow_plaintext_auth:
        raise BadValue(
            "user",
            "a password or token does not cross a connection without TLS; choose another"
            " ssl_start_mode, or set allow_plaintext_auth",
        )


def _is_named(options: ConnectionProperties) -> bool:
    return type(options).auth_mechanism.is_set(options)


def _is_clear(options: ConnectionProperties) -> bool:
    return options.start_mode is SSLStartMode.NONE


def _has_certificate(options: ConnectionProperties) -> bool:
    return options.client_certificate is not None


def _authorization(options: ConnectionProperties) -> str:
    return "" if own_token(options) else options.authorization_identity


def _standard_binding(session: Session) -> Binding | None:
    """Give what to bind to: the kind that is set, or the one that servers expect."""
    if session.tls is None:
        return None
    wanted = session.options.settings.channel_binding
    return choose_binding(session.tls.bindings, session.tls.certificate, wanted=wanted)


def _end_point(session: Session) -> Binding | None:
    return end_point(session.tls.certificate) if session.tls is not None else None
