"""Which library logs people in as which client, and what must come of it."""

from __future__ import annotations

import contextlib
import http.cookiejar
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import programs
from case import Case
from programs import Library
from server import Server

# What each program tells, in its order.
PARTS = ("subject", "userinfo", "refreshed", "left", "again")
SECRET = "traefiklabs"
# Nobody listens there: that is where the browser stops.
CALLBACK, BYE = "http://127.0.0.1:9/callback", "http://127.0.0.1:9/bye"
# Whom the consent application logs in.
WHO = "foo@bar.com"


def play(carnet: str, libraries: list[Library]) -> list[Case]:
    """Logs in, asks who it is, refreshes, logs out, and shows the code once more: as every kind of
    client, public ones too."""
    port = _free_port()
    pages = {f"URLS_{name.upper()}": f"http://127.0.0.1:{port}/{name}" for name in programs.PAGES}
    settings = {**pages, "AUDIT_FILE": os.devnull}
    with Server(carnet, settings) as server, _consent(carnet, server, port):
        cases = []
        for library in libraries:
            asked = [_case(server, library, method) for method in library.methods]
            clients = [{"name": str(at), **case.client} for at, case in enumerate(asked)]
            outcomes = programs.converse(library.command, _plan(server, clients), browse)
            for at, case in enumerate(asked):
                judge(case, outcomes.get(str(at), {}))
            cases += asked
        return cases


def judge(case: Case, outcome: dict[str, str]) -> None:
    """Takes what a library got."""
    wanted = {"subject": WHO, "userinfo": WHO, "again": "invalid_grant"}
    for part in PARTS:
        told = outcome.get(part, "")
        is_right = told == wanted[part] if part in wanted else bool(told)
        if part == "left":
            is_right = told.startswith(f"{BYE}?state=")
        case.judge(part, is_right, outcome.get("error") or told)


def browse(address: str) -> str:
    """Follows where a browser is sent, with its cookies, until it is sent to the client."""
    jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(_NoProxy, jar, _Stops)
    try:
        with browser.open(address, timeout=30) as answer:
            return answer.url
    except _Arrived as arrived:
        return arrived.address
    except urllib.error.HTTPError as error:
        return error.url


class _Arrived(Exception):
    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class _Stops(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but not to the client."""

    def redirect_request(self, *redirect: Any) -> urllib.request.Request | None:
        address = redirect[-1]
        if address.startswith((CALLBACK, BYE)):
            raise _Arrived(address)
        return super().redirect_request(*redirect)


_NoProxy = urllib.request.ProxyHandler({})


def _plan(server: Server, clients: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "issuer": server.issuer,
        "redirect_uri": CALLBACK,
        "post_logout_redirect_uri": BYE,
        "scopes": ["openid", "offline"],
        "clients": clients,
    }


def _case(server: Server, library: Library, method: str) -> Case:
    registered = {
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "openid offline",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [BYE],
        "token_endpoint_auth_method": method,
    }
    secret = {} if method == "none" else {"client_secret": SECRET}
    made = server.create_client({**registered, **secret})["client_id"]
    client = {"id": made, "method": method, "secret": secret.get("client_secret")}
    return Case(library.name, method, "code flow", client)


@contextlib.contextmanager
def _consent(carnet: str, server: Server, port: int) -> Iterator[None]:
    """The application that says yes."""
    command = [carnet, "consent", "-a", server.admin, "-b", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        command,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        yield
    finally:
        process.kill()
        process.wait()


def _wait(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit("error: the consent application does not listen")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
