"""Tokens that connections share: units, then many connections at once."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from smtps import SMTPS, AsyncSMTPS, BadValue, Interrupted, TimedOut, Token
from smtps.testing import Sink
from smtps.tokens import Refresh, TokenSource, source_of

SECRET = "S3cr3t"
MANY = 8


def led(source: TokenSource, refused: Token | None = None) -> Refresh:
    refresh = source.claim(refused)
    assert isinstance(refresh, Refresh)
    assert refresh.lead()
    return refresh


def test_one_of_many_leads_and_the_others_are_given_what_it_finds() -> None:
    source = TokenSource(lambda: "t")
    refresh = led(source)
    assert source.claim() is refresh
    assert not refresh.lead()
    token = source.refresh(refresh)
    assert refresh.future.result(0) is token
    assert source.claim() is token


def test_a_token_is_kept_until_it_is_refused() -> None:
    source = TokenSource(lambda: "t")
    token = source.refresh(led(source))
    assert isinstance(token, Token)
    again = source.refresh(led(source, refused=token))
    assert source.claim() is again
    # Who comes late with the old one is given the new one.
    assert source.claim(token) is again


def test_a_token_counts_as_ended_a_little_before_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("smtps.tokens.monotonic", lambda: now[0])
    source = TokenSource(lambda: Token("t", lifetime=3600))
    source.refresh(led(source))
    now[0] += 3569
    assert isinstance(source.claim(), Token)
    now[0] += 2
    assert isinstance(source.claim(), Refresh)


def test_an_error_of_the_provider_is_for_all_who_wait_and_not_for_later_ones() -> None:
    def fail() -> str:
        raise LookupError("no network")

    source = TokenSource(fail)
    refresh = led(source)
    with pytest.raises(LookupError):
        source.refresh(refresh)
    assert isinstance(refresh.future.result(0), LookupError)
    assert source.claim() is not refresh


def test_a_cancelled_leader_leaves_the_refresh_to_another() -> None:
    def stop() -> str:
        raise KeyboardInterrupt

    source = TokenSource(stop)
    refresh = led(source)
    with pytest.raises(KeyboardInterrupt):
        source.refresh(refresh)
    assert refresh.future.result(0) is None


def test_the_same_provider_has_the_same_source_for_as_long_as_it_is_held() -> None:
    class Account:
        def token(self) -> str:
            return "t"

    class Unhashable:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self) -> str:
            return "t"

    account, other = Account(), Account()
    source = source_of(account.token)
    assert source_of(account.token) is source
    assert source_of(other.token) is not source
    unhashable = Unhashable()
    held = source_of(unhashable)
    assert source_of(unhashable) is held
    watched = weakref.ref(source)
    del source
    gc.collect()
    assert watched() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_child_of_a_fork_does_not_wait_for_a_thread_of_its_parent() -> None:
    def provide() -> str:
        return "t"

    source = source_of(provide)
    refresh = led(source)
    child = os.fork()
    if child == 0:
        os._exit(0 if source.claim() is not refresh else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert source.claim() is refresh


def test_a_token_shows_nothing_of_itself() -> None:
    assert SECRET not in repr(Token(SECRET, 5))


# --- many connections at once ---------------------------------------------------------------------


@pytest.fixture
def sink() -> Iterator[Sink]:
    users = {"joe": SECRET}
    with Sink(mechanisms=["XOAUTH2"], auth_in_clear=True, users=users) as sink:
        yield sink


def options(sink: Sink, provider: Callable[[], Any], **more: Any) -> dict[str, Any]:
    return {
        "mail_server": sink.host,
        "mail_port": sink.port,
        "ssl_start_mode": 3,
        "allow_plaintext_auth": True,
        "user": "joe",
        "token_provider": provider,
        **more,
    }


def greeted(sink: Sink, count: int) -> Callable[[], bool]:
    return lambda: sum(bool(one.hello) for one in sink.connections) == count


def test_many_threads_cause_one_refresh(sink: Sink) -> None:
    calls: list[None] = []

    def provide() -> str:
        calls.append(None)
        sink.wait_until(greeted(sink, MANY))
        return SECRET

    def connect() -> bool:
        with SMTPS(**options(sink, provide)) as smtp:
            smtp.connect()
            return smtp.connected

    with ThreadPoolExecutor(MANY) as pool:
        assert all(pool.map(lambda _: connect(), range(MANY)))
    assert len(calls) == 1


def test_many_tasks_cause_one_refresh(sink: Sink) -> None:
    calls: list[None] = []

    async def provide() -> str:
        calls.append(None)
        await asyncio.to_thread(sink.wait_until, greeted(sink, MANY))
        return SECRET

    async def connect() -> None:
        async with AsyncSMTPS(**options(sink, provide)) as smtp:
            await smtp.connect()

    async def run() -> None:
        await asyncio.gather(*(connect() for _ in range(MANY)))

    asyncio.run(run())
    assert len(calls) == 1


def test_a_task_that_is_cancelled_leaves_the_refresh_to_those_who_wait(sink: Sink) -> None:
    async def run() -> int:
        calls = 0

        async def provide() -> str:
            nonlocal calls
            calls += 1
            if calls == 1:
                await asyncio.to_thread(sink.wait_until, greeted(sink, 2))
                # Whichever of the two it is that asks for all.
                asking = asyncio.current_task()
                assert asking is not None
                asking.cancel()
                await asyncio.Event().wait()
            return SECRET

        async def connect() -> None:
            async with AsyncSMTPS(**options(sink, provide)) as smtp:
                await smtp.connect()

        first = asyncio.create_task(connect())
        second = asyncio.create_task(connect())
        done = await asyncio.gather(first, second, return_exceptions=True)
        assert sorted(str(type(one).__name__) for one in done) == ["CancelledError", "NoneType"]
        return calls

    assert asyncio.run(run()) == 2


class Slow:
    """A provider that gives nothing until it is told to."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.asked.set()
        assert self.may_answer.wait(10)
        return SECRET


