"""F18: the server is killed while clients are created, rotated, revoked and deleted."""

from __future__ import annotations

import random
import time

from authserver import Authserver, damages, sqlite_dsn
from history import UNKNOWN, History, unexplained
from stage import Stage, at_once

WRITERS = 4
KILLS = {"short": 15, "long": 500}


def play(stage: Stage) -> dict[str, float]:
    """Kills again and again; after each restart, what was answered is held against what is there."""
    chance = random.Random(stage.seed)
    file = stage.folder / "db.sqlite"
    history, restarts, found = History(), [], 0
    with Authserver(stage.carnet, stage.folder, sqlite_dsn(file)) as server:
        server.migrate()
        server.start()
        for cycle in range(KILLS[stage.form]):
            lives = [Life(server, history, f"{cycle}-{at}") for at in range(WRITERS)]
            _kill_amid(server, lives, chance.uniform(0, 0.02))
            restarts.append(server.start())
            found += damages(file)
            at_once([life.look_back for life in lives])
        panics = server.panics()
    answered = [each for each in history.operations if each.result != UNKNOWN]
    return {
        "kills": len(restarts),
        "answered": len(answered),
        "unanswered": len(history.operations) - len(answered),
        "unexplained": len(unexplained(history)),
        "damages": found,
        "restart_max_s": max(restarts),
        "panics": panics,
    }


def _kill_amid(server: Authserver, lives: list[Life], seconds: float) -> None:
    def kill() -> None:
        time.sleep(seconds)
        server.kill()

    at_once([*(life.live for life in lives), kill])


class Life:
    """Clients one after the other, each from its creation to its end, until nobody answers."""

    def __init__(self, server: Authserver, history: History, name: str) -> None:
        self.server, self.history, self.name = server, history, name
        self.secrets: dict[str, list[str]] = {}
        self.tokens: dict[str, list[str]] = {}

    def live(self) -> None:
        """Ends with the first call that has no answer."""
        for at in range(1_000):
            key = f"{self.name}-{at}"
            self.secrets[key], self.tokens[key] = [], []
            # Every third client is left as it is.
            steps = [self.create, self.token, self.rotate, self.token, self.revoke, self.delete]
            for step in steps[:4] if at % 3 == 2 else steps:
                if step(key) == UNKNOWN:
                    return

    def look_back(self) -> None:
        """Asks for everything that was ever said about the clients."""
        for key, secrets in self.secrets.items():
            for secret in secrets or ["none"]:
                self._ask_token(key, secret)
            for token in self.tokens[key]:
                self._introspect(key, token)

    def create(self, key: str) -> str:
        return self._write(key, "create", lambda: self.server.create(key), 201)

    def rotate(self, key: str) -> str:
        path = f"/admin/clients/{key}/secrets/rotate"
        return self._write(key, "rotate", lambda: self.server.ask_admin("POST", path), 200)

    def delete(self, key: str) -> str:
        path = f"/admin/clients/{key}"
        return self._write(key, "delete", lambda: self.server.ask_admin("DELETE", path), 204)

    def token(self, key: str) -> str:
        return self._ask_token(key, self.secrets[key][-1])

    def revoke(self, key: str) -> str:
        token, secret = self.tokens[key][0], self.secrets[key][-1]

        def call() -> str:
            return _word(self.server.revoke(key, secret, token), {200: "done", 401: "refused"})

        return self.history.record(key, "revoke", token, call)

    def _write(self, key: str, name: str, ask, success: int) -> str:
        """The secret that comes back is the write's name in the history; without one, its own."""
        # A secret that nobody got to see is another one each time.
        secret = f"unseen-{time.monotonic_ns()}"
        words = {success: "done", 404: "missing", 409: "conflict"}
        answer = None

        def call() -> str:
            nonlocal answer, secret
            answer = ask()
            if name != "delete" and answer.status == success:
                secret = answer.json()["client_secret"]
                self.secrets[key].append(secret)
            return _word(answer, words)

        return self.history.record(key, name, lambda: secret, call)

    def _ask_token(self, key: str, secret: str) -> str:
        def call() -> str:
            answer = self.server.token(key, secret)
            if answer.status == 200:
                self.tokens[key].append(answer.json()["access_token"])
            return _word(answer, {200: "granted", 401: "refused"})

        return self.history.record(key, "token", secret, call)

    def _introspect(self, key: str, token: str) -> str:
        def call() -> str:
            answer = self.server.introspect(token)
            active = answer.status == 200 and answer.json()["active"]
            return _word(answer, {200: "active" if active else "inactive"})

        return self.history.record(key, "introspect", token, call)


def _word(answer, words: dict[int, str]) -> str:
    """Who is told to come back does not know what happened."""
    if answer.status in (429, 503):
        return UNKNOWN
    return words.get(answer.status, f"{answer.status}")
