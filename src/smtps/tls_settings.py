"""The settings of TLS: its versions and ciphers, and what a server's certificate is checked for."""

from __future__ import annotations

from .controls import shown
from .errors import BadValue
from .kinds import flag, number, text
from .options import Configurable

__all__ = [
    "IGNORABLE",
    "IGNORED_DATES",
    "IGNORED_NAME",
    "IGNORED_PURPOSE",
    "IGNORED_UNKNOWN_AUTHORITY",
    "PROTOCOL_BITS",
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
        raise BadValue(
            field, f'{shown(name)} is unknown; there is only OpenSSL, also called "*"', code=270
        )
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
