"""A TLS session is resumed where that is asked for, and only with the same server."""

from __future__ import annotations

import os
import ssl

import pytest

from smtps.testing import Sink
from tests.support.chains import Chains
from tests.support.fronts import Front
from tests.support.secured import WAYS, client, only, refuses

pytestmark = pytest.mark.usefixtures("resolves")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_the_session_is_resumed(front: Front, chains: Chains, way: str, version: str) -> None:
    leaf = chains.leaf("relay.example")
    certificate = only(chains.serve(leaf), ssl.TLSVersion[version])
    with Sink(tls="implicit", certificate=certificate) as sink:
        smtp = client(front, sink, "relay.example", chains, way, reuse_ssl_session=True)
        seen = []
        for _ in range(3):
            front.connect(smtp)
            seen.append(smtp.tls.resumed)
            assert smtp.ssl_server_cert.encoded == leaf.der
            assert smtp.ssl_server_cert_status == "OK"
            front.disconnect(smtp)
        assert seen == [False, True, True]
        assert [one.resumed for one in sink.connections] == seen


def test_no_session_is_resumed_by_default(front: Front, chains: Chains) -> None:
    with Sink(tls="implicit", certificate=chains.serve(chains.leaf("relay.example"))) as sink:
        smtp = client(front, sink, "relay.example", chains)
        for _ in range(2):
            front.connect(smtp)
            assert not smtp.tls.resumed
            front.disconnect(smtp)


def test_a_session_of_one_name_is_not_resumed_with_another(front: Front, chains: Chains) -> None:
    leaf = chains.leaf("relay.example", "mx.example")
    with Sink(tls="implicit", certificate=chains.serve(leaf)) as sink:
        smtp = client(front, sink, "relay.example", chains, reuse_ssl_session=True)
        front.connect(smtp)
        front.disconnect(smtp)
        smtp.mail_server = "mx.example"
        front.connect(smtp)
        assert not smtp.tls.resumed


def test_what_was_accepted_unverified_is_verified_when_it_comes_again(
    front: Front, chains: Chains
) -> None:
    with Sink(tls="implicit", certificate=chains.serve(chains.leaf("other.example"))) as sink:
        smtp = client(front, sink, "relay.example", chains, reuse_ssl_session=True)
        smtp.settings.ssl_security_flags = 0x8000_0000
        for resumed in (False, True):
            front.connect(smtp)
            assert smtp.tls.resumed is resumed
            front.disconnect(smtp)
        smtp.settings.ssl_security_flags = 0x1
        refuses(front, smtp, sink)
        smtp.settings.ssl_security_flags = 0
        refuses(front, smtp, sink)


def test_a_forked_child_leaves_the_tickets_of_its_parent_alone(
    front: Front, chains: Chains, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sink(tls="implicit", certificate=chains.serve(chains.leaf("relay.example"))) as sink:
        smtp = client(front, sink, "relay.example", chains, reuse_ssl_session=True)
        front.connect(smtp)
        front.disconnect(smtp)
        pid = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: pid + 1)
        front.connect(smtp)
        assert not smtp.tls.resumed
