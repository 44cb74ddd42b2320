"""Parameters of MAIL and RCPT, of which nodemailer wrote some as they came. GHSA-c7w3-x93f-qmm8."""

from __future__ import annotations

from typing import Any

import pytest

from smtps import BadValue, Envelope, Recipient
from smtps.testing import Sink
from tests.support.fronts import Front

CONTENT = b"Subject: x\r\n\r\nx\r\n"


@pytest.mark.parametrize(
    ("envid", "written"),
    [
        ("a b+=", "ENVID=a+20b+2B+3D"),
        ("x> RET=FULL", "ENVID=x>+20RET+3DFULL"),
        ("x SMTPUTF8", "ENVID=x+20SMTPUTF8"),
    ],
)
def test_an_envelope_id_stays_one_value(front: Front, envid: str, written: str) -> None:
    with Sink() as sink:
        front.send(
            front.at(sink.url), (Envelope("a@b.example", ["c@d.example"], envid=envid), CONTENT)
        )
        (mail,) = [line for line in sink.commands if line.startswith("MAIL")]
    assert [word for word in mail.split()[2:] if not word.startswith("SIZE=")] == [written]


@pytest.mark.parametrize(
    ("orcpt", "written"),
    [
        ("c@d.example> NOTIFY=NEVER", "ORCPT=rfc822;c@d.example>+20NOTIFY+3DNEVER"),
        ("x400;a=b", "ORCPT=x400;a+3Db"),
    ],
)
def test_an_original_recipient_stays_one_value(front: Front, orcpt: str, written: str) -> None:
    recipient = Recipient("c@d.example", orcpt=orcpt)
    with Sink() as sink:
        front.send(front.at(sink.url), (Envelope("a@b.example", [recipient]), CONTENT))
        (rcpt,) = [line for line in sink.commands if line.startswith("RCPT")]
    assert rcpt.split()[2:] == [written]


@pytest.mark.parametrize(
    "wrong",
    [
        {"envid": "a\x01b"},
        {"envid": "a\r\nRCPT TO:<v@x>"},
        {"ret": "FULL NOTIFY=NEVER"},
        {"ret": "FULL\r\n"},
        {"deliver_by": "1;R SIZE=1"},
        {"priority": "1 SIZE=1"},
    ],
)
def test_a_parameter_that_is_none_is_refused_when_it_is_given(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadValue) as caught:
        Envelope("a@b.example", ["c@d.example"], **wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("notify", ["NEVER ORCPT=x", "FAILURE\r\n", "ALWAYS", ["FAILURE ORCPT=x"]])
def test_a_wish_for_reports_that_is_none_is_refused_when_it_is_given(notify: Any) -> None:
    with pytest.raises(BadValue):
        Recipient("c@d.example", notify=notify)
