"""F01: the provider is killed; clients whose tokens are kept notice nothing."""

from __future__ import annotations

from stage import Stage
from tokens import Provider, Room, Service, judged, names, visits

CLIENTS = {"short": 50, "long": 200}
SECONDS = {"short": 5, "long": 60}
PER_S = 200


def play(stage: Stage) -> dict[str, float]:
    """Warms up, kills, looks."""
    clients, seconds = names("warm", CLIENTS[stage.form]), SECONDS[stage.form]
    with Provider(stage.folder) as provider, Service() as service:
        with Room(stage, provider.port, service.port) as room:
            visits(room.port, clients, PER_S, len(clients) / PER_S)
            before = visits(room.port, clients, PER_S, min(seconds, 20))
            said = room.lines()
            provider.kill()
            after = visits(room.port, clients, PER_S, seconds)
            return {
                "requests": len(after.all),
                "lost": before.lost() + after.lost(),
                "p99_ratio": after.p99_ms() / before.p99_ms(),
                "log_lines_per_s": (room.lines() - said) / seconds,
                **judged(room, service),
            }
