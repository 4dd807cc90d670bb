"""F25: somebody guesses secrets of a hundred thousand clients, whose own callers go on."""

from __future__ import annotations

import asyncio
import base64
import random
import sqlite3
import time
from collections import Counter
from pathlib import Path

from authserver import Authserver, sqlite_dsn
from stage import Stage, at_once, percentile

CLIENTS = {"short": 1_000, "long": 100_000}
GUESSES_PER_S = {"short": 200, "long": 500}
SECONDS = {"short": 3, "long": 60}
# Right calls a second, of clients with generated secrets and with chosen ones.
CALLS_PER_S = 50
CHOSEN = "a-secret-that-somebody-chose"


def play(stage: Stage) -> dict[str, float]:
    """The right callers alone, then the same beside the guesses."""
    file, seconds = stage.folder / "db.sqlite", SECONDS[stage.form]
    with Authserver(stage.carnet, stage.folder, sqlite_dsn(file)) as server:
        server.migrate()
        server.start()
        secrets = {f"right-{at}": server.create(f"right-{at}") for at in range(20)}
        secrets = {name: made.json()["client_secret"] for name, made in secrets.items()}
        for name in ("template", "chosen-0", "chosen-1", "chosen-2"):
            server.create(name, client_secret=CHOSEN)
            secrets[name] = CHOSEN
        server.end()
        _copy(file, "template", CLIENTS[stage.form])
        server.start()
        callers = Callers(server, secrets, random.Random(stage.seed))
        # A chosen secret is hashed slowly once.
        callers.once()
        quiet = callers.call_for(min(seconds, 10))
        guesses = Guesses(server, GUESSES_PER_S[stage.form], CLIENTS[stage.form], stage.seed)
        before = server.cpu_seconds()
        times: list[float] = []
        at_once([lambda: times.extend(callers.call_for(seconds)), lambda: guesses.run(seconds)])
        used = server.cpu_seconds() - before
        return {
            "clients": CLIENTS[stage.form] + len(secrets),
            "guesses": sum(guesses.statuses.values()),
            "guesses_refused": guesses.statuses[401],
            "guesses_turned_away": guesses.statuses[429],
            "guesses_unexpected": guesses.unexpected(),
            "right_calls": len(times),
            "right_calls_lost": callers.lost,
            "right_p99_ratio": percentile(times, 0.99) / percentile(quiet, 0.99),
            "cores_used": used / seconds,
            "memory_mib": server.memory(),
            "panics": server.panics(),
        }


def _copy(file: Path, name: str, count: int) -> None:
    """A client again and again, under other names: to hash so many secrets would take an hour."""
    with sqlite3.connect(file) as database:
        database.row_factory = sqlite3.Row
        row = dict(database.execute("SELECT * FROM client WHERE id = ?", [name]).fetchone())
        columns = ", ".join(row)
        marks = ", ".join("?" * len(row))
        copies = (_renamed(row, name, f"guessed-{at}") for at in range(count))
        database.executemany(f"INSERT INTO client ({columns}) VALUES ({marks})", copies)
    database.close()


def _renamed(row: dict, old: str, new: str) -> list:
    def renamed(value: object) -> object:
        return value.replace(old, new) if isinstance(value, str) else value

    return [renamed(value) for value in row.values()]


class Callers:
    """Those who have the right secrets."""

    def __init__(self, server: Authserver, secrets: dict[str, str], chance: random.Random) -> None:
        self.server, self.secrets, self.chance = server, secrets, chance
        self.lost = 0

    def once(self) -> None:
        """Everybody once."""
        for name in self.secrets:
            self._call(name)

    def call_for(self, seconds: float) -> list[float]:
        """At an even pace; how long each call took, in seconds."""
        began, taken = time.monotonic(), []
        names = list(self.secrets)
        while (now := time.monotonic()) < began + seconds:
            taken.append(self._call(self.chance.choice(names)))
            time.sleep(max(0.0, now + 1 / CALLS_PER_S - time.monotonic()))
        return taken

    def _call(self, name: str) -> float:
        began = time.perf_counter()
        try:
            self.lost += self.server.token(name, self.secrets[name]).status != 200
        except OSError:
            self.lost += 1
        return time.perf_counter() - began


class Guesses:
    """Wrong secrets at an even pace, however slowly they are answered."""

    def __init__(self, server: Authserver, per_second: int, clients: int, seed: int) -> None:
        self.port, self.per_second, self.clients = server.public, per_second, clients
        self.chance = random.Random(seed)
        self.statuses: Counter[int] = Counter()

    def run(self, seconds: float) -> None:
        """Until the last one is answered."""
        asyncio.run(self._run(seconds))

    def unexpected(self) -> int:
        """Guesses that were right, failed the server or had no answer."""
        return sum(count for status, count in self.statuses.items() if status not in (401, 429))

    async def _run(self, seconds: float) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for at in range(int(seconds * self.per_second)):
                await asyncio.sleep(max(0.0, began + at / self.per_second - time.monotonic()))
                group.create_task(self._guess(at))

    async def _guess(self, at: int) -> None:
        name = f"guessed-{self.chance.randrange(self.clients)}"
        basic = base64.b64encode(f"{name}:guess-{at}".encode()).decode()
        body = "grant_type=client_credentials"
        request = (
            f"POST /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            f"Authorization: Basic {basic}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
        )
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(request.encode())
            answer = await asyncio.wait_for(reader.read(), 30)
            writer.close()
            self.statuses[int(answer.split(b" ", 2)[1])] += 1
        except (OSError, IndexError, ValueError, asyncio.TimeoutError):
            self.statuses[0] += 1
