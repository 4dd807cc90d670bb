"""A request byte by byte as it is sent, and an answer as it came back."""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

TIMEOUT = 10.0


@dataclass(frozen=True)
class Secured:
    """How a request goes over TLS: the name that is asked for, and what is shown."""

    name: str | None = None
    # A certificate with its key, in one file of the certificates' folder.
    shows: str | None = None
    # The greatest version: a member of `ssl.TLSVersion`.
    greatest: str = "TLSv1_3"
    protocols: tuple[str, ...] = ()


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
    # Sent before the request: the PROXY protocol.
    before: bytes = b""
    secured: Secured | None = None

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
    # What TLS agreed on, and the certificate that was shown.
    agreed: dict[str, object] = field(default_factory=dict)


def send(request: Request, port: int, certificates: Path = Path()) -> Answer | None:
    """One request on a connection of its own. `None`: the connection was closed without a word."""
    address = ("127.0.0.1", port)
    agreed: dict[str, object] = {}
    with socket.create_connection(address, TIMEOUT, (request.source, 0)) as connection:
        try:
            connection.sendall(request.before)
            if request.secured:
                connection = _secure(connection, request.secured, certificates)
                agreed = _agreed(connection)
            connection.sendall(request.wire())
        except (ssl.SSLError, ConnectionError):
            return None
        answer = http.client.HTTPResponse(connection, method=request.method)
        try:
            answer.begin()
            return Answer(answer.status, answer.getheaders(), answer.read(), agreed)
        except (http.client.BadStatusLine, ConnectionError, ssl.SSLError):
            return None
        except (http.client.IncompleteRead, TimeoutError) as error:
            said = f"broke off: {error}".encode()
            return Answer(answer.status, answer.getheaders(), said, agreed)
        finally:
            answer.close()
            connection.close()


def _secure(connection: socket.socket, how: Secured, certificates: Path) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion[how.greatest]
    if how.protocols:
        context.set_alpn_protocols(list(how.protocols))
    if how.shows:
        context.load_cert_chain(certificates / f"{how.shows}.pem")
    return context.wrap_socket(connection, server_hostname=how.name)


def _agreed(connection: ssl.SSLSocket) -> dict[str, object]:
    shown = hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()
    protocol = connection.selected_alpn_protocol()
    return {"version": connection.version(), "protocol": protocol, "certificate": shown}


def _chunks(body: bytes) -> bytes:
    """Two pieces, so that more than one is seen."""
    middle = len(body) // 2
    pieces = [piece for piece in (body[:middle], body[middle:]) if piece]
    written = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    return b"".join(written) + b"0\r\n\r\n"
