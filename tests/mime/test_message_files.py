"""Files and images of a message, from memory, paths and open files."""

from __future__ import annotations

import io
import os
from array import array
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import pytest

from smtps.errors import BadValue
from smtps.mime.message import Message
from tests.support.composed import PNG, make, parse, shape


@pytest.mark.parametrize("kind", ["path", "text path", "file", "pipe", "view"])
@pytest.mark.parametrize("size", [0, 1, 57, 87_552, 87_553, 300_000])
def test_a_file_comes_from_any_source(kind: str, size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    path = tmp_path / "a.bin"
    path.write_bytes(data)
    message = make(text="t")
    with path.open("rb") as file:
        source: Any = {
            "path": path,
            "text path": str(path),
            "file": file,
            "pipe": _Pipe(data),
            "view": memoryview(data),
        }[kind]
        message.attach(source, name="a.bin")
        rendering = message.rendering()
        size_told, rendered = rendering.size, rendering.whole()
    _, part = parse(rendered).iter_parts()
    assert part.get_payload(decode=True) == data
    assert size_told == (None if kind == "pipe" else len(rendered))


class _Pipe(io.BytesIO):
    """A file that cannot be rewound and gives what it likes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 1000))

    def tell(self) -> int:
        raise OSError("a pipe")


def test_a_file_that_can_be_read_once_is_not_sent_empty_again() -> None:
    message = make(text="t")
    message.attach(_Pipe(b"x" * 100_000))
    message.render()
    with pytest.raises(BadValue, match="once"):
        message.render()


def test_an_open_file_is_read_from_where_it_stands_each_time() -> None:
    file = io.BytesIO(b"skipped" + PNG)
    file.seek(7)
    message = make(text="t")
    message.attach(file)
    assert message.render() == message.render()
    _, part = parse(message.render()).iter_parts()
    assert part.get_payload(decode=True) == PNG


def test_any_buffer_and_a_mapped_file_can_be_attached(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(PNG)
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
        sources: list[Any] = [array("B", PNG), memoryview(bytearray(PNG)), mapped]
        for source in sources:
            message = make(text="t")
            message.attach(source)
            _, part = parse(message.render()).iter_parts()
            assert part.get_payload(decode=True) == PNG


@pytest.mark.parametrize("change", [b"", b"x" * 99_999, b"x" * 100_001])
def test_a_file_that_changes_while_it_is_sent_ends_the_message(
    change: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 100_000)
    message = make(text="t")
    message.attach(path)
    chunks = message.rendering().chunks()
    next(chunks)
    next(chunks)
    path.write_bytes(change)
    with pytest.raises(BadValue, match="attach"):
        list(chunks)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("none.bin", "cannot be read: .*'none.bin'"),
        (".", "folder"),
        (io.StringIO(), "rb"),
        (7, "bytes"),
    ],
)
def test_what_cannot_be_attached_is_said_at_once(source: Any, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        make().attach(source)


def test_the_type_follows_the_name_and_is_never_another_message() -> None:
    kinds = {
        "a.pdf": "application/pdf",
        "a.tar.gz": "application/octet-stream",
        "a": "application/octet-stream",
    }
    for name, kind in kinds.items():
        message = make(text="t")
        message.attach(b"", name=name)
        assert shape(parse(message.render())) == ("mixed", "text/plain", kind)
    with pytest.raises(BadValue, match="content_type"):
        make().attach(b"", content_type="message/rfc822")


def test_an_image_has_an_identifier_of_its_own() -> None:
    message = make(html="<p>")
    message.embed(PNG, cid="logo")
    with pytest.raises(BadValue, match="cid: 'logo' is another image of this message; give its"):
        message.embed(PNG, cid="<logo>")


def _from_email(message: Any) -> Message:
    return Message.from_email(message)


WRONG: dict[str, tuple[Callable[[Message], Any], str]] = {
    "from_": (lambda message: setattr(message, "from_", 5), "expected text, not int"),
    "to": (lambda message: setattr(message, "to", object()), "expected text, not object"),
    "subject": (lambda message: setattr(message, "subject", 5), "expected text, not int"),
    "html": (lambda message: setattr(message, "html", b"x"), "expected text, not bytes"),
    "date": (lambda message: setattr(message, "date", 5), "expected a datetime or text, not int"),
    "message_id": (lambda message: setattr(message, "message_id", b"<a@b>"), "text, not bytes"),
    "header name": (lambda message: message.add_header(5, "x"), "expected text, not int"),  # type: ignore[arg-type]
    "name": (lambda message: message.attach(b"", name=5), "expected text, not int"),  # type: ignore[arg-type]
    "content_type": (lambda message: message.attach(b"", content_type=5), "text, not int"),  # type: ignore[arg-type]
    "cid": (lambda message: message.embed(b"", cid=5), "expected text, not int"),  # type: ignore[arg-type]
    "url": (lambda message: message.unsubscribe(url=5), "expected text, not int"),  # type: ignore[arg-type]
    "mailto": (lambda message: message.unsubscribe(mailto=5), "expected text, not int"),  # type: ignore[arg-type]
    "sign": (lambda message: message.sign(5), "expected a DkimSigner, not int"),  # type: ignore[arg-type]
    "attach": (lambda message: message.attach(5), "'rb', not int"),  # type: ignore[arg-type]
    "message": (_from_email, "expected an email.message.Message, not Message"),
}


@pytest.mark.parametrize("field", WRONG)
def test_a_value_of_another_type_is_named(field: str) -> None:
    use, reason = WRONG[field]
    with pytest.raises(BadValue, match=f"{field}: .*{reason}"):
        use(make(text="t", html="<p>"))


WRONG_TEXT: dict[str, tuple[Callable[[Message], Any], str]] = {
    "date": (lambda message: setattr(message, "date", "today"), "like Mon, .*, not 'today'"),
    "message_id": (lambda message: setattr(message, "message_id", "a b"), "ASCII .*, not 'a b'"),
    "header name": (lambda message: message.add_header("X A", "1"), "without .*, not 'X A'"),
    "name": (lambda message: message.attach(b"", name="a\rb"), r"'a\\rb' holds .*; rename it"),
    "content_type": (lambda message: message.attach(b"", content_type="a"), "such as .*, not 'a'"),
    "cid": (lambda message: message.embed(b"", cid="a b"), "such as logo.*, not 'a b'"),
    "url": (lambda message: message.unsubscribe(url="http://x"), "expected https.*, not 'http://x"),
}


@pytest.mark.parametrize("field", WRONG_TEXT)
def test_a_value_of_another_form_is_shown_with_the_form_that_it_should_have(field: str) -> None:
    use, reason = WRONG_TEXT[field]
    with pytest.raises(BadValue, match=f"{field}: .*{reason}"):
        use(make(text="t", html="<p>"))


@pytest.mark.parametrize("headers", [5, "X-A: 1", ["X-A: 1"], [("X-A", "1", "2")]])
def test_headers_are_pairs(headers: Any) -> None:
    with pytest.raises(BadValue, match="headers: expected a mapping, or pairs of name and value"):
        make(headers=headers)


def test_to_sign_by_nobody_is_refused() -> None:
    with pytest.raises(BadValue, match="sign: there is no signer; give one or several"):
        make(text="t").sign()
