"""Command lines: the one place where arguments become bytes that a server obeys."""

from __future__ import annotations

from ..errors import BadValue

__all__ = ["build_command", "xtext"]

# RFC 5321 4.5.3.1.4 allows 512; extensions add to it, RFC 5321 4.5.3.1.9 and RFC 4954 4 the most.
_LONGEST = 12288


def build_command(verb: str, *arguments: str) -> bytes:
    """Build one command line with its CRLF.

    Every command of the package passes here, so that nothing a program gives can end a line early
    and begin a command of its own.

    Raises:
        BadValue: an argument holds a control character or half of a surrogate pair. The sentence
            does not repeat it.
    """
    line = " ".join((verb, *arguments)) if arguments else verb
    # isprintable() is one fast pass; what it refuses beyond controls is looked at by character.
    if not line.isprintable():
        for character in line:
            if character < " " or character == "\x7f":
                raise BadValue(f"argument of {verb}", f"control character U+{ord(character):04X}")
    try:
        # A narrowing cast would turn U+760A into a line feed; the codec refuses or writes UTF-8.
        data = line.encode()
    except UnicodeEncodeError as error:
        raise BadValue(f"argument of {verb}", "half of a surrogate pair") from error
    if len(data) > _LONGEST:
        raise BadValue(f"argument of {verb}", f"longer than {_LONGEST} bytes")
    return data + b"\r\n"


def xtext(value: str) -> str:
    """Encode a parameter value as xtext: "+", "=" and all but printable ASCII as "+XX".

    RFC 3461, section 4.
    """
    return "".join(
        character if "!" <= character <= "~" and character not in "+=" else f"+{ord(character):02X}"
        for character in value
    )
