"""The one line of the README that brings the tasks, and the settings that the guide tells of."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from celery import Celery

from smtps.integrations.celery.configuration import Configuration
from smtps.testing import Sink

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs/celery.md").read_text(encoding="utf-8")


def test_one_line_brings_the_tasks_to_an_app() -> None:
    (diff,) = (
        block
        for block in re.findall(r"^```diff\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
        if "celery" in block
    )
    added = [line[1:] for line in diff.splitlines() if line.startswith("+")]
    assert len(added) == 1
    assert not any(line.startswith("-") for line in diff.splitlines())
    settings: dict[str, Any] = {}
    exec(added[0], settings)
    app = Celery("shop", set_as_current=False)
    app.conf.update(imports=settings["imports"], task_always_eager=True)
    app.loader.import_default_modules()
    letter = {"from": "ann@a.example", "to": ["bob@b.example"], "text": "Hello"}
    with Sink() as relay:
        app.conf.smtps_url = relay.url
        assert app.tasks["smtps.send"].delay(letter).get()["ok"]
        assert relay.count == 1


def test_the_guide_names_every_setting_and_its_default() -> None:
    rows = re.findall(r"^\| (`smtps_.*?) \| (.*?) \|", GUIDE, re.MULTILINE)
    told = {name: row[1] for row in rows for name in re.findall(r"`smtps_(\w+)`", row[0])}
    assert set(told) == {one.name for one in fields(Configuration)}
    for one in fields(Configuration):
        if type(one.default) is int:
            assert told[one.name] == str(one.default)
    assert told["retry_first"] == "60, 900"
