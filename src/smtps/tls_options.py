"""The options of TLS: which certificate is shown, which ones are accepted, and which ciphers."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

from .certificate import Certificate, certificate_bytes, to_pem
from .errors import BadValue
from .options import CertStoreType, Configurable, Option, choice, flag, number, text

__all__ = [
    "IGNORABLE",
    "IGNORED_DATES",
    "IGNORED_NAME",
    "IGNORED_PURPOSE",
    "IGNORED_UNKNOWN_AUTHORITY",
    "PROTOCOL_BITS",
    "TLSProperties",
    "TLSSettings",
]

#: The bits of SSLSecurityFlags that have an effect: which failures are ignored.
IGNORED_DATES = 0x1
IGNORED_UNKNOWN_AUTHORITY = 0x10
IGNORED_PURPOSE = 0x20
IGNORED_NAME = 0x8000_0000
IGNORABLE = IGNORED_DATES | IGNORED_UNKNOWN_AUTHORITY | IGNORED_PURPOSE | IGNORED_NAME

#: The client's bits of SSLEnabledProtocols, oldest first; those of SSL 2 and 3 are not heard.
PROTOCOL_BITS = {"TLSv1": 0x80, "TLSv1.1": 0x200, "TLSv1.2": 0x800, "TLSv1.3": 0x2000}


class _Part(Option[Any]):
    """An option that is one part of the client's certificate."""

    def __set__(self, instance: Configurable, value: Any) -> None:
        super().__set__(instance, value)
        assert isinstance(instance, TLSProperties)
        instance._part_changed(self.attribute)


def _part(like: Option[Any]) -> _Part:
    return _Part(
        like.name,
        like.default,
        check=like.check,
        parse=like.parse,
        show=like.show,
        secret=like.secret,
        doc=like.__doc__ or "",
    )


def _certificate(name: str, doc: str) -> Option[bytes]:
    """Declare an option that is a certificate, kept as DER."""
    return Option(
        name,
        b"",
        check=certificate_bytes,
        parse=lambda _, value: value,
        show=to_pem,
        doc=doc,
    )


def _identity(name: str, doc: str) -> Option[Certificate | None]:
    """Declare an option that is a `Certificate` with its key."""

    def checked(field: str, value: Any) -> Certificate | None:
        if value is not None and not isinstance(value, Certificate):
            raise BadValue(field, f"expected a Certificate, not {type(value).__name__}")
        return value

    def parsed(field: str, _: str) -> Any:
        raise BadValue(field, "cannot be given as text; use ssl_cert_store and its like")

    return Option(
        name,
        None,
        check=checked,
        parse=parsed,
        show=lambda certificate: certificate.subject if certificate else "",
        doc=doc,
    )


def _store(name: str, doc: str) -> Option[str | bytes]:
    """Declare an option that is a path, or the content itself."""

    def checked(field: str, value: Any) -> str | bytes:
        if isinstance(value, PathLike):
            value = fspath(value)
        if not isinstance(value, (str, bytes)):
            raise BadValue(field, f"expected a path or content, not {type(value).__name__}")
        return value

    # A blob holds a private key, and is no text to show.
    return Option(
        name,
        "",
        check=checked,
        parse=lambda _, value: value,
        show=lambda store: store if isinstance(store, str) and "-----" not in store else "(blob)",
        doc=doc,
    )


