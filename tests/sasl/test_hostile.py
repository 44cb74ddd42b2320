"""Whatever a server says, a mechanism answers, ends, or reports a protocol error."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtps.errors import AuthenticationRefused, ProtocolError
from smtps.reply import Reply
from smtps.sasl.cram_md5 import cram_md5
from smtps.sasl.credentials import Binding, Credentials, Responses
from smtps.sasl.digest_md5 import digest_md5
from smtps.sasl.login import login
from smtps.sasl.negotiate import ntlm
from smtps.sasl.oauth import oauthbearer, xoauth2
from smtps.sasl.plain import plain
from smtps.sasl.scram import scram

USER = Credentials("u", "S3cr3t!pass", token="S3cr3t!pass", binding=Binding("tls-unique", b"x"))
NONCE = "abc"
MECHANISMS: dict[str, Callable[[], Responses]] = {
    "LOGIN": lambda: login(USER),
    "PLAIN": lambda: plain(USER),
    "CRAM-MD5": lambda: cram_md5(USER),
    "DIGEST-MD5": lambda: digest_md5(USER),
    "SCRAM-SHA-256": lambda: scram(USER, "sha256", nonce=NONCE),
    "SCRAM-SHA-256-PLUS": lambda: scram(USER, "sha256", plus=True, nonce=NONCE),
    "XOAUTH2": lambda: xoauth2(USER),
    "OAUTHBEARER": lambda: oauthbearer(USER),
    "NTLM": lambda: ntlm(USER),
}
#: Those that must not end well without the server's proof.
PROVING = ["DIGEST-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]

words = st.sampled_from(
    [
        *(
            "r=abc",
            "r=abcd",
            "s=",
            "s=c2FsdA==",
            "i=4096",
            "i=1",
            "i=99999999999",
            "m=x",
            "v=",
            "e=x",
        ),
        *('nonce="x"', 'realm="', "algorithm=md5-sess", "charset=utf-8", 'qop="auth"', "rspauth="),
        *('{"status":', '"401"', "}", "NTLMSSP\0\2\0\0\0", "\\", '"', "=", "\0", "\x01"),
    ]
)
challenges = st.one_of(
    st.binary(max_size=60),
    st.lists(words, max_size=7).map(lambda parts: ",".join(parts).encode()),
    st.binary(max_size=80).map(lambda rest: b"NTLMSSP\0\2\0\0\0" + rest),
)


# Time is not what is tested here, and other work on the machine counts in it.
@pytest.mark.parametrize("name", MECHANISMS)
@settings(deadline=None)
@given(said=st.lists(challenges, max_size=4), accepted=st.booleans())
def test_nothing_else_happens(name: str, said: list[bytes], accepted: bool) -> None:
    responses = MECHANISMS[name]()
    next(responses)
    try:
        for challenge in said:
            responses.send(challenge)
        if accepted:
            responses.send(None)
        else:
            responses.throw(AuthenticationRefused(name, Reply(535, None, ("no",))))
    except StopIteration:
        assert name not in PROVING, "it ended well, and the server proved nothing"
    except AuthenticationRefused:
        assert not accepted
    except ProtocolError:
        pass
