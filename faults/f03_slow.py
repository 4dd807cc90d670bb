"""F03: the provider hangs; its own clients wait for a bounded time, a bounded number of them, and nobody else does."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from concurrent.futures import ProcessPoolExecutor

from stage import Stage
from tokens import Provider, Room, Service, Visit, judged, names, beside, visit, visits

SECONDS = {"short": 6, "long": 30}
COLD = 400
# Exchanges of a middleware that may be under way.
BOUND = 256
PER_S = 100


def play(stage: Stage) -> dict[str, float]:
    """Stops it, comes with many new clients at once, and lets it go on."""
    warm, seconds = names("warm", 50), SECONDS[stage.form]
    with Provider(stage.folder) as provider, Service() as service:
        with Room(stage, provider.port, service.port) as room:
            visits(room.port, warm, PER_S, len(warm) / PER_S)
            before = visits(room.port, warm, PER_S, seconds)
            held = room.memory_mib()
            provider.signal(signal.SIGSTOP)
            during: list = []
            # A crowd in this process would hold up those whose waiting is measured.
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as elsewhere:
                elsewhere.submit(names, "nobody", 0).result()
                warming = beside(lambda: during.append(visits(room.port, warm, PER_S, seconds)))
                cold = elsewhere.submit(_at_once, room.port, names("cold", COLD)).result()
                grown = room.memory_mib() - held
                warming.join()
            provider.signal(signal.SIGCONT)
            told = [one.seconds for one in cold if one.status == 503]
            waited = [one for one in cold if one.status == 504]
            return {
                "cold": len(cold),
                "cold_unexpected": sum(one.status not in (503, 504) for one in cold),
                "waited": len(waited),
                "longest_s": max(one.seconds for one in cold),
                "told_median_ms": sorted(told)[len(told) // 2] * 1000,
                "warm_lost": before.lost() + during[0].lost(),
                "warm_p99_ratio": during[0].p99_ms() / before.p99_ms(),
                "memory_grown_mib": grown,
                **judged(room, service),
            }


def _at_once(port: int, clients: list[str]) -> list[Visit]:
    seen: list[Visit] = []
    threads = [threading.Thread(target=lambda c=c: seen.append(visit(port, c))) for c in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen
