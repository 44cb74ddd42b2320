"""Decrypt RC2, which is broken, and which programs still encrypt certificates with. RFC 2268.

The `cryptography` package has it with keys of 16 bytes only, and PKCS#12 takes 5.
"""

from __future__ import annotations

from struct import iter_unpack, pack, unpack

__all__ = ["decrypt_rc2"]

# A permutation made of the digits of pi, section 2.
_PI = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad"
)
_ROTATIONS = (1, 2, 3, 5)


def decrypt_rc2(key: bytes, vector: bytes, data: bytes) -> bytes:
    """Decrypt whole blocks in CBC mode, with as many effective bits as the key has.

    Args:
        key: 1 to 128 bytes.
        vector: 8 bytes.
        data: some times 8 bytes.
    """
    words = _expand(key)
    before = unpack("<4H", vector)
    plain = []
    for block in iter_unpack("<4H", data):
        opened = _decrypt(words, list(block))
        plain.append(pack("<4H", *(one ^ other for one, other in zip(opened, before, strict=True))))
        before = block
    return b"".join(plain)


def _expand(key: bytes) -> tuple[int, ...]:
    """Make the 64 words of the key. Section 2."""
    size = len(key)
    expanded = bytearray(key) + bytes(128 - size)
    for place in range(size, 128):
        expanded[place] = _PI[expanded[place - 1] + expanded[place - size] & 0xFF]
    expanded[128 - size] = _PI[expanded[128 - size]]
    for place in range(127 - size, -1, -1):
        expanded[place] = _PI[expanded[place + 1] ^ expanded[place + size]]
    return unpack("<64H", expanded)


def _decrypt(words: tuple[int, ...], block: list[int]) -> list[int]:
    """Take back 16 rounds of mixing, and the mashing behind two of them. Section 4."""
    for turn in range(15, -1, -1):
        for place in (3, 2, 1, 0):
            turned, rotation = block[place], _ROTATIONS[place]
            turned = turned >> rotation | turned << 16 - rotation
            last, second, third = block[place - 1], block[place - 2], block[place - 3]
            mixed = words[4 * turn + place] + (last & second) + (~last & third)
            block[place] = turned - mixed & 0xFFFF
        if turn in (5, 11):
            for place in (3, 2, 1, 0):
                block[place] = block[place] - words[block[place - 1] & 63] & 0xFFFF
    return block
