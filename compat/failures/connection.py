"""One kept connection, with as little between the clock and the socket as Python allows."""

from __future__ import annotations

import re
import socket
import time

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
DATE = re.compile(rb"\r\ndate: [^\r]*", re.IGNORECASE)


class Connection:
    """Sends requests one after the other."""

    def __init__(self, issuer: str):
        host, port = issuer.removeprefix("http://").rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[bytes, float]:
        """The whole answer, and the seconds until its first bytes."""
        began = time.perf_counter()
        self._socket.sendall(request)
        answer = self._socket.recv(65536)
        took = time.perf_counter() - began
        while not _is_whole(answer):
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError("the server hung up")
            answer += more
        return answer, took


def without_date(answer: bytes) -> bytes:
    """The answer without the one field that changes with the time of day."""
    return DATE.sub(b"", answer)


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = LENGTH.search(head + b"\r\n")
    return bool(end) and length is not None and len(body) >= int(length[1])
