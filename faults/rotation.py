"""No fault, but what looks like one where it is done badly: the signing key changes by its schedule
while two servers on one PostgreSQL are busy, and a verifier keeps the key set for five minutes, as
real ones do, whatever it meets meanwhile."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import time

from authserver import Authserver, Caller
from postgres import Cluster
from stage import Stage, at_once

SECONDS = {"short": 3, "long": 13 * 60}
REQUESTS_PER_S = {"short": 100, "long": 520}
CALLERS = 8
# The shortest times that the server takes: a key signs for a minute alone, then the next is there.
SCHEDULE = {"JWKS_ROTATION_EVERY": "6m", "JWKS_ROTATION_PUBLISH_AHEAD": "5m"}
KEPT_S = 300
# The words before a SHA-256 digest in a signature (RFC 8017 9.2, note 1).
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def play(stage: Stage) -> dict[str, float]:
    """Asks both servers without a pause and verifies every token, at once and again later."""
    cluster = Cluster.new()
    settings = {**SCHEDULE, "JWKS_ALGORITHM": "RS256", "TTL_ACCESS_TOKEN": "10m"}
    servers = [
        Authserver(stage.carnet, stage.folder, cluster.dsn(), settings) for _ in range(2)
    ]
    try:
        with servers[0], servers[1]:
            servers[0].migrate()
            for server in servers:
                server.start()
            return _busy(servers, stage)
    finally:
        cluster.drop()


def _busy(servers: list[Authserver], stage: Stage) -> dict[str, float]:
    secret = servers[0].create("a").json()["client_secret"]
    # The first key is made for the first token.
    servers[0].token("a", secret)
    callers = [
        Asking(servers[at % 2], secret, Verifier(servers, at), random.Random(stage.seed + at))
        for at in range(CALLERS)
    ]
    rate, seconds = REQUESTS_PER_S[stage.form] / CALLERS, SECONDS[stage.form]
    began = time.monotonic()
    at_once([lambda asking=asking: asking.go_on(rate, seconds) for asking in callers])
    took = time.monotonic() - began
    requests = sum(asking.answered for asking in callers)
    return {
        "requests": requests,
        "requests_per_s": requests / took,
        "requests_lost": sum(asking.lost for asking in callers),
        "verifications": sum(asking.verifier.asked for asking in callers),
        "tokens_not_verified": sum(asking.verifier.failed for asking in callers),
        "keys_that_signed": len(set().union(*(asking.verifier.met for asking in callers))),
        "panics": sum(server.panics() for server in servers),
    }


class Verifier:
    """A server for resources: it has a key set, and asks for it again when it is five minutes old."""

    def __init__(self, servers: list[Authserver], which: int) -> None:
        self.servers, self.caller = servers, Caller()
        self.keys: dict[str, tuple[int, int]] = {}
        self.until = float("-inf")
        # Verifiers do not all ask at the same time.
        self.keeps = KEPT_S * (which + 1) / CALLERS
        self.asked = self.failed = 0
        self.met: set[str] = set()

    def verify(self, token: str) -> float:
        """When the token ends. What cannot be verified is counted."""
        self._refresh()
        self.asked += 1
        signed, _, signature = token.rpartition(".")
        header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
        self.met.add(header["kid"])
        key = self.keys.get(header["kid"])
        self.failed += key is None or not _is_signed(key, signed.encode(), _decoded(signature))
        return claims["exp"]

    def _refresh(self) -> None:
        if time.monotonic() < self.until:
            return
        # Now one of the two, now the other.
        self.servers = self.servers[::-1]
        port = self.servers[0].public
        answer = self.caller.call(port, "GET", "/.well-known/jwks.json", b"", {}).json()
        self.keys = {
            key["kid"]: tuple(int.from_bytes(_decoded(key[part]), "big") for part in "ne")
            for key in answer["keys"]
            if key["kty"] == "RSA"
        }
        self.until = time.monotonic() + self.keeps
        self.keeps = KEPT_S


class Asking:
    """One that asks a server for tokens, again and again, at a steady pace."""

    def __init__(
        self, server: Authserver, secret: str, verifier: Verifier, chance: random.Random
    ) -> None:
        self.server, self.secret, self.verifier, self.chance = server, secret, verifier, chance
        self.answered = self.lost = 0
        # Some of the tokens, which are shown again until they end.
        self.kept: list[tuple[str, float]] = []

    def go_on(self, rate: float, seconds: float) -> None:
        """So many requests a second, for so long."""
        began = time.monotonic()
        for at in range(int(rate * seconds)):
            time.sleep(max(0.0, began + at / rate - time.monotonic()))
            self._once()

    def _once(self) -> None:
        try:
            answer = self.server.token("a", self.secret)
        except OSError:
            self.lost += 1
            return
        if answer.status != 200:
            self.lost += 1
            return
        self.answered += 1
        token = answer.json()["access_token"]
        end = self.verifier.verify(token)
        if self.chance.random() < 0.05:
            self.kept.append((token, end))
            self.kept = [kept for kept in self.kept if kept[1] > time.time()]
            self.verifier.verify(self.chance.choice(self.kept)[0])


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _is_signed(key: tuple[int, int], signed: bytes, signature: bytes) -> bool:
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 8.2.2)."""
    modulus, exponent = key
    size = (modulus.bit_length() + 7) // 8
    digest = DIGEST_INFO + hashlib.sha256(signed).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    found = pow(int.from_bytes(signature, "big"), exponent, modulus)
    return len(signature) == size and found.to_bytes(size, "big") == padded
