"""Requests that fail to authenticate, each for a cause of its own, and requests that do not."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

from server import Server

GRANT = {"grant_type": "client_credentials"}
CHOSEN = "a-secret-that-somebody-chose"


class Requests:
    """The bytes of each request."""

    def __init__(self, server: Server):
        self._host = server.issuer.removeprefix("http://")
        generated = server.create_client(_client())
        chosen = server.create_client(_client(client_secret=CHOSEN))
        secret = generated["client_secret"]
        # As long as the right ones: nothing is to be learned from lengths.
        wrong = secret[::-1] if secret != secret[::-1] else secret[:-1] + "~"
        unknown = generated["client_id"][::-1]
        self.causes = {
            "unknown id": self._basic(unknown, wrong),
            "wrong generated secret": self._basic(generated["client_id"], wrong),
            "wrong chosen secret": self._basic(chosen["client_id"], CHOSEN[::-1]),
            "wrong method": self._post(generated["client_id"], secret),
        }
        self.load = [
            self._basic(generated["client_id"], secret),
            self._basic(chosen["client_id"], CHOSEN),
            self._basic(chosen["client_id"], CHOSEN[::-1]),
            self._basic(unknown, wrong),
        ]

    def _basic(self, client: str, secret: str) -> bytes:
        pair = base64.b64encode(f"{client}:{secret}".encode()).decode()
        return self._request(GRANT, f"Authorization: Basic {pair}\r\n")

    def _post(self, client: str, secret: str) -> bytes:
        return self._request({**GRANT, "client_id": client, "client_secret": secret}, "")

    def _request(self, form: dict[str, str], fields: str) -> bytes:
        body = urlencode(form)
        return (
            f"POST /oauth2/token HTTP/1.1\r\nHost: {self._host}\r\n{fields}"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def _client(**more: str) -> dict[str, Any]:
    method = {"token_endpoint_auth_method": "client_secret_basic"}
    return {"grant_types": ["client_credentials"], **method, **more}
