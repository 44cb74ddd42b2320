"""What another thread held when a process forked is free in the child."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from smtps.client import SMTPS
from smtps.dialogue import manners
from smtps.spool import names

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


@pytest.mark.parametrize(
    ("module", "act"),
    [(names, names.new_id), (manners, lambda: manners.manners_of(SMTPS(mail_server="x")._live))],
    ids=["names", "manners"],
)
def test_a_lock_that_was_held_is_free_in_the_child(module: Any, act: Callable[[], object]) -> None:
    with module._lock:
        child = os.fork()
        if not child:
            ended = 2
            # Whoever waits for the lock ends by this, and not by the end of the test.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(2)
            try:
                ended = 0 if act() else 1
            finally:
                os._exit(ended)
        _, status = os.waitpid(child, 0)
    assert status == 0
