#!/usr/bin/env python3
"""A service that knows who is logged in: what `forwardAuth` asks.

    python3 compat/traefik/auth.py PORT

`POST /login` with `name=alice&password=alice` gives a cookie, `session=alice.SIGNATURE`; every other
path answers 200 to those who bring it, and else what the header `X-Want` asks for (401). It tells
what it was asked in headers `X-Asked-*`, so that two gateways can be compared.
"""

from __future__ import annotations

import hashlib
import hmac
import sys
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

KEY = b"of this service alone"


def session(name: str) -> str:
    """The cookie's value of somebody who is logged in."""
    return f"{name}.{hmac.new(KEY, name.encode(), hashlib.sha256).hexdigest()}"


def user(cookies: str) -> str | None:
    """Who has logged in."""
    morsel = SimpleCookie(cookies).get("session")
    name, _, _ = morsel.value.partition(".") if morsel else ("", "", "")
    return name if morsel and hmac.compare_digest(morsel.value, session(name)) else None


class Service(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding"):
            body = self._chunks()
        if self.path == "/login" and self.command == "POST":
            self._log_in(parse_qs(body.decode("utf-8", "replace")))
            return
        name = user("; ".join(self.headers.get_all("Cookie") or []))
        if name is None:
            self._refuse(body)
            return
        given = [("X-Auth-User", name), ("X-Auth-Group", "a"), ("X-Auth-Group", "b"), ("X-Other", "1")]
        given += [("Set-Cookie", "renewed=1; Path=/"), ("Set-Cookie", "other=1")]
        self._send(200, given, b"yes")

    def _log_in(self, form: dict[str, list[str]]) -> None:
        name, password = (form.get(key, [""])[0] for key in ("name", "password"))
        if not name or name != password:
            self._send(401, [], b"no\n")
            return
        self._send(303, [("Location", "/"), ("Set-Cookie", f"session={session(name)}; Path=/")], b"")

    def _refuse(self, body: bytes) -> None:
        status = int(self.headers.get("X-Want") or 401)
        asked = [(f"X-Asked-{name}", value) for name, value in self.headers.items()]
        asked += [("X-Asked", f"{self.command} {self.path}"), ("X-Asked-Body", body.decode())]
        if 300 <= status < 400:
            asked.append(("Location", self.headers.get("X-Place") or "/login?next=a"))
        asked += [("WWW-Authenticate", "Cookie"), ("Set-Cookie", "seen=1"), ("Keep-Alive", "x")]
        self._send(status, asked, b"who are you?\n")

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_: object) -> None:
        """Nothing: the gateways' logs are compared."""


for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE"):
    setattr(Service, f"do_{method}", Service._answer)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
