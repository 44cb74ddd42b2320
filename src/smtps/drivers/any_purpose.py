"""Verification without the purpose of the certificate, which OpenSSL cannot be told to ignore.

The verifier of the `cryptography` package is told so, and is stricter than OpenSSL in the rest:
names count only in the subjectAltName, and authorities must be as the web's are. What it does not
know it refuses.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..tls_settings import IGNORED_DATES, IGNORED_NAME, IGNORED_UNKNOWN_AUTHORITY
from .authorities import Authorities, trusting_context

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["passes_for_any_purpose"]


def passes_for_any_purpose(
    chain: tuple[bytes, ...], authorities: Authorities, flags: int, host: str
) -> bool:
    """Tell whether a chain passes without its purpose and without what else `flags` ignores."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.x509.verification import VerificationError

    try:
        certificates = [x509.load_der_x509_certificate(der) for der in chain]
        believes = flags & IGNORED_UNKNOWN_AUTHORITY
        trusted = certificates if believes else list(_load(authorities))
        # Who signed it was valid when it was new; now both may have run out.
        own_begin = certificates[0].not_valid_before_utc
        moment = own_begin if flags & IGNORED_DATES else datetime.now(UTC)
        name = None if flags & IGNORED_NAME else host
        _verify(certificates, trusted, moment, name)
    except (VerificationError, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _verify(
    certificates: list[x509.Certificate],
    trusted: list[x509.Certificate],
    moment: datetime,
    host: str | None,
) -> None:
    from cryptography import x509
    from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store

    of_authorities, of_server = ExtensionPolicy.webpki_defaults_ca(), ExtensionPolicy.permit_all()
    if host is not None:
        of_server = of_server.require_present(
            x509.SubjectAlternativeName, Criticality.AGNOSTIC, None
        )
    builder = PolicyBuilder().store(Store(trusted)).time(moment)
    builder = builder.extension_policies(ca_policy=of_authorities, ee_policy=of_server)
    own, others = certificates[0], certificates[1:]
    if host is None:
        builder.build_client_verifier().verify(own, others)
    else:
        builder.build_server_verifier(_subject(host)).verify(own, others)


def _subject(host: str) -> x509.DNSName | x509.IPAddress:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _load(authorities: Authorities) -> Iterator[x509.Certificate]:
    from cryptography import x509

    for der in trusting_context(authorities).get_ca_certs(binary_form=True):
        yield x509.load_der_x509_certificate(der)
    if authorities.folder:
        # OpenSSL looks into a folder only when it needs one of its certificates.
        for path in Path(authorities.folder).glob("*.[0-9]"):
            # What it cannot read there it passes over.
            with suppress(OSError, ValueError):
                yield from x509.load_pem_x509_certificates(path.read_bytes())
