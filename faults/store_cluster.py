"""The store of tokens is a cluster that speaks TLS: slots move from one node to another under load, then a node dies."""

from __future__ import annotations

import time
from typing import Callable

from fleet import Fleet, store
from redis_servers import PASSWORD, Certificates, Cluster
from stage import Stage, wait_until
from tokens import Visits, beside, names, visit, visits

SECONDS = {"short": 4, "long": 30}
SLOTS = {"short": 200, "long": 2000}
PER_S = 50


def play(stage: Stage) -> dict[str, float]:
    """New clients at both gateways meanwhile."""
    certificates = Certificates(stage.folder)
    with Cluster(stage.folder, certificates) as cluster:
        ports = [node.reached for node in cluster.nodes]
        more = f"cluster: {{}}, username: gateways, password: {PASSWORD}, tls: {{{certificates.material}}}"
        with Fleet(stage, store(ports, more)) as fleet:
            fresh = iter(names("first", 1000))
            wait_until(lambda: _is_shared(fleet, next(fresh)), 10)
            lost, figures = 0, {}
            troubles = {
                "well": lambda: None,
                "move": lambda: cluster.move(SLOTS[stage.form]),
                "moved": lambda: None,
                "death": cluster.nodes[2].kill,
            }
            for name, happens in troubles.items():
                seen, calls = _during(stage, fleet, name, happens)
                lost += seen.lost()
                figures[f"calls_{name}"] = max(calls)
                figures[f"calls_{name}_mean"] = sum(calls) / len(calls)
                if name == "moved":
                    figures["keys"] = cluster.keys()
            return {"lost": lost, **figures, **fleet.judged()}


def _is_shared(fleet: Fleet, client: str) -> bool:
    """Whether all gateways have found the store."""
    for room in fleet.rooms:
        visit(room.port, client)
    return fleet.calls([client]) == [1]


def _during(stage: Stage, fleet: Fleet, name: str, happens: Callable[[], object]) -> tuple[Visits, list[int]]:
    seen, seconds = Visits(), SECONDS[stage.form]
    clients = names(name, PER_S * seconds)

    def load(port: int) -> None:
        seen.all.extend(visits(port, clients, PER_S, seconds).all)

    loads = [beside(lambda port=room.port: load(port)) for room in fleet.rooms]
    time.sleep(seconds / 4)
    happens()
    for one in loads:
        one.join()
    return seen, fleet.calls(clients)
