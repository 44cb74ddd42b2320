"""How long a store or key takes to open is known before it is opened, and is bounded."""

from __future__ import annotations

import base64
import contextlib
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from smtps import BadValue, Certificate, CertStoreType, DkimSigner
from smtps.mime.smime import SmimeKey
from smtps.rounds import MOST_ROUNDS, rounds_of_key, rounds_of_store
from tests.support import pfx
from tests.support.chains import CLIENT, Chains, Signed
from tests.support.pfx import Der

PFX, PEM, AUTO = CertStoreType.PFX_BLOB, CertStoreType.PEM_KEY_BLOB, CertStoreType.AUTO
#: The most that the number of rounds can say, as many programs read it: hours of work.
ENDLESS = 2**31 - 1
FEW = pfx.code(1)


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Chains:
    return Chains(tmp_path_factory.mktemp("chains"))


@pytest.fixture(scope="module")
def ann(chains: Chains) -> Signed:
    return chains.sign("Ann", by=chains.below, purpose=CLIENT)


def openssl(command: str, ann: Signed, *arguments: str, password: str = "pw") -> bytes:
    """Let OpenSSL write a store or key."""
    return subprocess.run(
        ["openssl", command, *arguments, "-passout", f"pass:{password}"],
        input=ann.key_pem() + ann.pem,
        capture_output=True,
        check=True,
    ).stdout


def pem_of(der: bytes) -> bytes:
    lines = base64.encodebytes(der)
    label = b"ENCRYPTED PRIVATE KEY-----\n"
    return b"-----BEGIN " + label + lines + b"-----END " + label


def refused(*arguments: object) -> BadValue:
    begun = time.monotonic()
    with pytest.raises(BadValue) as caught:
        Certificate(*arguments)  # type: ignore[arg-type]
    # Each of them asks for an hour at least.
    assert time.monotonic() - begun < 10
    assert caught.value.code == 271
    return caught.value


# --- stores ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "rounds"),
    [
        ("", [2048] * 3),
        ("-iter 1", [1] * 3),
        ("-iter 300000", [300_000] * 3),
        ("-nomac", [2048]),
        ("-certpbe NONE", [2048] * 2),
        ("-certpbe AES-128-CBC -keypbe AES-192-CBC", [2048] * 3),
        ("-certpbe DES-EDE3-CBC", [2048] * 3),
        ("-certpbe PBE-SHA1-3DES -macalg SHA1", [2048] * 3),
        ("-certpbe PBE-SHA1-2DES -iter 7", [7] * 3),
        ("-legacy", [2048] * 3),
        ("-legacy -certpbe PBE-SHA1-RC2-128", [2048] * 3),
    ],
)
def test_a_store_of_openssl_is_counted_and_opened(ann: Signed, how: str, rounds: list[int]) -> None:
    store = openssl("pkcs12", ann, "-export", *how.split())
    assert list(rounds_of_store(store)) == rounds
    if "-nomac" not in how and "-legacy" not in how and "2DES" not in how:
        assert Certificate(PFX, store, "pw").encoded == ann.der


@pytest.mark.parametrize("password", ["", "pw", "Pa\u00dfwort", "\U0001f511"])
@pytest.mark.parametrize("how", ["", "-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES"])
def test_a_store_opens_with_any_password(ann: Signed, how: str, password: str) -> None:
    store = openssl("pkcs12", ann, "-export", *how.split(), password=password)
    assert list(rounds_of_store(store)) == [2048] * 3
    assert Certificate(PFX, store, password).encoded == ann.der