class TLSProperties(Configurable):
    """The certificates: the client's own, in one object or part by part, and the server's pin."""

    ssl_accept_server_cert = _certificate(
        "SSLAcceptServerCert",
        "A certificate, PEM or DER, that is accepted from the server without further checks.",
    )
    ssl_cert = _part(
        _identity("SSLCert", "The `Certificate` that is shown to a server which asks for one.")
    )
    ssl_cert_store_type = _part(
        choice(
            "SSLCertStoreType",
            CertStoreType.USER,
            doc="What the store is; where it was not assigned, the store itself says it.",
        )
    )
    ssl_cert_store = _part(
        _store("SSLCertStore", "The file with the certificate and its key, or the content.")
    )
    ssl_cert_store_password = _part(
        text("SSLCertStorePassword", secret=True, doc="Opens the store; forgotten once it is open.")
    )
    ssl_cert_subject = _part(
        text(
            "SSLCertSubject",
            doc='Whose certificate: the whole subject, a part of it, or "*". Assign it last.',
        )
    )
    ssl_cert_encoded = _part(
        _certificate(
            "SSLCertEncoded",
            "The certificate that was chosen, DER; assigning one chooses its like in the store.",
        )
    )

    @property
    def client_certificate(self) -> Certificate | None:
        """The certificate to show, its store opened if it was not yet; None without any.

        Raises:
            BadValue: the store cannot be opened (271), has no certificate of the subject (272), or
                no private key for it (273).
        """
        if self.ssl_cert is None and self.ssl_cert_store:
            self._choose_certificate()
        chosen: Certificate | None = self.ssl_cert
        if chosen is not None and not chosen.encoded:
            raise BadValue("ssl_cert_subject", "no certificate in the store has it", code=272)
        return chosen

    def _part_changed(self, attribute: str) -> None:
        if attribute == "ssl_cert":
            self._show_parts(self.ssl_cert)
        elif attribute == "ssl_cert_subject":
            if self.ssl_cert_store:
                self._choose_certificate()
        elif attribute == "ssl_cert_encoded":
            self._choose_encoded()
        else:
            self._set_part("ssl_cert", None)

    def _choose_certificate(self) -> None:
        subject = self.ssl_cert_subject
        if not subject and not type(self).ssl_cert_subject.is_set(self):
            subject = "*"
        self._show_parts(self._opened().with_subject(subject))

    def _choose_encoded(self) -> None:
        self._show_parts(self._opened().with_encoded(self.ssl_cert_encoded))

    def _opened(self) -> Certificate:
        """The store as it was opened before, so that no password has to be kept; or open it."""
        if self.ssl_cert is not None:
            opened: Certificate = self.ssl_cert
            return opened
        is_said = type(self).ssl_cert_store_type.is_set(self)
        kind = self.ssl_cert_store_type if is_said else CertStoreType.AUTO
        return Certificate(kind, self.ssl_cert_store, self.ssl_cert_store_password, "")

    def _show_parts(self, certificate: Certificate | None) -> None:
        """Make the parts tell of the certificate, and keep no password."""
        options = type(self).options
        for attribute in _PARTS:
            options[attribute].reset(self)
        if certificate is not None:
            self._set_part("ssl_cert", certificate)
            self._set_part("ssl_cert_store_type", certificate.store_type)
            self._set_part("ssl_cert_store", certificate.store)
            self._set_part("ssl_cert_subject", certificate.subject)
            self._set_part("ssl_cert_encoded", certificate.encoded)

    def _set_part(self, attribute: str, value: Any) -> None:
        # Past `_Part.__set__`, which would come back here.
        Option.__set__(type(self).options[attribute], self, value)


_PARTS = tuple(name for name, option in TLSProperties.options.items() if isinstance(option, _Part))


def _check_protocols(field: str, mask: int) -> int:
    if not any(mask & bit for bit in PROTOCOL_BITS.values()):
        raise BadValue(
            field,
            f"{mask:#x} allows no version that TLS still has; 0xC00 is TLS 1.2, 0x3000 TLS 1.3",
            code=276,
        )
    return mask


def _check_provider(field: str, name: str) -> str:
    if name.lower() not in ("", "*", "openssl", "internal"):
        raise BadValue(field, 'unknown; there is only OpenSSL, also called "*"', code=270)
    return name


class TLSSettings(Configurable):
    """How TLS is spoken, and what a server's certificate is checked for."""

    accept_any_server_cert = flag(
        "AcceptAnyServerCert",
        False,
        doc="Whether any certificate passes. The connection is then open to anyone in the middle.",
    )
    ssl_provider = text(
        "SSLProvider",
        "*",
        check=_check_provider,
        doc='The TLS library: "*", "OpenSSL" and "Internal" are the same; empty is no TLS.',
    )
    ssl_enabled_protocols = number(
        "SSLEnabledProtocols",
        0x3C00,
        low=0,
        high=0xFFFF,
        check=_check_protocols,
        doc="The versions of TLS, or-ed: 0xC0 1.0, 0x300 1.1, 0xC00 1.2, 0x3000 1.3. With 1.0 or"
        " 1.1 among them OpenSSL's security level falls to 0, as they need it.",
    )
    ssl_cipher_strength = number(
        "SSLCipherStrength",
        0,
        low=0,
        high=1024,
        doc="The fewest bits that the key of the cipher may have; 0 leaves it to OpenSSL.",
    )
    ssl_security_flags = number(
        "SSLSecurityFlags",
        0,
        low=0,
        high=0xFFFF_FFFF,
        doc="Failures of the server's certificate to ignore, or-ed: 0x1 dates, 0x10 unknown or no"
        " authority, 0x20 wrong purpose, 0x80000000 another name. Other bits have no effect.",
    )
    reuse_ssl_session = flag(
        "ReuseSSLSession",
        False,
        doc="Whether the TLS session of the last connection to the same host and port is resumed.",
    )
    openssl_cipher_list = text(
        "OpenSSLCipherList",
        doc="The ciphers of TLS 1.2 and older, as OpenSSL writes them; empty is its default.",
    )
    openssl_prng_seed_data = text(
        "OpenSSLPrngSeedData",
        secret=True,
        doc="Stirred into the random numbers of the TLS library, counted as no entropy.",
    )
    openssl_ca_file = text(
        "OpenSSLCAFile",
        doc="A PEM file of trusted authorities, in place of the system's.",
    )
    openssl_ca_dir = text(
        "OpenSSLCADir",
        doc="A folder of trusted authorities, hashed as `openssl rehash` does.",
    )
    truststore = flag(
        "Truststore",
        False,
        doc="Whether the system's own verifier judges certificates (Windows, macOS), through the"
        " package truststore. It is not used behind openssl_ca_file and openssl_ca_dir, nor where"
        " a handler, a pin or flags decide.",
    )
