"""HTTP CONNECT: the request to a proxy, and the head of its answer. RFC 9110, section 9.3.6."""

from __future__ import annotations

import base64
import re

from ..errors import BadValue, ProxyError
from ..hidden import Hidden
from ..hosts import with_port

__all__ = ["LONGEST_HEAD", "TunnelHead", "connect_request"]

#: How much of an answer is looked at for the end of its head; servers send a tenth of it.
LONGEST_HEAD = 16384
_STATUS_LINE = re.compile(rb"HTTP/\d\.\d ([1-5]\d\d)(?: ([^\r\n]*))?\r?\n")
_END = re.compile(rb"\r?\n\r?\n")


def connect_request(host: str, port: int, user: str, password: Hidden, more: Hidden) -> Hidden:
    """Build the request for a connection to a host.

    Args:
        host: a name in ASCII, or an address.
        more: header lines of the program, in ASCII; one of the same name replaces ours.

    Raises:
        BadValue: the user cannot be sent by Basic, which ends it at a colon. RFC 7617, section 2.
    """
    place = with_port(host, port)
    if ":" in user:
        raise BadValue("firewall_user", "a colon cannot be sent to a tunnel proxy")
    headers = {b"host": f"Host: {place}".encode()}
    if user:
        login = base64.b64encode(user.encode() + b":" + password)
        headers[b"proxy-authorization"] = b"Proxy-Authorization: Basic " + login
    own = [line for line in more.split(b"\r\n") if line]
    for line in own:
        headers.pop(line.partition(b":")[0].lower(), None)
    first = f"CONNECT {place} HTTP/1.1".encode()
    return Hidden(b"\r\n".join([first, *headers.values(), *own, b"", b""]))


class TunnelHead:
    """The head of the answer, found byte by byte.

    `rest` is what came behind it: the first bytes of the relay.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.rest = b""

    def feed(self, data: bytes) -> bool:
        """Take bytes, and tell whether the connection is there.

        Raises:
            ProxyError: the proxy refuses, or does not speak HTTP.
        """
        # An end that began in the bytes before is found as well, and none is looked at twice.
        start = max(0, len(self._buffer) - 3)
        self._buffer += data
        while True:
            # What cannot become an answer is given up at its first bytes.
            if not b"HTTP/".startswith(self._buffer[:5]):
                raise ProxyError("the proxy does not speak HTTP")
            end = _END.search(self._buffer, start, LONGEST_HEAD)
            if end is None:
                break
            head = bytes(self._buffer[: end.end()])
            del self._buffer[: end.end()]
            start = 0
            if self._is_final(head):
                self.rest = bytes(self._buffer)
                return True
        if len(self._buffer) >= LONGEST_HEAD:
            raise ProxyError("the head of the proxy's answer has no end")
        return False

    @staticmethod
    def _is_final(head: bytes) -> bool:
        """Tell whether a head is that of success; one with 1xx only says that it will come."""
        status = _STATUS_LINE.match(head)
        if status is None:
            raise ProxyError("the proxy does not speak HTTP: its answer has no status line")
        code, reason = int(status[1]), status[2] or b""
        if 200 <= code < 300:
            return True
        if code < 200:
            return False
        words = reason.decode(errors="backslashreplace")[:200]
        shown = "".join(one if one.isprintable() else "?" for one in words).strip()
        # 401 is what tinyproxy says to a wrong password.
        hint = "; check firewall_user and firewall_password" if code in (401, 407) else ""
        refusal = ProxyError(f"the proxy refused: {code} {shown}".rstrip() + hint)
        # Credentials and rules stay as they are; a relay that is down comes back.
        refusal.retryable = code >= 500 or code in (408, 429)
        raise refusal
