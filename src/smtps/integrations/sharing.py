"""Pools that a whole process shares: one for each relay, closed when the process ends."""

from __future__ import annotations

import atexit
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..forks import after_fork
from ..pool import Pool

__all__ = ["Pools"]

# Programs with a login for each customer have many relays; of these a few are kept.
_MOST = 32


@dataclass(slots=True)
class _Shared:
    pool: Pool
    users: int = 0


class Pools:
    """Lend pools by a key that says all about a relay; the same key gets the same pool.

    After a fork the child has the same pools, which then make connections of their own. Pools that
    nobody uses are closed when there are more than `most` of them, the longest unused first.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        # Whoever is dropped without closing lets its pool go in the middle of anything, this too.
        self._lock = threading.RLock()
        self._pools: OrderedDict[Hashable, _Shared] = OrderedDict()
        atexit.register(self.close)
        after_fork(self._forked)

    @contextmanager
    def lent(self, key: Hashable, make: Callable[[], Pool]) -> Iterator[Pool]:
        """Lend the pool of a relay, which is made if there is none yet."""
        with self._lock:
            shared = self._pools.get(key)
            if shared is None:
                shared = self._pools[key] = _Shared(make())
            self._pools.move_to_end(key)
            shared.users += 1
            superfluous = self._superfluous()
        try:
            for pool in superfluous:
                pool.close()
            yield shared.pool
        finally:
            with self._lock:
                shared.users -= 1

    def close(self) -> None:
        """Close all of them; the next that is asked for is made anew."""
        with self._lock:
            pools = [shared.pool for shared in self._pools.values()]
            self._pools.clear()
        for pool in pools:
            pool.close()

    def _superfluous(self) -> list[Pool]:
        unused = [key for key, shared in self._pools.items() if not shared.users]
        surplus = max(len(self._pools) - self._most, 0)
        return [self._pools.pop(key).pool for key in unused[:surplus]]

    def _forked(self) -> None:
        # Another thread of the parent may have held it.
        self._lock = threading.RLock()
        for shared in self._pools.values():
            shared.users = 0
