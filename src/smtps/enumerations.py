"""What options choose among: enumerations, with the numbers that the classic component gives."""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "AuthMechanism",
    "CertStoreType",
    "FirewallType",
    "IPVersion",
    "Importance",
    "InDoubt",
    "Priority",
    "Protocol",
    "RecipientPolicy",
    "RecipientType",
    "SSLStartMode",
    "Sensitivity",
]


class SSLStartMode(IntEnum):
    """When TLS starts. There is no way to "TLS if possible": it can be stripped by anyone."""

    #: STARTTLS on ports 25, 587 and 2525, TLS from the first byte on any other.
    AUTOMATIC = 0
    IMPLICIT = 1
    EXPLICIT = 2
    NONE = 3


class Protocol(IntEnum):
    """What is spoken with the server."""

    SMTP = 0
    #: To the mailboxes of a server: one final reply for each recipient. RFC 2033.
    LMTP = 1


class AuthMechanism(IntEnum):
    """How to prove who the user is. Without a choice, the strongest that both sides know."""

    #: LOGIN, or PLAIN where LOGIN is not offered; only where it was assigned.
    USER_PASSWORD = 0
    CRAM_MD5 = 1
    #: Needs `pip install smtps[ntlm]`.
    NTLM = 2
    #: POP's own; SMTP has none.
    APOP = 3
    SASL_PLAIN = 4
    SASL_DIGEST_MD5 = 5
    #: GSSAPI; needs `pip install smtps[kerberos]`.
    KERBEROS = 6
    XOAUTH2 = 7
    SCRAM_SHA_1 = 100
    SCRAM_SHA_256 = 101
    SCRAM_SHA_1_PLUS = 102
    SCRAM_SHA_256_PLUS = 103
    OAUTHBEARER = 104
    #: By the client certificate.
    EXTERNAL = 105


class CertStoreType(IntEnum):
    """What a store of certificates is. Only PFX, PEM and AUTO can be read here."""

    USER = 0
    MACHINE = 1
    PFX_FILE = 2
    PFX_BLOB = 3
    JKS_FILE = 4
    JKS_BLOB = 5
    #: A file with certificates and private keys in PEM, in any order.
    PEM_KEY_FILE = 6
    PEM_KEY_BLOB = 7
    PUBLIC_KEY_FILE = 8
    PUBLIC_KEY_BLOB = 9
    SSH_PUBLIC_KEY_BLOB = 10
    P7B_FILE = 11
    P7B_BLOB = 12
    SSH_PUBLIC_KEY_FILE = 13
    PPK_FILE = 14
    PPK_BLOB = 15
    XML_FILE = 16
    XML_BLOB = 17
    JWK_FILE = 18
    JWK_BLOB = 19
    SECURITY_KEY = 20
    #: A path or content, PFX or PEM: what it is, it says itself.
    AUTO = 99


class RecipientType(IntEnum):
    """The header that names a recipient; BCC is named in none."""

    TO = 0
    CC = 1
    BCC = 2


class FirewallType(IntEnum):
    """The kind of a proxy."""

    NONE = 0
    #: HTTP CONNECT. RFC 9110, section 9.3.6.
    TUNNEL = 1
    #: SOCKS 4, and 4a where a name has to be resolved.
    SOCKS4 = 2
    #: RFC 1928.
    SOCKS5 = 3


class Importance(IntEnum):
    """The value of the Importance header. RFC 2156."""

    UNSPECIFIED = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


class Priority(IntEnum):
    """The value of the Priority header. RFC 2156."""

    UNSPECIFIED = 0
    NORMAL = 1
    URGENT = 2
    NON_URGENT = 3


class Sensitivity(IntEnum):
    """The value of the Sensitivity header. RFC 2156."""

    UNSPECIFIED = 0
    PERSONAL = 1
    PRIVATE = 2
    COMPANY_CONFIDENTIAL = 3


class IPVersion(IntEnum):
    """The addresses of a name that are tried."""

    IPV4 = 0
    IPV6 = 1
    #: Both, raced: the one that answers first is used. RFC 8305.
    BOTH = 2


class RecipientPolicy(IntEnum):
    """What a refused recipient means for the others of the same message."""

    #: The message goes to those that were accepted.
    ANY = 0
    #: The message goes to all or to none.
    ALL = 1


class InDoubt(IntEnum):
    """What happens to a queued message that was handed over and whose answer was lost."""

    #: It stays, named `.sending`, until somebody decides.
    HOLD = 0
    #: It is sent again, and may arrive twice.
    RESEND = 1
    #: It counts as sent, and may be lost.
    ASSUME_SENT = 2
