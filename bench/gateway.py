"""The gateway beside its peers: the same answers behind nginx, HAProxy, Traefik and carnet."""

from __future__ import annotations

import random
from dataclasses import asdict

import load
from machine import LOAD, SERVER, say
from report import Samples
from servers import Server, Servers, check_headers

PROGRAMS = ["carnet", "nginx", "haproxy", "traefik"]


def measure(servers: Servers, programs: dict[str, str], rounds: int, seconds: float) -> Samples:
    """Samples of every program; none of them from a request that failed."""
    wanted = [name for name in PROGRAMS if name in programs]
    started = _start(servers, wanted, programs)
    samples: Samples = {name: [] for name in wanted}
    order = random.Random(42)
    for number in range(rounds):
        # What drifts hits all alike.
        for server in order.sample(started, len(started)):
            before = server.cpu_seconds()
            sample = load.burst(server.port, seconds, LOAD)
            used = max(server.cpu_seconds() - before, 0.01)
            figures = {**asdict(sample), "per_cpu_second": sample.requests / used}
            samples[server.name].append({"round": number, **figures})
            result = f"{sample.per_second:.0f}/s, {sample.failed} failed"
            say(f"gateway, round {number + 1} of {rounds}, {server.name}: {result}")
            if sample.failed or not sample.requests:
                raise SystemExit(f"bench: requests through {server.name} failed; no figure counts")
    return samples


def _start(servers: Servers, wanted: list[str], programs: dict[str, str]) -> list[Server]:
    """Backend and load share a core, the proxies have the other: each is measured on one core."""
    backend = servers.serve("backend", programs["nginx"], 0, LOAD)
    started = []
    for name in wanted:
        server = servers.serve(name, programs[name], backend.port, SERVER)
        check_headers(server)
        load.burst(server.port, 1, LOAD)
        started.append(server)
    return started