def endless_stores() -> dict[str, Callable[[], Der]]:
    """Give a way to write each store that asks for too much, at one place."""
    slow, quick = pfx.pbes2(pfx.pbkdf2(ENDLESS)), pfx.pbes2(pfx.pbkdf2(1))
    return {
        "code": lambda: pfx.store(code=pfx.code(ENDLESS)),
        "code by PBKDF2": lambda: pfx.store(code=pfx.code_by_pbkdf2(ENDLESS, 32)),
        "key": lambda: pfx.store(pfx.unlocked(pfx.shrouded(slow)), code=FEW),
        "old key": lambda: pfx.store(pfx.unlocked(pfx.shrouded(pfx.of_pkcs12(3, ENDLESS)))),
        "second key": lambda: pfx.store(
            pfx.unlocked(pfx.shrouded(quick), pfx.shrouded(slow)), code=FEW
        ),
        "bag in a bag": lambda: pfx.store(
            pfx.unlocked(pfx.bags(pfx.bags(pfx.shrouded(slow)))), code=FEW
        ),
        "certificates": lambda: pfx.store(pfx.sealed(slow, b"x" * 32), code=FEW),
        "old certificates": lambda: pfx.store(pfx.sealed(pfx.of_pkcs12(6, ENDLESS), b"x" * 32)),
        "scrypt": lambda: pfx.store(
            pfx.unlocked(pfx.shrouded(pfx.pbes2(pfx.scrypt(2**17, 1, 2**17)))), code=FEW
        ),
        "many small ones": lambda: pfx.store(
            pfx.unlocked(*[pfx.shrouded(pfx.pbes2(pfx.pbkdf2(100_000)))] * 51), code=FEW
        ),
    }


@pytest.mark.parametrize("kind", sorted(endless_stores()))
@pytest.mark.parametrize("store_type", [PFX, AUTO])
def test_a_store_that_takes_hours_is_refused_at_once(kind: str, store_type: CertStoreType) -> None:
    error = refused(store_type, endless_stores()[kind](), "pw")
    assert "rounds of hashing" in str(error), str(error)
    assert f"{MOST_ROUNDS:,}" in str(error)
    assert "openssl pkcs12" in str(error)


def test_the_error_names_the_file_and_the_count(tmp_path: Path) -> None:
    path = tmp_path / "slow.p12"
    path.write_bytes(pfx.store(code=pfx.code(ENDLESS)))
    error = refused(CertStoreType.PFX_FILE, path, "pw")
    assert str(path) in str(error)
    assert "2,147,483,647" in str(error)


def test_as_many_rounds_as_may_be_are_done() -> None:
    key = pfx.shrouded(pfx.pbes2(pfx.pbkdf2(MOST_ROUNDS - 1)))
    assert "rounds" not in str(refused(PFX, pfx.store(pfx.unlocked(key), code=FEW), "pw"))
    assert "rounds" in str(refused(PFX, pfx.store(pfx.unlocked(key), code=pfx.code(2)), "pw"))


@pytest.mark.parametrize("rounds", [0, -1, -(2**31)])
def test_less_than_one_round_is_refused(rounds: int) -> None:
    assert "rounds" in str(refused(PFX, pfx.store(code=pfx.code(rounds)), "pw"))


def test_without_a_number_it_is_one_round() -> None:
    assert list(rounds_of_store(pfx.store(code=pfx.code(None)))) == [1]


@pytest.mark.parametrize("length", [0, -1, 65, 2**31])
def test_a_code_with_a_key_of_no_sound_length_is_refused(length: int) -> None:
    store = pfx.store(code=pfx.code_by_pbkdf2(1, length))
    assert "key is too long" in str(refused(PFX, store, "pw"))


@pytest.mark.parametrize(
    "safe",
    [
        pfx.sealed(pfx.sequence(pfx.oid("2a0304"), pfx.octets(b"")), b"x" * 32),
        pfx.sequence(pfx.oid("2a864886f70d010703"), pfx.explicit(pfx.octets(b""))),
    ],
    ids=["unknown", "by a key"],
)
def test_what_is_not_known_is_refused_with_the_way_out(safe: Der) -> None:
    error = refused(PFX, pfx.store(safe, code=FEW), "pw")
    assert "openssl pkcs12 -legacy" in str(error)


def test_bags_too_deep_in_one_another_are_refused() -> None:
    inner = pfx.shrouded(pfx.pbes2(pfx.pbkdf2(1)))
    for _ in range(9):
        inner = pfx.bags(inner)
    assert "too deep" in str(refused(PFX, pfx.store(pfx.unlocked(inner), code=FEW), "pw"))


