"""The choice of a mechanism."""

from __future__ import annotations

import pytest

from smtps.enumerations import AuthMechanism
from smtps.sasl.choice import named, strongest


@pytest.mark.parametrize("asked", list(AuthMechanism))
def test_every_choice_of_the_options_is_known(asked: AuthMechanism) -> None:
    assert bool(named(asked)) == (asked is not AuthMechanism.APOP)


def names(**has: bool) -> list[str]:
    nothing = {"token": False, "password": False, "certificate": False, "binding": False}
    return [mechanism.name for mechanism in strongest(**{**nothing, **has})]


def test_what_proves_the_server_comes_before_what_does_not_and_the_bare_password_last() -> None:
    assert names(password=True, binding=True) == [
        "SCRAM-SHA-256-PLUS",
        "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-256",
        "SCRAM-SHA-1",
        "DIGEST-MD5",
        "CRAM-MD5",
        "PLAIN",
        "LOGIN",
    ]


def test_plus_needs_something_to_bind_to() -> None:
    assert names(password=True)[0] == "SCRAM-SHA-256"


def test_a_token_comes_before_a_password_and_never_ends_in_one_that_is_not_there() -> None:
    assert names(token=True) == ["OAUTHBEARER", "XOAUTH2"]
    assert names(token=True, password=True)[:3] == ["OAUTHBEARER", "XOAUTH2", "SCRAM-SHA-256"]


def test_a_certificate_is_used_where_there_is_nothing_else() -> None:
    assert names(certificate=True) == ["EXTERNAL"]
    assert "EXTERNAL" not in names(certificate=True, password=True)
