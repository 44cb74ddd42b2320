"""Command lines: the one place where arguments become bytes that a server obeys."""

from __future__ import annotations

import re

from ..errors import BadValue

__all__ = ["build_command", "envelope_id", "original_recipient", "xtext"]

# RFC 5321 4.5.3.1.4 allows 512; extensions add to it, RFC 5321 4.5.3.1.9 and RFC 4954 4 the most.
_LONGEST = 12288
# RFC 3461 4 (c) and (d): what ENVID and ORCPT add to the length of MAIL and RCPT.
_LONGEST_ENVID, _LONGEST_ORCPT = 100, 500
# What an address begins with where its kind is named; no local part has a semicolon unquoted.
_KIND = re.compile(r"[A-Za-z0-9-]+(?=;)")


def build_command(verb: str, *arguments: str) -> bytes:
    """Build one command line with its CRLF.

    Every command of the package passes here, so that nothing a program gives can end a line early
    and begin a command of its own.

    Raises:
        BadValue: an argument holds a control character or half of a surrogate pair. The sentence
            does not repeat it.
    """
    line = " ".join((verb, *arguments)) if arguments else verb
    # A line of the program's own comes whole, and is not repeated.
    field = f"argument of {verb}" if arguments else "command"
    # isprintable() is one fast pass; what it refuses beyond controls is looked at by character.
    if not line.isprintable():
        for character in line:
            if character < " " or character == "\x7f":
                raise BadValue(field, f"control character U+{ord(character):04X}")
    try:
        # A narrowing cast would turn U+760A into a line feed; the codec refuses or writes UTF-8.
        data = line.encode()
    except UnicodeEncodeError as error:
        raise BadValue(field, "half of a surrogate pair") from error
    if len(data) > _LONGEST:
        raise BadValue(field, f"longer than {_LONGEST} bytes")
    return data + b"\r\n"


def xtext(value: str) -> str:
    """Encode a parameter value as xtext: "+", "=" and all but printable ASCII as "+XX".

    RFC 3461, section 4.
    """
    return "".join(
        character if "!" <= character <= "~" and character not in "+=" else f"+{ord(character):02X}"
        for character in value
    )


def envelope_id(value: str) -> str:
    """Encode the value of ENVID. RFC 3461, section 4.4.

    Raises:
        BadValue: it is too long once it is encoded.
    """
    encoded = xtext(value)
    if len(encoded) > _LONGEST_ENVID:
        raise BadValue("envid", f"longer than {_LONGEST_ENVID} characters as xtext")
    return encoded


def original_recipient(address: str) -> str:
    """Encode the value of ORCPT: the kind of an address, and the address. RFC 3461, section 4.2.

    An address that names no kind, as `x400;...` does, is one of mail. With characters outside
    ASCII it gets the form of RFC 6533, section 3, that any server with DSN takes.

    Raises:
        BadValue: it is too long once it is encoded.
    """
    kind = _KIND.match(address)
    name, rest = ("", address) if kind is None else (kind[0], address[kind.end() + 1 :])
    encoded = xtext(rest) if rest.isascii() else _unicode_xtext(rest)
    name = name or ("rfc822" if rest.isascii() else "utf-8")
    if len(name) + 1 + len(encoded) > _LONGEST_ORCPT:
        raise BadValue("orcpt", f"longer than {_LONGEST_ORCPT} characters once it is encoded")
    return f"{name};{encoded}"


def _unicode_xtext(address: str) -> str:
    return "".join(
        character
        if "!" <= character <= "~" and character not in "\\+="
        else f"\\x{{{ord(character):X}}}"
        for character in address
    )
