"""Run Django's own tests of its SMTP backend, unmodified, with ours in its place.

    python -m tests.integrations.django.theirs FOLDER

where the folder is Django's source of the version that is installed. What does not fit is listed
in `MISFITS`, each with its reason: one that is listed and passes is an error, as is one that fails
and is not listed.
"""

from __future__ import annotations

import io
import os
import platform
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import django

_OF_SMTPLIB = "it looks into, or replaces, the smtplib.SMTP object that this backend does not have"
_IN_CLEAR = "no password crosses a connection without TLS unless allow_plaintext_auth is set"
_NO_DOMAIN = "a sender and a recipient need a domain; RFC 5321, section 4.1.2"
_ENCODING = "it wants one of several right encodings; ours takes the shortest"
MISFITS = {
    "test_auth_attempted": _IN_CLEAR,
    "test_avoids_sending_to_invalid_addresses": _OF_SMTPLIB,
    "test_connection_timeout_custom": _OF_SMTPLIB,
    "test_direct_construction_deprecated": "it is Django's own class that is deprecated so",
    "test_does_not_reencode_idna": "domains with invisible characters are refused, encoded or not",
    "test_email_msg_uses_crlf": _OF_SMTPLIB,
    "test_email_ssl_attempts_ssl_connection": "the error is a TLSError, and so a ConnectionError",
    "test_email_tls_attempts_starttls": "the words of the SMTPNotSupportedError are others",
    "test_lazy_addresses": _NO_DOMAIN,
    "test_message_cc_header": _ENCODING,
    "test_recipient_without_domain": _NO_DOMAIN,
    "test_rejects_non_ascii_local_part": "it goes out where the server offers SMTPUTF8",
    "test_reopen_replaces_partial_connection": _IN_CLEAR,
    "test_send_long_lines": _ENCODING,
    "test_send_messages_zero_sent": _OF_SMTPLIB,
    "test_send_unicode": _ENCODING,
    "test_serialized_message_uses_crlf_line_ending": _OF_SMTPLIB,
    "test_smtp_connection_uses_host_and_port": _OF_SMTPLIB,
    "test_smtp_connection_uses_timeout": _OF_SMTPLIB,
}
#: Those that pass with some versions of Django, which write as we do.
OF_SOME = {
    "test_avoids_sending_to_invalid_addresses",
    "test_reopen_replaces_partial_connection",
    "test_send_unicode",
    "test_send_long_lines",
}


def main(folder: Path) -> int:
    """Run them; gives the exit status."""
    sys.path.insert(0, str(folder / "tests"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "test_sqlite"
    django.setup()
    from django.core.mail.backends import smtp

    from smtps.integrations.django import EmailBackend

    smtp.EmailBackend = EmailBackend
    suite = unittest.TestSuite(test for module in _modules() for test in _of_smtp(module))
    names = {_name(test) for test in suite}
    result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
    failed = {_name(test): text for test, text in (*result.failures, *result.errors)}
    for name in sorted(failed.keys() - MISFITS):
        print(f"{name}\n{failed[name]}")
    passed = (names & MISFITS.keys()) - failed.keys() - OF_SOME
    for name in sorted(passed):
        print(f"{name} passes; take it out of MISFITS")
    print(
        f"Django {django.__version__} on Python {platform.python_version()}: {result.testsRun} of "
        f"its own tests, {result.testsRun - len(failed)} pass, {len(failed)} do not fit"
    )
    return bool(passed or failed.keys() - MISFITS or not result.testsRun)


def _name(test: object) -> str:
    # What failed may be a part of a test.
    case: Any = getattr(test, "test_case", test)
    return str(case.id().rpartition(".")[2])


def _modules() -> list[ModuleType]:
    from mail import tests

    if django.VERSION < (6, 1):
        return [tests]
    from mail import test_backends

    return [test_backends]


def _of_smtp(module: ModuleType) -> Iterator[unittest.TestCase | unittest.TestSuite]:
    loader = unittest.TestLoader()
    for name, kind in sorted(vars(module).items()):
        if name.startswith("SMTPBackend") and issubclass(kind, unittest.TestCase):
            yield from loader.loadTestsFromTestCase(kind)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
