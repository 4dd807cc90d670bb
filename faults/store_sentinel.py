"""The store of tokens is a Redis that sentinels watch, and fails over: once because it is killed, once because
somebody says so."""

from __future__ import annotations

import time
from typing import Callable

from fleet import Fleet, store
from redis_servers import PASSWORD, Watched
from stage import Stage, wait_until
from tokens import Visits, beside, names, visits

SECONDS = {"short": 5, "long": 30}
PER_S = 50


def play(stage: Stage) -> dict[str, float]:
    """Two fail-overs under the load of new clients."""
    with Watched(stage.folder) as redis:
        more = f"username: gateways, password: {PASSWORD}, sentinel: {{masterSet: {redis.NAME}}}"
        ports = [sentinel.port for sentinel in redis.sentinels]
        with Fleet(stage, store(ports, more)) as fleet:
            lost, figures = 0, {}
            for name, happens in (("kill", lambda: redis.main().kill()), ("order", lambda: _order(redis))):
                seen, clients = _during(stage, fleet, name, lambda: figures.update({name + "_s": _until(redis, happens)}))
                lost += seen.lost()
                figures[f"calls_during_{name}"] = max(fleet.calls(clients))
                time.sleep(2)
                after = names(f"after-{name}", 50)
                lost += fleet.visits(after, PER_S).lost()
                figures[f"calls_after_{name}"] = max(fleet.calls(after))
                for server in redis.servers:
                    if server.process.poll() is not None:
                        server.start()
                _settled(redis)
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
    before = redis.main().port
    happens()
    return wait_until(lambda: redis.main().port != before, 30)


def _settled(redis: Watched) -> None:
    """The sentinels see a replica that is up again."""
    wait_until(lambda: redis.main().ask("INFO", "replication").count(b"state=online") == 1, 30)
