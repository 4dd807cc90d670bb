"""F06: one client's secret is revoked at the provider, under load; it is out in time, and the others notice nothing."""

from __future__ import annotations

import time

from stage import Stage
from tokens import Provider, Room, Service, judged, names, beside, visits

CLIENTS = {"short": 20, "long": 200}
MAX_AGE_S = {"short": 4, "long": 30}
PER_S = 200


def play(stage: Stage) -> dict[str, float]:
    """Revokes it in the middle."""
    clients, age = names("client", CLIENTS[stage.form]), MAX_AGE_S[stage.form]
    gone = clients[7]
    with Provider(stage.folder) as provider, Service() as service:
        with Room(stage, provider.port, service.port, f"cache: {{maxAge: {age}s}}") as room:
            visits(room.port, clients, PER_S, 2)
            seen: list = []
            load = beside(lambda: seen.append(visits(room.port, clients, PER_S, 2.5 * age)))
            time.sleep(age / 2)
            provider.become(revoked=[gone])
            revoked = time.time()
            load.join()
            last = max(one.at for one in seen[0].of(gone) if one.status == 200)
            refused = [one for one in seen[0].of(gone) if one.at > last]
            return {
                "refused_after_of_greatest_age": (last - revoked) / age,
                "refused": sum(one.status == 401 for one in refused),
                "refused_unexpected": sum(one.status != 401 for one in refused),
                "others_lost": seen[0].lost(but=gone),
                **judged(room, service),
            }
