"""Make docs/benchmarks.md, and what the README shows of it, of what was measured last.

`make bench` measures everything and ends with this. It reads `benchmarks/results`, runs nothing,
and says what is missing there.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).parent.parent))

from comparison.native import RESULTS
from comparison.publish import picture, publish
from comparison.record import Entry, load
from comparison.table import matrix
from hotpaths.results import markdown

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
#: What the README shows, of each kind.
SHOWN = {
    "comparison": [
        *("sink-tls-1-0ms", "sink-tls-1-20ms", "sink-tls-8-0ms"),
        *("postfix-tls-1-0ms", "postfix-tls-1-20ms"),
    ],
    "composition": ["letters-tls", "mailing-plain", "attachment-plain"],
}
#: What a contender of the queue is, in words.
CONTENDERS = {
    "put": "**smtps put**",
    "bare_put": "the bare system calls",
    "put_many": "**smtps put_many**",
    "bare_put_many": "the bare system calls",
    "run": "**smtps run**",
    "bare_run": "claim, read and remove, without sending",
    "smtplib_run": "smtplib, sending each and removing its file",
}

HEAD = """\
# Benchmarks

`make bench` measures everything on this page and writes it anew. Contenders take turns in one
run, each with TCP_NODELAY; figures are medians, ratios those of the same run. Servers are
discarding sinks in C that count every message, on a processor of their own; delays come from a
line between two network namespaces, and "Postfix" is a real one.

```{include} ../README.md
:start-after: <!-- no gain -->
:end-before: <!-- end of no gain -->
```
"""


def main() -> int:
    """Write all, or say what was not measured."""
    entries = load(RESULTS / "compare.json")
    for keys in SHOWN.values():
        publish(entries, keys)
    parts = [HEAD, _sending(entries), _hot_paths(_saved("codec")), _queue(_saved("outbox"))]
    PAGE.write_text("\n".join(parts))
    print(PAGE)
    return 0


def _saved(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    if not path.exists():
        raise SystemExit(f"{path} is missing: run benchmarks/bench_{name}.py, or `make bench`")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _sending(entries: dict[str, Entry]) -> str:
    parts = [
        "## Sending and composing",
        "{doc}`comparison` has every table of sending what is finished, and says on which machine"
        " and with which versions: one connection and eight, clear text and TLS, near and far, a"
        " sink and Postfix. {doc}`composition` has those of composing, signing and attaching, with"
        " the peak of memory.",
    ]
    for name, keys in SHOWN.items():
        chosen = [entries[key] for key in keys]
        parts += [picture(chosen, name), matrix(chosen)]
    return "\n\n".join(parts) + "\n"


def _hot_paths(saved: dict[str, Any]) -> str:
    for theme in ("light", "dark"):
        shutil.copy(RESULTS / f"codec-{theme}.svg", PAGE.parent)
    tables = "\n\n".join(markdown(path) for path in saved["paths"])
    return f"""\
## Hot paths

Measured on {saved["machine"]} ({saved["date"]}), with {saved["packages"]}. "memcpy" is the same
bytes copied; results go to a buffer that lies in the second level cache.

<picture>
  <source media="(prefers-color-scheme: dark)" srcset="codec-dark.svg">
  <img alt="GB a second of each function, beside memcpy and other libraries" src="codec-light.svg">
</picture>

{tables}
"""


def _queue(saved: dict[str, Any]) -> str:
    lines = [
        "## The queue",
        "",
        f"Measured on {saved['machine']} ({saved['date']}); medians of {saved['rounds']} rounds."
        " `put` returns when a message and its name are on the disk, `put_many` when all are; `run`"
        " sends what is there into the sink.",
        "",
        "|  |  | messages | messages/s | times as long |",
        "|---|---|---:|---:|---:|",
    ]
    lines += [
        f"| {row['what']} | {CONTENDERS[row['contender']]} | {row['messages']:,} |"
        f" {row['rate']:,.0f} | {row['times']:.2f} |"
        for row in saved["rows"]
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
