"""The store of tokens is a Redis that sentinels watch, all by TLS, and fails over: once because somebody says so,
once because it is killed."""

from __future__ import annotations

import time
from typing import Callable

from fleet import Fleet, store
from redis_servers import PASSWORD, Certificates, Watched
from stage import Stage, wait_until
from tokens import Visits, beside, names, visits

SECONDS = {"short": 5, "long": 30}
PER_S = 50


def play(stage: Stage) -> dict[str, float]:
    """Two fail-overs under the load of new clients."""
    certificates = Certificates(stage.folder)
    with Watched(stage.folder, certificates) as redis:
        more = f"username: gateways, password: {PASSWORD}, sentinel: {{masterSet: {redis.NAME}}}"
        ports = [sentinel.reached for sentinel in redis.sentinels]
        with Fleet(stage, store(ports, f"{more}, tls: {{{certificates.material}}}")) as fleet:
            lost, figures = 0, {}
            # The one that is replaced by order becomes a replica at once; one that was killed need not come back.
            for name, happens in (("order", lambda: _order(redis)), ("kill", lambda: redis.main().kill())):
                wait_until(redis.is_followed, 30)
                seen, clients = _during(stage, fleet, name, lambda: figures.update({name + "_s": _until(redis, happens)}))
                lost += seen.lost()
                figures[f"calls_during_{name}"] = max(fleet.calls(clients))
                time.sleep(2)
                after = names(f"after-{name}", 50)
                lost += fleet.visits(after, PER_S).lost()
                figures[f"calls_after_{name}"] = max(fleet.calls(after))
            return {
                "fail_overs": len(figures) // 3,
                "lost": lost,
                **{name: value for name, value in figures.items() if not name.endswith("_s")},
                "fail_over_s": max(value for name, value in figures.items() if name.endswith("_s")),
                **fleet.judged(),
            }


def _during(stage: Stage, fleet: Fleet, name: str, happens: Callable[[], object]) -> tuple[Visits, list[str]]:
    """New clients at both gateways meanwhile."""
    seen, seconds = Visits(), SECONDS[stage.form]
    clients = names(f"during-{name}", PER_S * seconds)

    def load(port: int) -> None:
        seen.all.extend(visits(port, clients, PER_S, seconds).all)

    loads = [beside(lambda port=room.port: load(port)) for room in fleet.rooms]
    time.sleep(seconds / 4)
    happens()
    for one in loads:
        one.join()
    return seen, clients


def _order(redis: Watched) -> None:
    redis.sentinels[0].ask("SENTINEL", "failover", redis.NAME)


def _until(redis: Watched, happens: Callable[[], object]) -> float:
    """How long it takes until there is another one."""
    before = redis.main()
    happens()
    return wait_until(lambda: redis.main() is not before, 30)
