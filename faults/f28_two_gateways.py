"""F28: one of two gateways that share a store is killed while it asks the provider for both."""

from __future__ import annotations

import threading
import time

from fleet import Fleet, store
from redis_servers import Redis
from stage import Stage
from tokens import LONG_S, Visit, names, visit

CLIENTS = {"short": 20, "long": 100}
ROUNDS = {"short": 1, "long": 5}


def play(stage: Stage) -> dict[str, float]:
    """Callers come to both; those of the dead one come again to the other."""
    with Redis(stage.folder) as redis, Fleet(stage, store([redis.port])) as fleet:
        slowest, lost, cut, calls = 0.0, 0, 0, 0
        for number in range(ROUNDS[stage.form]):
            clients = names(f"round{number}", CLIENTS[stage.form])
            fleet.provider.become(delay=1)
            dying, living = fleet.rooms
            # The first gateway holds all leases; then the second one waits for them.
            first = _beside(dying.port, clients)
            time.sleep(0.4)
            second = _beside(living.port, clients)
            time.sleep(0.3)
            dying.processes[-1].kill()
            cut += sum(one.status != 200 for one in _ends(first))
            again = _beside(living.port, clients)
            seen = _ends(second) + _ends(again)
            slowest = max(slowest, *(one.seconds for one in seen))
            lost += sum(one.status != 200 for one in seen)
            calls = max(calls, *fleet.calls(clients))
            dying.start()
        return {
            "requests": 3 * CLIENTS[stage.form] * ROUNDS[stage.form],
            "cut": cut / (CLIENTS[stage.form] * ROUNDS[stage.form]),
            "lost": lost,
            "slowest_s": slowest,
            "calls": calls,
            **fleet.judged(),
        }


def _beside(port: int, clients: list[str]) -> tuple[list[threading.Thread], list[Visit]]:
    seen: list[Visit] = []
    threads = [
        threading.Thread(target=lambda client=client: seen.append(visit(port, client, timeout=LONG_S)))
        for client in clients
    ]
    for thread in threads:
        thread.start()
    return threads, seen


def _ends(under_way: tuple[list[threading.Thread], list[Visit]]) -> list[Visit]:
    threads, seen = under_way
    for thread in threads:
        thread.join()
    return seen
