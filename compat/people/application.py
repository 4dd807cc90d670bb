"""The client that people use: an application that logs people in with carnet, and out again."""

from __future__ import annotations

import base64
import hashlib
import html
import http.client
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

HYDRA = "hydra.docker.localhost"
HOST = "application.docker.localhost"
SECRET = "the-secret-of-the-application"
PORT = 9010
CALLBACK = f"http://{HOST}/callback"
# The client as it is registered.
CLIENT = {
    "client_name": "application",
    "client_secret": SECRET,
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": "openid offline",
    "redirect_uris": [CALLBACK],
    "post_logout_redirect_uris": [f"http://{HOST}/bye"],
    "frontchannel_logout_uri": f"http://{HOST}/left",
}


class Application:
    """What it knows of those who came: tokens by `state`, and who it was told has left."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.begun: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, dict[str, Any]] = {}
        self.last: dict[str, Any] = {}
        self.left: list[dict[str, str]] = []

    def begin(self, more: dict[str, str]) -> str:
        """Where a browser goes to log in."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        digest = hashlib.sha256(verifier.encode()).digest()
        self.begun[state] = {"nonce": nonce, "verifier": verifier}
        return address("/oauth2/auth", {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": CALLBACK,
            "scope": "openid offline", "state": state, "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256", **more,
        })  # fmt: skip

    def take(self, told: dict[str, str]) -> str:
        """What a browser brought back, as a sentence of the page. A code that comes again is sent
        again, which careful clients would not do."""
        begun = self.begun.get(told.get("state", ""))
        if "error" in told or begun is None:
            return told.get("error", "this was not begun here")
        status, tokens = self.ask("/oauth2/token", {
            "grant_type": "authorization_code", "code": told["code"], "redirect_uri": CALLBACK,
            "code_verifier": begun["verifier"],
        })  # fmt: skip
        if status != 200:
            return tokens["error"]
        claims = payload(tokens["id_token"])
        if claims["nonce"] != begun["nonce"] or claims["aud"] != [self.client_id]:
            return "the id token is not mine"
        self.last = self.tokens[told["state"]] = tokens
        return claims["sub"]

    def refresh(self, tokens: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """New tokens for the refresh token of these."""
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        return self.ask("/oauth2/token", form)

    def userinfo(self, tokens: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What the server says of the bearer of these tokens."""
        return call("GET", "/userinfo", {"Authorization": f"Bearer {tokens['access_token']}"})

    def ask(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Asks the server as this client, through the gateway."""
        pair = base64.b64encode(f"{self.client_id}:{SECRET}".encode()).decode()
        kind = "application/x-www-form-urlencoded"
        headers = {"Authorization": f"Basic {pair}", "Content-Type": kind}
        return call("POST", path, headers, urlencode(form))

    def leave(self) -> str:
        """Where a browser goes to log out."""
        hint = {"id_token_hint": self.last["id_token"]}
        more = {"post_logout_redirect_uri": f"http://{HOST}/bye", "state": "a-state-of-leaving"}
        return address("/oauth2/sessions/logout", {**hint, **more})

    def serve(self) -> None:
        """Serves its pages, beside whatever else this program does."""
        pages = type("Pages", (_Pages,), {"application": self})
        server = ThreadingHTTPServer(("127.0.0.1", PORT), pages)
        threading.Thread(target=server.serve_forever, daemon=True).start()


class _Pages(BaseHTTPRequestHandler):
    application: Application

    def do_GET(self) -> None:  # noqa: N802
        url = urlsplit(self.path)
        told = dict(parse_qsl(url.query))
        application = self.application
        if url.path == "/":
            self._page("An application", '<a id="in" href="/in">Log in</a>')
        elif url.path == "/in":
            self._onward(application.begin(told))
        elif url.path == "/callback":
            self._came(told)
        elif url.path == "/out":
            self._onward(application.leave())
        elif url.path == "/bye":
            self._page("Goodbye", f'<p id="state">{html.escape(told.get("state", ""))}</p>')
        elif url.path == "/left":
            application.left.append(told)
            self._page("Left", "")
        else:
            self.send_error(404)

    def do_POST(self) -> None:  # noqa: N802
        length = int(self.headers.get("Content-Length", 0))
        self._came(dict(parse_qsl(self.rfile.read(length).decode())))

    def _came(self, told: dict[str, str]) -> None:
        said = html.escape(self.application.take(told))
        self._page("Welcome", f'<p id="who">{said}</p><a id="out" href="/out">Log out</a>')

    def _page(self, heading: str, body: str) -> None:
        text = f"<!doctype html><title>{heading}</title><h1>{heading}</h1>{body}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _onward(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing of requests."""


def address(path: str, parameters: dict[str, str]) -> str:
    """An address of the server, as browsers know it."""
    return f"http://{HYDRA}{path}?{urlencode(parameters)}"


def payload(token: str) -> dict[str, Any]:
    """The claims of a token, unverified: it came from the server itself."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def call(
    method: str, path: str, headers: dict[str, str], body: str | None = None
) -> tuple[int, dict[str, Any]]:
    """A request to the server through the gateway, whose name not every resolver knows."""
    connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=20)
    try:
        connection.request(method, path, body, {"Host": HYDRA, **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    finally:
        connection.close()
