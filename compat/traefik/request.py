"""A request byte by byte as it is sent, and an answer as it came back."""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass, field

TIMEOUT = 10.0


@dataclass
class Request:
    """What a request says. `None` leaves a thing out."""

    method: str = "GET"
    host: str | None = "a.test"
    path: str = "/"
    query: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | None = None
    chunked: bool = False
    version: str = "HTTP/1.1"
    source: str = "127.0.0.1"

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{'&'.join(self.query)}" if self.query else self.path

    def wire(self) -> bytes:
        """All of it, as one block of bytes."""
        lines = [f"{self.method} {self.target} {self.version}"]
        if self.host is not None:
            lines.append(f"Host: {self.host}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        body = b""
        if self.body is not None and self.chunked:
            lines.append("Transfer-Encoding: chunked")
            body = _chunks(self.body)
        elif self.body is not None:
            lines.append(f"Content-Length: {len(self.body)}")
            body = self.body
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def send(request: Request, port: int) -> Answer | None:
    """One request on a connection of its own. `None`: the connection was closed without a word."""
    address = ("127.0.0.1", port)
    with socket.create_connection(address, TIMEOUT, (request.source, 0)) as connection:
        connection.sendall(request.wire())
        answer = http.client.HTTPResponse(connection, method=request.method)
        try:
            answer.begin()
            return Answer(answer.status, answer.getheaders(), answer.read())
        except (http.client.BadStatusLine, ConnectionResetError):
            return None
        except (http.client.IncompleteRead, TimeoutError) as error:
            return Answer(answer.status, answer.getheaders(), f"broke off: {error}".encode())
        finally:
            answer.close()


def _chunks(body: bytes) -> bytes:
    """Two pieces, so that more than one is seen."""
    middle = len(body) // 2
    pieces = [piece for piece in (body[:middle], body[middle:]) if piece]
    written = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    return b"".join(written) + b"0\r\n\r\n"
