"""What a mechanism is given."""

from __future__ import annotations

import pickle

import pytest

from smtps.sasl.credentials import Binding, Credentials


def test_credentials_show_no_secret_and_are_not_pickled() -> None:
    credentials = Credentials(
        "u", "S3cr3t!", "S3cr3t!", "S3cr3t!", binding=Binding("k", b"S3cr3t!")
    )
    assert "S3cr3t" not in repr(credentials)
    with pytest.raises(TypeError):
        pickle.dumps(credentials)
