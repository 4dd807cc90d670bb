"""A provider of tokens and a backend that looks at them, in one program: what stands around a gateway
whose tokens are measured.

    python3 tokens_world.py PROVIDER_PORT BACKEND_PORT LIFE_S DELAY_S

`POST /token` gives a JWT about its client, `POST /introspect` says of every token that it is active. Everything else at the backend's port is served, and the
token looked at: whose it is, and whether it has ended. `GET /report` at the provider's port tells when
the provider was called for tokens, how often it was asked about one, and how many tokens were wrong.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from urllib.parse import parse_qs

# Claims of a usual size.
SCOPES = " ".join(f"orders:{word}" for word in ("read", "write", "cancel", "refund", "list"))


def part(value: object) -> str:
    """A part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


HEADER, SIGNATURE = part({"alg": "RS256", "kid": "bench", "typ": "JWT"}), "s" * 342


class World:
    """What happened so far."""

    def __init__(self, life: float, delay: float) -> None:
        self.life, self.delay = life, delay
        self.calls: list[float] = []
        self.seen = self.expired = self.wrong = self.asked = 0

    def token(self, client: str) -> str:
        """A new one."""
        now = time.time()
        claims = {
            "iss": "https://as.example", "aud": ["https://api.example"], "sub": client,
            "client_id": client, "scope": SCOPES, "iat": int(now), "exp": now + self.life,
            "jti": str(len(self.calls)),
        }  # fmt: skip
        return f"{HEADER}.{part(claims)}.{SIGNATURE}"

    def look(self, fields: dict[str, str]) -> None:
        """One request at the backend."""
        self.seen += 1
        try:
            payload = fields["authorization"].removeprefix("Bearer ").split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        except (KeyError, IndexError, ValueError):
            self.wrong += 1
            return
        self.wrong += claims["sub"] != fields.get("x-client", claims["sub"])
        self.expired += claims["exp"] <= time.time()

    def report(self) -> bytes:
        """All of it."""
        told = {"calls": self.calls, "seen": self.seen, "expired": self.expired, "wrong": self.wrong}
        told["asked"] = self.asked
        return json.dumps(told).encode()


class Connection(asyncio.Protocol):
    """HTTP/1.1 with bodies of a known length, one request after the other."""

    def __init__(self, world: World, is_provider: bool) -> None:
        self.world, self.is_provider = world, is_provider
        self.data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            line, *rows = self.data[:end].decode("latin-1").split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
            whole = end + 4 + int(fields.get("content-length", 0))
            if len(self.data) < whole:
                return
            body, self.data = self.data[end + 4 : whole], self.data[whole:]
            self.answer(line.split(" ")[1], fields, body)

    def answer(self, target: str, fields: dict[str, str], body: bytes) -> None:
        """One request."""
        if not self.is_provider:
            self.world.look(fields)
            self.send(b"ok", "text/plain")
        elif target == "/token":
            self.world.calls.append(time.time())
            answer = {
                "access_token": self.world.token(client(fields, body)),
                "token_type": "bearer",
                "expires_in": int(self.world.life),
            }
            loop = asyncio.get_running_loop()
            loop.call_later(self.world.delay, self.send, json.dumps(answer).encode())
        elif target == "/introspect":
            self.world.asked += 1
            answer = {"active": True, "sub": "bench", "exp": int(time.time() + self.world.life)}
            self.send(json.dumps(answer).encode())
        else:
            self.send(self.world.report())

    def send(self, body: bytes, kind: str = "application/json") -> None:
        """An answer."""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


def client(fields: dict[str, str], body: bytes) -> str:
    """Who asks, whichever way it says so."""
    shown = fields.get("authorization", "")
    if shown.startswith("Basic "):
        return base64.b64decode(shown.removeprefix("Basic ")).decode().split(":")[0]
    return parse_qs(body.decode()).get("client_id", [""])[0]


async def main(provider: int, backend: int, life: float, delay: float) -> None:
    world, loop = World(life, delay), asyncio.get_running_loop()
    for port, is_provider in ((provider, True), (backend, False)):
        make = lambda is_provider=is_provider: Connection(world, is_provider)  # noqa: E731
        await loop.create_server(make, "127.0.0.1", port, backlog=4096)
    await asyncio.Event().wait()


if __name__ == "__main__":
    _, *words = sys.argv
    asyncio.run(main(int(words[0]), int(words[1]), float(words[2]), float(words[3])))
