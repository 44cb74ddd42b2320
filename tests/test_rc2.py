"""RC2 by the vectors of RFC 2268 that have as many effective bits as bits of the key."""

from __future__ import annotations

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import RC2
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from hypothesis import given
from hypothesis import strategies as st

from smtps.rc2 import decrypt_rc2


@pytest.mark.parametrize(
    ("key", "plain", "encrypted"),
    [
        ("ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"),
        ("3000000000000000", "1000000000000001", "30649edf9be7d2c2"),
        ("88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"),
    ],
)
def test_what_the_rfc_encrypts_is_decrypted(key: str, plain: str, encrypted: str) -> None:
    decrypted = decrypt_rc2(bytes.fromhex(key), bytes(8), bytes.fromhex(encrypted))
    assert decrypted == bytes.fromhex(plain)


@given(
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=8, max_size=8),
    st.lists(st.binary(min_size=8, max_size=8), min_size=1).map(b"".join),
)
def test_what_openssl_encrypts_is_decrypted(key: bytes, vector: bytes, plain: bytes) -> None:
    closing = Cipher(RC2(key), modes.CBC(vector)).encryptor()
    assert decrypt_rc2(key, vector, closing.update(plain) + closing.finalize()) == plain
