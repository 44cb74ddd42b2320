"""OAuth tokens: one refresh for many waiters, whichever connection, thread or task they are on."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

from .errors import BadValue
from .forks import after_fork

__all__ = ["Provider", "Refresh", "Token", "TokenSource", "Unawaited", "source_of"]

# A token that ends while it crosses the wire is refused; this much earlier it counts as ended.
_MARGIN = 30.0


@dataclass(frozen=True, slots=True)
class Token:
    """What a token provider may give in place of text, where it knows how long the token lives.

    Args:
        value: the token, without "Bearer".
        lifetime: the seconds that it is good for from now; None if that is not known. It is then
            used until a server refuses it.
    """

    value: str = field(repr=False)
    lifetime: float | None = None


#: Gives a fresh token; in `AsyncSMTPS` it may be a coroutine function.
Provider: TypeAlias = Callable[[], "str | Token | Awaitable[str | Token]"]


class Refresh:
    """One call of the provider, and those who wait for what it gives.

    `future` ends with the token, with the error that the provider raised (as a result, so that
    nothing complains where nobody waits), or with None when whoever called it was cancelled.
    """

    def __init__(self) -> None:
        self.future: Future[Token | Exception | None] = Future()
        # A waiter that is cancelled must not cancel it for the others.
        self.future.set_running_or_notify_cancel()
        self._led = threading.Lock()

    def lead(self) -> bool:
        """Tell the first who asks that it is the one to call the provider."""
        return self._led.acquire(blocking=False)


class TokenSource:
    """One provider and the token that it gave last. Thread-safe."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._ends: float | None = None
        self._running: Refresh | None = None

    def claim(self, refused: Token | None = None) -> Token | Refresh:
        """Give the token that is good, or the refresh that will bring one.

        Args:
            refused: the token that a server did not take; another one may have come meanwhile.
        """
        with self._lock:
            if self._running is not None:
                return self._running
            alive = self._ends is None or monotonic() < self._ends
            if self._token is not None and alive and self._token is not refused:
                return self._token
            self._running = Refresh()
            return self._running

    def refresh(self, refresh: Refresh) -> Token | Unawaited:
        """Call the provider, and hand on what it gives."""
        try:
            answer = self._provider()
            if inspect.isawaitable(answer):
                return Unawaited(self, refresh, answer)
            return self._keep(refresh, answer)
        except BaseException as error:
            self.fail(refresh, error)
            raise

    def fail(self, refresh: Refresh, error: BaseException) -> None:
        """Tell those who wait that there is no token.

        An `Exception` is theirs too; a cancellation is not, and one of them tries again.
        """
        self._end(refresh, error if isinstance(error, Exception) else None)

    def forget_refresh(self) -> None:
        """Wait no longer for a thread that a fork left behind."""
        self._lock = threading.Lock()
        self._running = None

    async def settle(self, refresh: Refresh, answer: Awaitable[Any]) -> Token:
        """Await what the provider gave, and hand it on."""
        try:
            return self._keep(refresh, await answer)
        except BaseException as error:
            self.fail(refresh, error)
            raise

    def _keep(self, refresh: Refresh, answer: Any) -> Token:
        token = answer if isinstance(answer, Token) else Token(answer)
        if not isinstance(token.value, str) or not token.value:
            kind = type(token.value).__name__
            raise BadValue("token_provider", f"it gave no token but {kind}; give text or a Token")
        with self._lock:
            self._token = token
            self._ends = None
            if token.lifetime is not None:
                self._ends = monotonic() + token.lifetime - min(_MARGIN, token.lifetime / 10)
        self._end(refresh, token)
        return token

    def _end(self, refresh: Refresh, result: Token | Exception | None) -> None:
        with self._lock:
            if self._running is refresh:
                self._running = None
        refresh.future.set_result(result)


class Unawaited:
    """What a provider gave that has to be awaited first; it gives the token."""

    def __init__(self, source: TokenSource, refresh: Refresh, answer: Awaitable[Any]) -> None:
        self._source = source
        self._refresh = refresh
        self._answer = answer

    def __await__(self) -> Generator[Any, Any, Token]:
        return self._source.settle(self._refresh, self._answer).__await__()

    def refuse(self) -> BadValue:
        """Drop it where nothing awaits, and say so to all who wait for the token."""
        if inspect.iscoroutine(self._answer):
            self._answer.close()
        error = BadValue("token_provider", "only AsyncSMTPS can await what it gives")
        self._source.fail(self._refresh, error)
        return error


_sources: WeakValueDictionary[object, TokenSource] = WeakValueDictionary()
_sources_lock = threading.Lock()


def source_of(provider: Provider) -> TokenSource:
    """Give the source of a provider: the same one for as long as anybody holds it."""
    try:
        key: object = provider
        hash(key)
    except TypeError:
        key = id(provider)
    with _sources_lock:
        source = _sources.get(key)
        if source is None:
            source = _sources[key] = TokenSource(provider)
        return source


def _start_anew() -> None:
    global _sources_lock
    _sources_lock = threading.Lock()
    for source in list(_sources.values()):
        source.forget_refresh()


after_fork(_start_anew)
