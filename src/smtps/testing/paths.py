"""The argument of MAIL and RCPT: a path and its parameters. RFC 5321, section 4.1.2."""

from __future__ import annotations

import re

from .records import Parameters

__all__ = ["parse_path"]

# A quoted local part may hold any of the signs that end a path or a parameter.
_PATH = re.compile(r'<((?:"(?:\\.|[^"\\])*"|[^"<>\s])*)>(?: (\S.*))?')
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^= \x00-\x1f\x7f]+))?")


def parse_path(text: str) -> tuple[str, Parameters] | None:
    """Take `<path> KEY=VALUE ...` apart; give None for what the grammar does not allow."""
    match = _PATH.fullmatch(text)
    if match is None:
        return None
    path, tail = match.groups()
    parameters: Parameters = {}
    for word in tail.split(" ") if tail else ():
        parameter = _PARAMETER.fullmatch(word)
        if parameter is None:
            return None
        parameters[parameter[1].upper()] = parameter[2]
    return path, parameters
