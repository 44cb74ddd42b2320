"""Fixtures for the whole suite: certificates and real servers.

`smtps_sink` comes from the package's own plugin. A real server that is not installed skips its
tests, and fails them where SMTPS_REQUIRE_SERVERS is 1.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import settings

from smtps.testing import Authority
from smtps.testing.certificates import default_authority
from tests.support.aiosmtpd_server import Aiosmtpd
from tests.support.dovecot import Dovecot
from tests.support.exim import Exim
from tests.support.fronts import Front
from tests.support.network import FakeDNS
from tests.support.opensmtpd import OpenSMTPD
from tests.support.postfix import Postfix
from tests.support.proxies import Proxies
from tests.support.queues import Clock
from tests.support.servers import RealServer, started
from tests.support.smtp_server import SMTPServer

# A machine that others use too is slow now and then; what hangs ends by pytest's own timeout.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


# A shell has what it starts in the background ignore Ctrl-C, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The authority that signed the certificates of every sink and server."""
    return default_authority()


@pytest.fixture(scope="session")
def postfix() -> Iterator[Postfix]:
    """A private Postfix, one for each worker."""
    server = started(partial(Postfix, guarded=True))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def aiosmtpd() -> Iterator[Aiosmtpd]:
    """An aiosmtpd, one for each worker."""
    server = started(Aiosmtpd)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def exim() -> Iterator[Exim]:
    """A private Exim, one for each worker."""
    server = started(Exim)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def opensmtpd() -> Iterator[OpenSMTPD]:
    """A private OpenSMTPD, one for each worker."""
    server = started(OpenSMTPD)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A private Dovecot, one for each worker."""
    server = started(Dovecot)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def smtp_server() -> Iterator[SMTPServer]:
    """An smtp-server, one for each worker."""
    server = started(SMTPServer)
    yield server
    server.stop()


@pytest.fixture(params=["postfix", "exim", "dovecot", "opensmtpd", "smtp_server", "aiosmtpd"])
def real_server(request: pytest.FixtureRequest) -> RealServer:
    """Each of the real servers in turn."""
    server: RealServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture(scope="session")
def proxies() -> Iterator[Proxies]:
    """The real proxies, each started when it is first asked for."""
    found = Proxies()
    yield found
    found.stop()


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDNS]:
    """Names without DNS."""
    fake = FakeDNS(monkeypatch)
    yield fake
    fake.finish()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what uses `front` with both components, and what is marked so on uvloop too."""
    given = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "front" in metafunc.fixturenames and "front" not in given:
        # Windows has no uvloop.
        is_marked = metafunc.definition.get_closest_marker("uvloop") and os.name == "posix"
        kinds = ["sync", "async", *(["uvloop"] if is_marked else [])]
        metafunc.parametrize("front", kinds, indirect=True)


@pytest.fixture
def front(request: pytest.FixtureRequest) -> Iterator[Front]:
    """Give one of the two components."""
    with Front(request.param) as front:
        yield front


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock for the queue that stands until the test moves it."""
    clock = Clock()
    for module in ("claim", "settle", "work"):
        monkeypatch.setattr(f"smtps.spool.{module}.time", clock, raising=False)
    return clock


@pytest.fixture
def asynchronous() -> Iterator[Front]:
    """Give the component on asyncio."""
    with Front("async") as front:
        yield front
