"""F27: a thousand tokens that end together are not fetched together."""

from __future__ import annotations

import collections
import time

from stage import Stage
from tokens import Provider, Room, Service, judged, names, visits

CLIENTS = {"short": 200, "long": 1000}
LIFE_S = {"short": 10, "long": 60}
SECONDS = {"short": 20, "long": 240}
PER_S = {"short": 200, "long": 300}


def play(stage: Stage) -> dict[str, float]:
    """Loads them at once, then looks when the provider is asked."""
    clients, life = names("client", CLIENTS[stage.form]), LIFE_S[stage.form]
    with Provider(stage.folder) as provider, Service() as service:
        provider.become(life=life)
        with Room(stage, provider.port, service.port) as room:
            loaded = visits(room.port, clients, 400, len(clients) / 400, workers=32)
            began = time.time()
            seen = visits(room.port, clients, PER_S[stage.form], SECONDS[stage.form])
            # From the first early call on.
            start = began + 0.4 * life
            calls = [when - start for when, _ in provider.seen() if when >= start]
            rates = collections.Counter(int(when) for when in calls)
            mean = len(calls) / (SECONDS[stage.form] - 0.4 * life)
            return {
                "calls": len(calls),
                "highest_of_mean": max(rates.values()) / mean,
                "lost": loaded.lost() + seen.lost(),
                "slowest_ms": max(one.seconds for one in seen.all) * 1000,
                **judged(room, service),
            }
