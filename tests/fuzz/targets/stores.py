"""A PKCS#12 store: its rounds are counted in no time, and what they allow opens or is refused."""

from __future__ import annotations

import warnings

from smtps import BadValue, Certificate, CertStoreType
from smtps.ber import Malformed
from smtps.rounds import rounds_of_store

# So many take no time here.
_QUICK = 3000


def check(data: bytes) -> None:
    """Count, and open what is quick."""
    total = 0
    try:
        for rounds in rounds_of_store(data):
            total += max(rounds, 0)
            if total > _QUICK:
                return
    except Malformed:
        # What cannot be counted is not opened either.
        pass
    with warnings.catch_warnings():
        # `cryptography` warns of BER, which is none of ours.
        warnings.simplefilter("ignore", UserWarning)
        try:
            Certificate(CertStoreType.PFX_BLOB, data, "pw")
        except BadValue as error:
            assert error.code in (116, 271, 273)
