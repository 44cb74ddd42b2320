"""Run CPython's own tests of smtplib, unmodified, against the module that takes its place.

`python tests/support/smtplib_suite.py` prints one line of JSON. It is a program of its own, as the
tests replace parts of `socket`, and what stands in the place of smtplib stays there.
"""

from __future__ import annotations

import json
import platform
import sys
import unittest
import warnings

import smtps.compat
from smtps import codec


def main() -> int:
    """Print what ran and what failed; 1 if anything did, or nothing ran."""
    # The suite's own server is of the deprecated smtpd.
    warnings.simplefilter("ignore")
    sys.modules["smtplib"] = smtps.compat
    from test import test_smtplib

    suite = unittest.defaultTestLoader.loadTestsFromModule(test_smtplib)
    result = unittest.TextTestRunner(stream=sys.stderr).run(suite)
    outcome = {
        "python": platform.python_version(),
        "implementation": codec.implementation,
        "ran": result.testsRun,
        "failed": [test.id() for test, _ in (*result.failures, *result.errors)],
        "skipped": [test.id() for test, _ in result.skipped],
    }
    print(json.dumps(outcome))
    return int(not result.wasSuccessful() or not result.testsRun)


if __name__ == "__main__":
    sys.exit(main())
