"""The app that Celery's workers run in tests: `celery -A tests.support.celery_app worker`.

Its configuration is a line of JSON in the environment.
"""

from __future__ import annotations

import json
import os

from celery import Celery

__all__ = ["app"]

app = Celery("tests")
app.conf.update(json.loads(os.environ["SMTPS_TEST_CELERY"]))