@pytest.fixture
def slow(sink: Sink) -> Iterator[Slow]:
    """A provider that another connection waits for."""
    provider = Slow()
    smtp = SMTPS(**options(sink, provider))
    thread = threading.Thread(target=smtp.connect)
    thread.start()
    assert provider.asked.wait(10)
    yield provider
    provider.may_answer.set()
    thread.join()
    smtp.disconnect()


def test_waiting_for_anothers_refresh_has_an_end(sink: Sink, slow: Slow) -> None:
    smtp = SMTPS(**options(sink, slow, timeout=0.2))
    with pytest.raises(TimedOut):
        smtp.connect()
    assert not smtp.connected


def test_waiting_on_asyncio_for_anothers_refresh_has_an_end(sink: Sink, slow: Slow) -> None:
    async def run() -> None:
        smtp = AsyncSMTPS(**options(sink, slow, timeout=0.2))
        with pytest.raises(TimedOut):
            await smtp.connect()

    asyncio.run(run())


def test_waiting_for_anothers_refresh_can_be_interrupted(
    sink: Sink, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    smtp = SMTPS(**options(sink, slow, timeout=5))
    wait = concurrent.futures.wait

    def interrupted_meanwhile(*arguments: Any) -> Any:
        smtp.interrupt()
        return wait(*arguments)

    monkeypatch.setattr(concurrent.futures, "wait", interrupted_meanwhile)
    with pytest.raises(Interrupted):
        smtp.connect()


def test_a_task_waits_for_the_refresh_of_a_thread(sink: Sink, slow: Slow) -> None:
    async def run() -> None:
        smtp = AsyncSMTPS(**options(sink, slow))
        connecting = asyncio.create_task(smtp.connect())
        await asyncio.to_thread(sink.wait_until, greeted(sink, 2))
        slow.may_answer.set()
        await connecting
        await smtp.disconnect()

    asyncio.run(run())


def test_a_coroutine_function_is_refused_where_nothing_awaits_it(sink: Sink) -> None:
    async def provide() -> str:
        return SECRET

    smtp = SMTPS(**options(sink, provide))
    for _ in range(2):
        with pytest.raises(BadValue, match="AsyncSMTPS"):
            smtp.connect()


@pytest.mark.parametrize("value", ["text", 5, b"x"])
def test_a_provider_has_to_be_a_function(value: Any) -> None:
    with pytest.raises(BadValue, match="token_provider"):
        SMTPS(token_provider=value)


def test_a_provider_cannot_be_named_in_a_url() -> None:
    with pytest.raises(BadValue, match="token_provider"):
        SMTPS.from_url("smtp://u@h?token_provider=x")
