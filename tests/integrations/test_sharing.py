"""Pools that a process shares."""

from __future__ import annotations

import gc

from smtps import Pool
from smtps.integrations.sharing import Pools

URL = "smtp://localhost?tls=none"


def test_the_same_key_gets_the_same_pool() -> None:
    pools = Pools()
    with pools.lent("a", lambda: Pool(URL)) as one, pools.lent("a", lambda: Pool(URL)) as two:
        assert one is two


def test_the_longest_unused_is_let_go_where_there_are_too_many() -> None:
    pools = Pools(most=2)
    seen = set()
    for key in ("a", "b", "a", "c", "a", "b"):
        with pools.lent(key, lambda: Pool(URL)) as pool:
            seen.add(pool)
    assert len(seen) == 4


def test_what_is_in_use_stays() -> None:
    pools = Pools(most=1)
    with pools.lent("a", lambda: Pool(URL)) as first:
        with pools.lent("b", lambda: Pool(URL)):
            pass
        with pools.lent("a", lambda: Pool(URL)) as again:
            assert again is first


def test_a_borrower_that_is_dropped_while_another_asks_lets_its_pool_go() -> None:
    pools = Pools(most=1)

    class Borrower:
        def __init__(self) -> None:
            self.lease = pools.lent("a", lambda: Pool(URL))
            self.pool = self.lease.__enter__()
            self.itself = self

    first = Borrower().pool

    def collect() -> Pool:
        gc.collect()
        return Pool(URL)

    with pools.lent("b", collect):
        pass
    with pools.lent("a", lambda: Pool(URL)) as again:
        assert again is not first
