"""Channel bindings: what of a TLS connection both sides can name. RFC 5929 and 9266."""

from __future__ import annotations

from collections.abc import Mapping

from .credentials import Binding

__all__ = ["choose_binding", "end_point"]

_END_POINT = "tls-server-end-point"


def end_point(certificate: bytes) -> Binding | None:
    """Bind to the server's certificate (DER); None where RFC 5929 does not say how.

    It is hashed as its signature is, and with SHA-256 in place of MD5 and SHA-1. Signatures such as
    Ed25519 name no hash.
    """
    if not certificate:
        return None
    # Loading it takes longer than all the rest of the package, and few connections need it.
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes

    try:
        parsed = x509.load_der_x509_certificate(certificate)
        algorithm = parsed.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return None  # OpenSSL reads certificates and knows signatures that others do not.
    if algorithm is None:
        return None
    if isinstance(algorithm, (hashes.MD5, hashes.SHA1)):
        algorithm = hashes.SHA256()
    return Binding(_END_POINT, parsed.fingerprint(algorithm))


def choose_binding(
    known: Mapping[str, bytes], certificate: bytes, *, wanted: str = ""
) -> Binding | None:
    """Choose what to bind to, or None.

    Args:
        known: what the TLS library gives; it is the kind that servers expect of this version.
        certificate: the server's, DER.
        wanted: the kind that the program names; empty takes the one that servers expect.
    """
    if wanted == _END_POINT:
        return end_point(certificate)
    for kind, data in known.items():
        if wanted in ("", kind) and data:
            return Binding(kind, data)
    return None
