"""SMTP smuggling: CVE-2023-51764 to 51766 (Postfix, Sendmail, Exim), CVE-2024-27305 (aiosmtpd).

Whatever a server was once fooled by, content that holds it arrives as content, and as one message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import pytest

from smtps import BadValue, Envelope, Outcome
from smtps.testing import Sink
from tests.support.fronts import Front
from tests.support.servers import RealServer, fresh_address

NEWLINES = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r")
#: Each newline before a dot and each behind it; and what some programs take for a newline.
ENDS = [
    *(before + b"." + behind for before in NEWLINES for behind in NEWLINES),
    b"\n\n.\r\n",
    b"\r\n.\r\n\r\n.\r\n",
    b"\r\n..\r\n",
    b"\n..\n",
    b"\r..\r",
    b"\r\n.\t\r\n",
    b"\r\n. \r\n",
    b"\r\n.\x1a\r\n",
    b"\r\n\x1a",
    b"\x0b.\x0b",
    b"\x0c.\x0c",
    b"\r\n.\x0b\r\n",
    b"\x1c.\x1d",
    b"\x85.\x85",
    "\x85.\x85".encode(),
    "\u2028.\u2028".encode(),
    b"\r\n\xff.\r\n",
    b"\xc4\x8d\n.\xc4\x8d\n",
]
WITH_NUL = [b"\r\n.\0\r\n", b"\r\n\0.\r\n", b"\0\r\n.\r\n", b"\n\0.\n"]
_number = count(1)

Give = Callable[[bytes], Any]
#: How content is given.
WAYS: dict[str, Give] = {
    "whole": lambda content: content,
    "by bytes": lambda content: (bytes([byte]) for byte in content),
    "cut at the dot": lambda content: re.split(rb"(?=\.)|(?<=\.)", content),
}


def smuggling(end: bytes, sender: str, recipient: str) -> bytes:
    commands = f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\nSubject: evil\r\n\r\nevil"
    chunk = f"BDAT 4 LAST\r\nevil\r\n{commands}".encode()
    return b"Subject: x\r\n\r\nbody" + end + commands.encode() + end + chunk + end + b"QUIT\r\n"


def arriving(content: bytes) -> bytes:
    return re.sub(rb"\r\n|\r|\n", b"\r\n", content)


def items(domain: str, give: Give) -> Iterable[tuple[str, bytes, Any]]:
    """Give a recipient of its own, the content, and the item for each end."""
    for end in ENDS:
        kept = fresh_address()
        content = smuggling(end, f"evil@{domain}", kept)
        yield kept, content, (Envelope("a@b.example", [kept]), give(content))


def check(server: RealServer, domain: str, sent: list[tuple[str, bytes]]) -> None:
    """See that each came once as it was, and nothing else."""
    wrong = [
        content for kept, content in sent if server.received(kept).content != arriving(content)
    ]
    assert wrong == []
    assert server.arrivals(lambda one: one.sender.endswith(domain), 0, 1) == []


@pytest.mark.parametrize("real_server", ["postfix", "exim"], indirect=True)
@pytest.mark.parametrize("command", ["DATA", "BDAT"])
@pytest.mark.parametrize("way", WAYS)
def test_a_false_end_arrives_as_content(
    front: Front, real_server: RealServer, way: str, command: str
) -> None:
    domain = f"evil{next(_number)}.example"
    smtp = front.at(real_server.url)
    said: list[str] = []
    smtp.on_pi_trail = lambda event: said.append(event.message)
    front.connect(smtp)
    given = list(items(domain, WAYS[way]))
    if command == "DATA":
        receipts = [front.send(smtp, item) for _, _, item in given]
    else:
        receipts = front.send_many(smtp, [item for _, _, item in given])
    assert [receipt.ok for receipt in receipts] == [True] * len(ENDS)
    check(real_server, domain, [(kept, content) for kept, content, _ in given])
    assert sum(line.startswith(command) for line in said) >= len(ENDS)


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",), ("PIPELINING", "CHUNKING")])
@pytest.mark.parametrize("way", WAYS)
def test_only_crlf_ends_a_line_on_the_wire(
    front: Front, extensions: tuple[str, ...], way: str
) -> None:
    with Sink(extensions=("8BITMIME", *extensions)) as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        contents = []
        for _, content, item in items("evil.example", WAYS[way]):
            front.send(smtp, item)
            contents.append(arriving(content))
        for _, content, item in items("evil.example", lambda content: content):
            front.send_many(smtp, [item, item])
            contents += [arriving(content)] * 2
        assert [message.content for message in sink.messages] == contents
        assert sink.connections[0].bare_newlines == 0
        assert sink.connections[0].violations == []
        for message in sink.messages:
            if message.how == "DATA":
                assert message.raw_data.index(b"\r\n.\r\n") == len(message.raw_data) - 5


@pytest.mark.parametrize("end", WITH_NUL)
@pytest.mark.parametrize("way", WAYS)
def test_a_nul_is_not_sent(front: Front, end: bytes, way: str) -> None:
    content = smuggling(end, "evil@x.example", "c@d.example")
    with Sink() as sink:
        smtp = front.at(sink.url)
        with pytest.raises(BadValue, match="NUL"):
            front.send(smtp, (Envelope("a@b.example", ["c@d.example"]), WAYS[way](content)))
        (receipt,) = front.send_many(smtp, [(Envelope("", ["c@d.example"]), content)])
        assert receipt.results[0].outcome is Outcome.NOT_SENT
        assert sink.messages == ()