@pytest.mark.parametrize("how", ["", "-legacy"])
def test_a_store_cut_anywhere_is_an_error_at_once(ann: Signed, how: str) -> None:
    store = openssl("pkcs12", ann, "-export", *how.split())
    begun = time.monotonic()
    for end in range(1, len(store)):
        assert "cut short" in str(refused(PFX, store[:end], "pw"))
    assert time.monotonic() - begun < 10


@pytest.mark.filterwarnings("ignore:PKCS#12 bundle could not be parsed as DER")
def test_a_store_with_any_byte_changed_is_opened_or_an_error_at_once(ann: Signed) -> None:
    store = openssl("pkcs12", ann, "-export", "-iter", "1")
    for place in range(len(store)):
        for change in (0x01, 0x80, 0xFF):
            begun = time.monotonic()
            changed = store[:place] + bytes([store[place] ^ change]) + store[place + 1 :]
            with contextlib.suppress(BadValue):
                Certificate(PFX, changed, "pw")
            # A changed byte may ask for as many rounds as may be.
            assert time.monotonic() - begun < 20


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "rounds"), [("-iter 5000", 5000), ("-scrypt", 1 << 17), ("-v2 des3 -iter 9", 9)]
)
def test_a_key_of_openssl_is_counted_and_opened(ann: Signed, how: str, rounds: int) -> None:
    pem = openssl("pkcs8", ann, "-topk8", *how.split())
    assert list(rounds_of_key(base64.b64decode(b"".join(pem.splitlines()[1:-1])))) == [rounds]
    certificate = Certificate(PEM, pem + ann.pem, "pw")
    assert certificate.key.private_numbers() == ann.key.private_numbers()


SLOW_KEYS = {
    "PBKDF2": pfx.pbes2(pfx.pbkdf2(ENDLESS)),
    "scrypt": pfx.pbes2(pfx.scrypt(2**17, 1, 2**17)),
    "PKCS#12": pfx.of_pkcs12(3, ENDLESS),
    "PBES1": pfx.sequence(
        pfx.oid("2a864886f70d010503"), pfx.sequence(pfx.octets(b"salt"), pfx.number(ENDLESS))
    ),
}


@pytest.mark.parametrize("kind", SLOW_KEYS)
def test_a_key_that_takes_hours_is_refused_at_once(ann: Signed, kind: str, tmp_path: Path) -> None:
    pem = pem_of(pfx.sequence(SLOW_KEYS[kind], pfx.octets(b"x" * 32)))
    for store in (pem + ann.pem, ann.pem + ann.key_pem() + pem):
        path = tmp_path / "slow.pem"
        path.write_bytes(store)
        error = refused(AUTO, path, "pw")
        assert "rounds of hashing" in str(error)
        assert str(path) in str(error)
        assert "openssl pkcs8" in str(error)


def test_many_keys_may_take_no_more_than_one(ann: Signed) -> None:
    key = pem_of(pfx.sequence(pfx.pbes2(pfx.pbkdf2(100_000)), pfx.octets(b"x" * 32)))
    assert "rounds of hashing" in str(refused(PEM, ann.pem + key * 51, "pw"))


@pytest.mark.parametrize("kind", SLOW_KEYS)
def test_a_key_to_sign_with_that_takes_hours_is_refused_at_once(ann: Signed, kind: str) -> None:
    pem = pem_of(pfx.sequence(SLOW_KEYS[kind], pfx.octets(b"x" * 32)))
    for load in (
        lambda: DkimSigner("here.example", "a", pem, password=b"pw"),
        lambda: SmimeKey(ann.pem, pem, password=b"pw"),
    ):
        with pytest.raises(BadValue, match="rounds of hashing"):
            load()


@pytest.mark.parametrize("damage", [b"", b"AAAA", b"MIIB", b"MAA="])
def test_an_encrypted_key_that_is_none_is_refused(ann: Signed, damage: bytes) -> None:
    label = b"ENCRYPTED PRIVATE KEY-----\n"
    pem = b"-----BEGIN " + label + damage + b"\n-----END " + label
    assert "cannot be read" in str(refused(PEM, ann.pem + pem, "pw"))
    with pytest.raises(BadValue, match="no private key"):
        DkimSigner("here.example", "a", pem, password=b"pw")
