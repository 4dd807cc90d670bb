"""Requests that fail to authenticate, each for a cause of its own, and requests that do not."""

from __future__ import annotations

import base64
from typing import Any

from server import Server

CHOSEN = "a-secret-that-somebody-chose"


class Requests:
    """The bytes of each request. They have the same form and the same lengths, whatever the cause:
    who sends them knows those, and only what the server knows is to stay hidden."""

    def __init__(self, server: Server):
        self._host = server.issuer.removeprefix("http://")
        generated = server.create_client(_client())
        secret = generated["client_secret"]
        picked = (CHOSEN * 4)[: len(secret)]
        chosen = server.create_client(_client(client_secret=picked))
        posts = server.create_client(_client(token_endpoint_auth_method="client_secret_post"))
        # As long as the right ones: nothing is to be learned from lengths.
        wrong = secret[::-1] if secret != secret[::-1] else secret[:-1] + "~"
        unknown = generated["client_id"][::-1]
        self.causes = {
            "unknown id": self._basic(unknown, wrong),
            "wrong generated secret": self._basic(generated["client_id"], wrong),
            "wrong chosen secret": self._basic(chosen["client_id"], picked[::-1]),
            "wrong method": self._basic(posts["client_id"], posts["client_secret"]),
        }
        self.load = [
            self._basic(generated["client_id"], secret),
            self._basic(chosen["client_id"], picked),
            self._basic(chosen["client_id"], picked[::-1]),
            self._basic(unknown, wrong),
        ]

    def _basic(self, client: str, secret: str) -> bytes:
        pair = base64.b64encode(f"{client}:{secret}".encode()).decode()
        body = "grant_type=client_credentials"
        return (
            f"POST /oauth2/token HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Authorization: Basic {pair}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def _client(**more: str) -> dict[str, Any]:
    method = {"token_endpoint_auth_method": "client_secret_basic"}
    return {"grant_types": ["client_credentials"], **method, **more}
