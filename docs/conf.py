"""The settings of the documentation: `make docs` builds it, and warnings are errors."""

from __future__ import annotations

import os
import re
from enum import Enum
from pathlib import Path
from typing import Any

from docutils import nodes

# What the compiled functions do is written at their twins.
os.environ["SMTPS_IMPL"] = "pure"

import smtps
from smtps.options import Option

project = "smtps"
author = "the smtps authors"
html_show_copyright = False
release = smtps.__version__
version = release.partition(".dev")[0]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
# No network is needed to build; links into Python's own pages are written out.
intersphinx_mapping: dict[str, tuple[str, None]] = {}

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 3

# A name between backticks in a docstring is code, and not always of this package.
default_role = "literal"
autodoc_typehints = "signature"
autodoc_type_aliases = {"Item": "Item"}
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_custom_sections = [
    ("Exactly one of", "params_style"),
    ("Only those of these times", "params_style"),
    ("What happens in this order", "params_style"),
]
add_module_names = False

html_theme = "furo"
html_title = "smtps"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False
# Plots in raw HTML, which shows the one for the reader's colours.
html_extra_path = [str(path) for path in Path(__file__).parent.glob("*.svg")]
html_theme_options = {"source_repository": "", "top_of_page_buttons": []}
copybutton_prompt_text = r">>> |\$ "
copybutton_prompt_is_regexp = True


_NAMES_GO_ON = re.compile(r"\s+([A-Z]\w+, )*[A-Z]\w+,")
# What the parts of the package use of each other.
_INNER = {"find_option", "is_locked", "live_value", "nearest_name", "options", "work_through"}
_INNER |= {"fill", "is_plain", "of_decided", "of_plain", "of_taken"}
_INNER |= {"take_file", "take_image", "take_part"}


def setup(app: Any) -> None:
    """Read docstrings before anything else does, and tell tables apart by their pages."""
    app.connect("autodoc-process-docstring", _open_fences, priority=100)
    app.connect("autodoc-process-signature", _name_aliases)
    app.connect("autodoc-skip-member", _skip)
    app.connect("doctree-resolved", _mark_tables)


def _mark_tables(app: Any, doctree: nodes.document, page: str) -> None:
    # Few words in many columns, and many in few, need styles of their own: _static/tables.css.
    for table in doctree.findall(nodes.table):
        table["classes"].append(f"in-{page.rpartition('/')[2]}")


def _skip(app: Any, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    # A page of get_x and set_x says nothing that one sentence does not.
    accessor = name.startswith(("get_", "set_")) and name != "set_message_stream"
    unsaid = str(getattr(thing, "__doc__", "")).startswith("Alias for field number")
    return True if accessor or unsaid or name in _INNER else None


def _name_aliases(
    app: Any,
    what: str,
    name: str,
    thing: Any,
    options: Any,
    signature: str | None,
    gives: str | None,
) -> tuple[str | None, str | None]:
    def plain(text: str | None) -> str | None:
        text = text and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text)
        text = text and re.sub(r"~(?:\w+\.)+", "", text)
        # A default that has no spelling.
        return text and re.sub(r"<factory>|<object object>|<class 'dict'>", "...", text)

    return plain(signature), plain(gives)


def _open_fences(
    app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    if what in ("attribute", "property"):
        # In the first line of an attribute, napoleon takes what is before a colon for a type.
        lines[0] = f": {lines[0]}"
    # Some say what holds until they are assigned, which is no value of theirs.
    if isinstance(thing, Option) and "assigned" not in lines[0]:
        default = thing.default
        if isinstance(default, Enum):
            lines += ["", f"Default: ``{type(default).__name__}.{default.name}``."]
        elif default not in ("", b"", None):
            lines += ["", f"Default: ``{thing.show(default)}``."]
    # Editors show docstrings as Markdown, whose fences are not those of reStructuredText.
    inside = False
    written: list[str] = []
    for line in lines:
        if line.strip().startswith("```"):
            inside = not inside
            written += ["", ".. code-block:: python", ""] if inside else [""]
        elif written and _NAMES_GO_ON.fullmatch(written[-1]):
            # A list of errors that takes two lines is one list.
            written[-1] += " " + line.strip()
        else:
            written.append(f"    {line}" if inside and line else line)
    lines[:] = written
