"""F24: a hundred thousand clients in one SQLite file."""

from __future__ import annotations

import random
import re
import time
from typing import Callable

from authserver import Answer, Authserver, sqlite_dsn
from stage import Stage, at_once, percentile

CLIENTS = {"short": 1_000, "long": 100_000}
LOOKUPS = {"short": 200, "long": 5_000}
SECONDS = {"short": 1, "long": 300}
WRITERS = 8
PAGE = 500


def play(stage: Stage) -> dict[str, float]:
    """Fills the file through the admin API, then looks around in it."""
    count = CLIENTS[stage.form]
    chance = random.Random(stage.seed)
    file = stage.folder / "db.sqlite"
    with Authserver(stage.carnet, stage.folder, sqlite_dsn(file)) as server:
        server.migrate()
        server.start()
        began = time.monotonic()
        secrets = _create(server, count)
        created_in = time.monotonic() - began
        names = list(secrets)

        def look_up() -> Answer:
            return server.ask_admin("GET", f"/admin/clients/{chance.choice(names)}")

        def token() -> Answer:
            name = chance.choice(names)
            return server.token(name, secrets[name])

        lookups = _times(LOOKUPS[stage.form], look_up)
        tokens = _times_for(SECONDS[stage.form], token)
        last, listed = _last_page(server)
        pages = _times(100, lambda: server.ask_admin("GET", last))
        numbered = f"/admin/clients?limit=250&offset={count - 250}"
        numbered_pages = _times(100, lambda: server.ask_admin("GET", numbered))
        return {
            "clients": count,
            "listed": listed / count,
            "created_per_s": count / created_in,
            "lookup_p99_ms": percentile(lookups, 0.99),
            "tokens": len(tokens),
            "token_p99_ms": percentile(tokens, 0.99),
            "last_page_p99_ms": percentile(pages, 0.99),
            "last_numbered_page_p99_ms": percentile(numbered_pages, 0.99),
            "memory_mib": server.memory(),
            "panics": server.panics(),
        }


def _create(server: Authserver, count: int) -> dict[str, str]:
    """Creates clients from several sides at once; each must succeed."""
    secrets: dict[str, str] = {}

    def write(at: int) -> None:
        for number in range(at, count, WRITERS):
            name = f"client-{number:06}"
            answer = _good(server.create(name), 201)
            secrets[name] = answer.json()["client_secret"]

    at_once([lambda at=at: write(at) for at in range(WRITERS)])
    return secrets


def _last_page(server: Authserver) -> tuple[str, int]:
    """Walks from page to page; the address of the last one, and how many clients there were."""
    path, listed = f"/admin/clients?page_size={PAGE}", 0
    while True:
        answer = _good(server.ask_admin("GET", path), 200)
        listed += len(answer.json())
        following = re.search(r'<([^>]*)>; rel="next"', answer.headers.get("link", ""))
        if not following:
            return path, listed
        path = following[1]


def _times(count: int, ask: Callable[[], Answer]) -> list[float]:
    """How long each of so many calls took, in milliseconds."""
    return [_timed(ask) for _ in range(count)]


def _times_for(seconds: float, ask: Callable[[], Answer]) -> list[float]:
    taken, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        taken.append(_timed(ask))
    return taken


def _timed(ask: Callable[[], Answer]) -> float:
    began = time.perf_counter()
    _good(ask(), 200)
    return (time.perf_counter() - began) * 1000


def _good(answer: Answer, status: int) -> Answer:
    if answer.status != status:
        raise SystemExit(f"faults: {answer.status} instead of {status}: {answer.body[:200]!r}")
    return answer
