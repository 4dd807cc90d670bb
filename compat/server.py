"""A `carnet serve all` for one run, and the calls of its admin API that the run needs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

# Long enough for a debug build on a busy machine.
PATIENCE = 60.0


class Server:
    """Runs between `with` and its end, on free ports of the loopback interface."""

    def __init__(self, carnet: str, settings: dict[str, str]):
        public, self._admin_port = _free_port(), _free_port()
        self.issuer = f"http://127.0.0.1:{public}"
        self.token_url = f"{self.issuer}/oauth2/token"
        self.admin = f"http://127.0.0.1:{self._admin_port}"
        self._command = [carnet, "serve", "all", "--dev"]
        self._environment = {
            "PATH": os.environ["PATH"],
            "DSN": "memory",
            "SERVE_PUBLIC_HOST": "127.0.0.1",
            "SERVE_PUBLIC_PORT": str(public),
            "SERVE_ADMIN_HOST": "127.0.0.1",
            "SERVE_ADMIN_PORT": str(self._admin_port),
            "URLS_SELF_ISSUER": self.issuer,
            "LOG_LEVEL": "error",
            **settings,
        }

    def __enter__(self) -> Server:
        # Who is told to stop takes the server along.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdin=subprocess.DEVNULL
        )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def create_client(self, client: dict[str, Any]) -> dict[str, Any]:
        """Registers a client and tells what the server made of it."""
        return self._admin("/admin/clients", client)

    def create_key(self, name: str, algorithm: str) -> dict[str, Any]:
        """A private key; the server makes it, so that nobody else has to know how."""
        body = {"alg": algorithm, "kid": name, "use": "sig"}
        return self._admin(f"/admin/keys/{name}", body)["keys"][0]

    def trust(self, issuer: str, key: dict[str, Any], scopes: list[str]) -> None:
        """Believes what a key signs in the name of an issuer, whoever it is about."""
        self._admin("/admin/trust/grants/jwt-bearer/issuers", {
            "issuer": issuer,
            "allow_any_subject": True,
            "scope": scopes,
            "jwk": key,
            "expires_at": "2100-01-01T00:00:00Z",
        })  # fmt: skip

    def is_active(self, token: str) -> bool:
        """What introspection says of a token."""
        return self.introspect(token)["active"]

    def introspect(self, token: str) -> dict[str, Any]:
        """All of it."""
        return self._admin("/admin/oauth2/introspect", f"token={token}")

    def _admin(self, path: str, body: dict[str, Any] | str) -> dict[str, Any]:
        is_form = isinstance(body, str)
        kind = "application/x-www-form-urlencoded" if is_form else "application/json"
        data = (body if is_form else json.dumps(body)).encode()
        request = urllib.request.Request(
            f"{self.admin}{path}", data, {"Content-Type": kind}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended with {self._process.returncode}")
            try:
                with urllib.request.urlopen(f"{self.issuer}/health/ready", timeout=5):
                    return
            except (OSError, urllib.error.URLError):
                time.sleep(0.02)
        raise RuntimeError(f"the server is not ready after {PATIENCE:.0f} s")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
