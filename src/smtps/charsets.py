"""Charsets: which of them mail can use, and what the code pages of Windows are called."""

from __future__ import annotations

import re

__all__ = ["CODE_PAGES", "is_usable_charset"]

_ASCII = "".join(map(chr, range(0x20, 0x7F))) + "\t\r\n"
_charset_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,39}").fullmatch

#: The charset of each code page in which ASCII stays ASCII; 0, the system's, is UTF-8 here.
CODE_PAGES: dict[int, str] = {
    0: "utf-8",
    65001: "utf-8",
    20127: "us-ascii",
    20866: "koi8-r",
    21866: "koi8-u",
    874: "tis-620",
    932: "shift_jis",
    936: "gbk",
    949: "euc-kr",
    950: "big5",
    51932: "euc-jp",
    51949: "euc-kr",
    54936: "gb18030",
    **{1250 + number: f"windows-{1250 + number}" for number in range(9)},
    **{28590 + part: f"iso-8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15)},
}


def is_usable_charset(name: str) -> bool:
    """Tell whether mail can use a charset: one that is known, and in which ASCII is ASCII."""
    try:
        return bool(_charset_name(name)) and _ASCII.encode(name) == _ASCII.encode()
    except (LookupError, UnicodeError):
        return False
