"""DIGEST-MD5."""

from __future__ import annotations

import time

import pytest

from smtps.errors import BadValue, ProtocolError
from smtps.sasl.credentials import Credentials
from smtps.sasl.digest_md5 import digest_md5

CHRIS = Credentials("chris", "secret", host="elwood.innosoft.com")
CHALLENGE = (
    'realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8'
)


def answer(challenge: str, credentials: Credentials = CHRIS, **options: str) -> str:
    responses = digest_md5(credentials, **options)
    assert next(responses) is None
    return (responses.send(challenge.encode()) or b"").decode()


@pytest.mark.parametrize(
    ("service", "nonce", "cnonce", "response", "proof"),
    [
        (
            "imap",
            "OA6MG9tEQGm2hh",
            "OA6MHXh6VqTrRk",
            "d388dad90d4bbd760a152321f2143af7",
            "ea40f60335c427b5527b84dbabcdfffd",
        ),
        (
            "acap",
            "OA9BSXrbuRhWay",
            "OA9BSuZWMSpW8m",
            "6084c6db3fede7352c551284490fd0fc",
            "2f0b3d7c3c2e486600ef710726aa2eae",
        ),
    ],
)
def test_the_examples_of_rfc_2831_are_answered_as_there(
    service: str, nonce: str, cnonce: str, response: str, proof: str
) -> None:
    responses = digest_md5(CHRIS, nonce=cnonce, service=service)
    next(responses)
    said = responses.send(CHALLENGE.replace("OA6MG9tEQGm2hh", nonce).encode())
    assert said is not None
    assert f"response={response}," in said.decode()
    assert f'digest-uri="{service}/elwood.innosoft.com"' in said.decode()
    assert responses.send(f"rspauth={proof}".encode()) == b""
    with pytest.raises(StopIteration):
        responses.send(None)


@pytest.mark.parametrize("verdict", [b"rspauth=00", b"", b"x=y", 'rspauth="é"'.encode(), None])
def test_a_server_without_the_right_proof_is_refused(verdict: bytes | None) -> None:
    responses = digest_md5(CHRIS)
    next(responses)
    responses.send(CHALLENGE.encode())
    with pytest.raises(ProtocolError):
        responses.send(verdict)


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        "nonsense",
        'nonce="x',
        'realm="r",algorithm=md5-sess',
        'nonce="a",nonce="b",algorithm=md5-sess',
        'nonce="a",algorithm=md5',
        'nonce="a"',
        'nonce="a",algorithm=md5-sess,qop="auth-conf"',
        'nonce="a",algorithm=md5-sess,charset=koi8-r',
        'nonce="a",algorithm=md5-sess,x="' + "y" * 2048 + '"',
        "nonce=\xff",
    ],
)
def test_a_challenge_that_makes_no_sense_is_a_protocol_error(challenge: str) -> None:
    responses = digest_md5(CHRIS)
    next(responses)
    with pytest.raises(ProtocolError):
        responses.send(challenge.encode("latin-1"))


def test_the_realm_is_the_users_domain_where_the_server_offers_it() -> None:
    offer = 'realm="one.example",realm="two.example",nonce="n",algorithm=md5-sess,charset=utf-8'
    assert 'realm="one.example"' in answer(offer)
    assert 'realm="two.example"' in answer(offer, Credentials("u@two.example", "p"))
    assert 'realm=""' in answer('nonce="n",algorithm=md5-sess')


def test_quotes_are_escaped_and_read() -> None:
    said = answer(
        'realm="a\\"b\\\\c" , ,qop="auth-int, auth", nonce=n ,algorithm=MD5-SESS,charset="utf-8"',
        Credentials('u"\\', "p", "as"),
    )
    assert 'realm="a\\"b\\\\c"' in said
    assert 'username="u\\"\\\\"' in said
    assert 'authzid="as"' in said


def test_a_user_beyond_latin_1_needs_a_server_that_takes_utf_8() -> None:
    assert 'username="ж"' in answer(CHALLENGE, Credentials("ж", "p"))
    with pytest.raises(BadValue):
        answer(CHALLENGE.replace(",charset=utf-8", ""), Credentials("ж", "p"))


@pytest.mark.parametrize("part", ['nonce="\u0587"', 'nonce="x",realm="\u0587"'])
def test_a_challenge_beyond_latin_1_that_does_not_say_so_is_not_the_users_fault(part: str) -> None:
    with pytest.raises(ProtocolError, match="ISO 8859-1"):
        answer(f"{part},algorithm=md5-sess")
    assert answer(f"{part},algorithm=md5-sess,charset=utf-8")


def test_hostile_challenges_cost_no_time() -> None:
    began = time.process_time()
    for shape in ('"\\', ',"', "=,", '="\\"', " ,"):
        responses = digest_md5(CHRIS)
        next(responses)
        with pytest.raises(ProtocolError):
            responses.send((shape * 1000)[:2048].encode())
    assert time.process_time() - began < 0.5
