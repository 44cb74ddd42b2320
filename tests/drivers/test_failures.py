"""What the system and the TLS library report, in words that are theirs."""

from __future__ import annotations

import errno
import ssl

from smtps.drivers.failures import loss, tls_failure


def test_the_numbers_of_tls_are_not_taken_for_the_systems() -> None:
    # As Python's ssl makes it where OpenSSL says no more than this.
    error = ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "TLS/SSL connection has been closed")
    assert (
        str(loss(error))
        == "the TLS connection broke: TLS/SSL connection has been closed (while idle)"
    )
    assert "TLS/SSL connection has been closed" in str(tls_failure("h.example", error))


def test_the_reason_of_openssl_goes_before_its_text() -> None:
    error = ssl.SSLError(1, "[SSL: BAD_RECORD_MAC] bad record mac (_ssl.c:2580)")
    error.reason = "BAD_RECORD_MAC"
    assert str(loss(error)) == "the TLS connection broke: bad record mac (while idle)"


def test_an_error_of_tls_without_any_text_has_its_kinds_name() -> None:
    assert str(loss(ssl.SSLError())) == "the TLS connection broke: SSLError (while idle)"


def test_an_error_of_the_system_has_the_systems_words() -> None:
    error = OSError(errno.ECONNRESET, "asyncio's own words")
    assert str(loss(error)) == "the connection broke: Connection reset by peer (while idle)"
