"""Clients whose whole life is written down: created, used, rotated, revoked, deleted."""

from __future__ import annotations

import time
from typing import Callable

from authserver import Answer, Authserver
from history import UNKNOWN, History

# Who is told to come back does not know what happened.
LATER = (429, 503)


class Life:
    """Clients one after the other, each from its creation to its end."""

    def __init__(self, server: Authserver, history: History, name: str) -> None:
        self.server, self.history, self.name = server, history, name
        self.secrets: dict[str, list[str]] = {}
        self.tokens: dict[str, list[str]] = {}

    def live(self, goes_on: Callable[[str], bool]) -> None:
        """Until the result of a step ends it. Every third client is left as it is; one whose step
        had no answer too."""
        number, goes = 0, True
        while goes:
            key = f"{self.name}-{number}"
            self.secrets[key], self.tokens[key] = [], []
            steps = [self.create, self.token, self.rotate, self.token, self.revoke, self.delete]
            for step in steps[:4] if number % 3 == 2 else steps:
                result = step(key)
                goes = goes_on(result)
                if not goes or result == UNKNOWN:
                    break
            number += 1

    def look_back(self) -> None:
        """Asks for everything that was ever said about the clients."""
        for key, secrets in self.secrets.items():
            for secret in secrets or ["none"]:
                self._ask_token(key, secret)
            for token in list(self.tokens[key]):
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

    def _write(self, key: str, name: str, ask: Callable[[], Answer], success: int) -> str:
        """A write is known by the secret that came back."""
        # One that nobody got to see is another one each time.
        secret = f"unseen-{time.monotonic_ns()}"
        words = {success: "done", 404: "missing", 409: "conflict"}

        def call() -> str:
            nonlocal secret
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


def _word(answer: Answer, words: dict[int, str]) -> str:
    if answer.status in LATER:
        return UNKNOWN
    # A status that nobody expects is a word that no order of events explains.
    return words.get(answer.status, str(answer.status))
