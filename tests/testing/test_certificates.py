"""A client that trusts the throwaway authority accepts what it issued, and nothing else."""

from __future__ import annotations

import os
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from smtps.testing import Authority, Certificate, Sink, self_signed
from smtps.testing.certificates import default_certificate
from tests.support.raw import RawClient


def shake_hands(certificate: Certificate, name: str) -> None:
    with Sink(tls="implicit", certificate=certificate) as sink:
        with RawClient(sink.host, sink.port) as client:
            client.start_tls(sink.ca_file, name)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_the_default_certificate_is_for_this_machine(name: str) -> None:
    shake_hands(default_certificate(), name)


def test_the_default_certificate_is_made_once() -> None:
    with Sink(tls="starttls") as one, Sink(tls="implicit") as two:
        assert one.ca_file == two.ca_file


def test_a_certificate_can_bear_other_names() -> None:
    certificate = Authority().issue("mail.example", "*.relay.example")
    shake_hands(certificate, "mail.example")
    shake_hands(certificate, "a.relay.example")
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(certificate, "localhost")


def test_an_expired_certificate_is_refused() -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shake_hands(Authority().issue(expired=True), "localhost")


def test_a_self_signed_certificate_is_refused() -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        shake_hands(self_signed(), "localhost")


def test_a_certificate_of_another_authority_is_refused() -> None:
    ours, theirs = Authority("one").issue(), Authority("two").issue()
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(Certificate(ours.pem_file, theirs.ca_file), "localhost")


def test_the_keys_are_for_nobody_else() -> None:
    folder = Path(default_certificate().pem_file).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_files_are_gone_with_the_process() -> None:
    program = "from smtps.testing import Sink\nwith Sink(tls='starttls') as s: print(s.ca_file)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert run.stdout.endswith(".pem\n")
    assert not Path(run.stdout.strip()).parent.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_leaves_the_files_of_its_parent_alone() -> None:
    program = (
        "import os, sys; from smtps.testing.certificates import default_certificate as c\n"
        "path = c().ca_file\n"
        "if os.fork() == 0: sys.exit(0)\n"
        "os.wait(); print(os.path.exists(path))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert run.stdout == "True\n"
