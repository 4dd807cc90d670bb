"""F02: the provider is gone; new clients are told so at once, and it is found when it is back."""

from __future__ import annotations

import time

from stage import Stage, percentile, wait_until
from tokens import Provider, Room, Service, Tombstone, judged, names, beside, visit, visits

SECONDS = {"short": 5, "long": 60}
PER_S = 200
# The breaker opens within this time.
OPENING_S = 2
# Clients that come by themselves: more than it takes to open it.
ALONE = 8


def play(stage: Stage) -> dict[str, float]:
    """Warm clients beside cold ones, over the provider's end and return."""
    seconds = SECONDS[stage.form]
    warm, cold = names("warm", 50), names("cold", 100)
    with Provider(stage.folder) as provider, Service() as service:
        with Room(stage, provider.port, service.port) as room:
            visits(room.port, warm, PER_S, len(warm) / PER_S)
            provider.kill()
            tombstone = Tombstone(provider.port)
            # One after the other: of many at once, those on their way when it opens are let go on.
            alone = [visit(room.port, name) for name in names("first", ALONE)]
            opening = len(tombstone.times)
            kept: list = []
            warming = beside(lambda: kept.append(visits(room.port, warm, 50, seconds)))
            began = time.time()
            told = visits(room.port, cold, PER_S, seconds)
            warming.join()
            tombstone.remove()
            calls = [when - began for when in tombstone.times]
            late = [one for one in told.all if one.at - began > OPENING_S]
            told.all += alone
            provider.start()
            found = wait_until(lambda: visit(room.port, "cold-0").status == 200, 10)
            return {
                "told": len(told.all),
                "not_503": sum(one.status != 503 for one in told.all),
                "without_retry_after": sum(one.retry_after is None for one in told.all),
                "calls_before_it_opened": opening,
                "calls_per_s": sum(when > OPENING_S for when in calls) / (seconds - OPENING_S),
                "told_p99_ms": percentile([one.seconds for one in late], 0.99) * 1000,
                "warm_lost": kept[0].lost(),
                "first_success_s": found,
                **judged(room, service),
            }
