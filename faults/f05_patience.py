"""F05: the provider asks for patience, and gets it for the client that it asked it of."""

from __future__ import annotations

import time

from stage import Stage
from tokens import Provider, Room, Service, judged, names, visit, visits

PATIENCE_S = {"short": 6, "long": 10}


def play(stage: Stage) -> dict[str, float]:
    """Both statuses, some clients each."""
    patience = PATIENCE_S[stage.form]
    most = early = unexpected = 0
    cured = 0
    with Provider(stage.folder) as provider, Service() as service:
        with Room(stage, provider.port, service.port) as room:
            for status in (429, 503):
                clients = names(f"hasty-{status}", 4)
                provider.become(status=status, fields=f"Retry-After: {patience}\r\n")
                began = time.time()
                told = visits(room.port, clients, 20, patience - 1)
                calls = [who for when, who in provider.seen() if when >= began]
                most = max(most, *(calls.count(client) for client in clients))
                for client in clients:
                    # Until when the provider wanted to be left alone.
                    until = next(when for when, who in provider.seen() if who == client) + patience
                    for one in told.of(client):
                        unexpected += one.status != 503
                        early += one.at + one.seconds + (one.retry_after or 0) < until - 0.1
                provider.become()
                time.sleep(2)
                cured += sum(visit(room.port, client).status == 200 for client in clients)
            return {
                "calls_of_one_client": most,
                "not_503": unexpected,
                "told_to_come_too_early": early,
                "cured": cured,
                **judged(room, service),
            }
