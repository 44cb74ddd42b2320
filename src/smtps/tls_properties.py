"""The certificates: the client's own, in one object or part by part, and the server's pin."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

from .certificate import Certificate, certificate_bytes, to_pem
from .enumerations import CertStoreType
from .errors import BadValue
from .kinds import choice, text
from .options import Configurable, Option

__all__ = ["TLSProperties"]


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
            self._close_store()

    def _choose_certificate(self) -> None:
        subject = self.ssl_cert_subject
        if not subject and not type(self).ssl_cert_subject.is_set(self):
            subject = "*"
        self._show_parts(self._opened().with_subject(subject))

    def _choose_encoded(self) -> None:
        wanted = self.ssl_cert_encoded
        type(self).ssl_cert_encoded.reset(self)
        self._show_parts(self._opened().with_encoded(wanted))

    def _opened(self) -> Certificate:
        """The store as it was opened before, so that no password has to be kept; or open it."""
        if self.ssl_cert is not None:
            opened: Certificate = self.ssl_cert
            return opened
        is_said = type(self).ssl_cert_store_type.is_set(self)
        kind = self.ssl_cert_store_type if is_said else CertStoreType.AUTO
        return Certificate(kind, self.ssl_cert_store, self.ssl_cert_store_password, "")

    def _close_store(self) -> None:
        """Forget the choice in a store that is replaced; a subject that waits for one stays."""
        if self.ssl_cert is not None:
            for attribute in ("ssl_cert", "ssl_cert_subject", "ssl_cert_encoded"):
                type(self).options[attribute].reset(self)

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
