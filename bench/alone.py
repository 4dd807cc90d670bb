"""What only carnet is asked: many routers, reloads under load, an edit until it is served, a second
thread."""

from __future__ import annotations

import os
import threading
import time
import urllib.error
from dataclasses import dataclass
from pathlib import Path

import load
from machine import LOAD, SERVER, say
from processes import free_ports
from report import Target
from servers import BODY, Server, Servers, ask

ROUTERS = [10, 1_000, 10_000]
BOTH = ["taskset", "--cpu-list", "0,1"] if SERVER else []
TARGETS = [
    Target("CPU per request, 10,000 routers against 10", "<=", 1.2, 1.05),
    Target("requests lost while it reloads each second", "<=", 0, 0),
    Target("edit of one of 10,000 routers until it is served, ms", "<=", 300, 100),
    Target("CPU per request, two threads against one", "<=", 1.10, 1.03),
]


@dataclass(frozen=True)
class Extent:
    """How much of everything."""

    rounds: int
    seconds: float
    reloads: int


def measure(servers: Servers, programs: dict[str, str], extent: Extent) -> dict[str, list[float]]:
    """Samples of each target, and what stands beside them."""
    backend = servers.serve("backend", programs["nginx"], 0, LOAD)
    alone = _Alone(servers, programs["carnet"], backend.port)
    return {**_routers(alone, extent), **_threads(alone, extent)}


def _routers(alone: _Alone, extent: Extent) -> dict[str, list[float]]:
    few, some, many = (alone.start(f"routers-{count}", count) for count in ROUTERS)
    spent: dict[int, list[float]] = {count: [] for count in ROUTERS}
    for number in range(extent.rounds):
        for count, server in zip(ROUTERS, (few, some, many)):
            spent[count].append(_cpu_us(server, count, extent.seconds))
        say(f"routers, round {number + 1} of {extent.rounds}")
    edits = [alone.edit(many, ROUTERS[-1], number) for number in range(max(3, extent.rounds))]
    return {
        TARGETS[0].name: [m / f for m, f in zip(spent[ROUTERS[-1]], spent[ROUTERS[0]])],
        TARGETS[1].name: [alone.reload(few, ROUTERS[0], extent.reloads)],
        TARGETS[2].name: edits,
        **{f"CPU per request, {count} routers, us": found for count, found in spent.items()},
    }


def _threads(alone: _Alone, extent: Extent) -> dict[str, list[float]]:
    # A thread serves on each core that the process may use.
    one = alone.start("one-thread", ROUTERS[0])
    two = alone.start("two-threads", ROUTERS[0], BOTH)
    ratios = []
    for number in range(extent.rounds):
        first, second = (_cpu_us(server, ROUTERS[0], extent.seconds) for server in (one, two))
        ratios.append(second / first)
        say(f"threads, round {number + 1} of {extent.rounds}")
    return {TARGETS[3].name: ratios}


def _cpu_us(server: Server, count: int, seconds: float) -> float:
    """Processor time a request: half of them find their router by host, half by prefix."""
    before, requests = server.cpu_seconds(), 0
    for host, path in (_place(count - 2), _place(count - 1)):
        url = f"http://127.0.0.1:{{port}}{path}"
        sample = load.burst(server.port, seconds / 2, LOAD, url, 64, {"Host": host})
        if sample.failed or not sample.requests:
            raise SystemExit(f"bench: requests through {server.name} failed; no figure counts")
        requests += sample.requests
    return (server.cpu_seconds() - before) / requests * 1e6


def _place(number: int) -> tuple[str, str]:
    """Host and path of a router: the even ones are found by host, the odd ones by prefix."""
    if number % 2 == 0:
        return f"h{number}.bench.localhost", "/bench"
    return load.HOST, f"/p{number}/bench"


class _Alone:
    """Gateways with many routers to one service, and the files that they read."""

    def __init__(self, servers: Servers, program: str, backend: int) -> None:
        self.servers, self.program, self.backend = servers, program, backend

    def start(self, name: str, count: int, pin: list[str] | None = None) -> Server:
        """A gateway with so many routers."""
        [port] = free_ports(1)
        self._write(self._file(name), count)
        command = [*(SERVER if pin is None else pin)]
        command += [self.program, "gateway"]
        command += [f"--entrypoints.web.address=127.0.0.1:{port}"]
        command += [f"--providers.file.filename={self._file(name)}", "--accesslog=true"]
        command += [f"--accesslog.filepath={self.servers.directory}/{name}.log"]
        command += ["--accesslog.bufferingsize=200"]
        process = self.servers.start(name, command, lambda: _answers(port, count))
        return Server(name, port, process)

    def edit(self, server: Server, count: int, number: int) -> float:
        """Milliseconds from a change of one router until it is served."""
        began = time.monotonic()
        self._write(self._file(server.name), count, f"/edited/{number}/bench")
        while not _is_served(server.port, f"/edited/{number}/bench"):
            if time.monotonic() - began > 20:
                raise SystemExit("bench: an edit is not served")
            time.sleep(0.002)
        return (time.monotonic() - began) * 1000

    def reload(self, server: Server, count: int, times: int) -> float:
        """Requests that failed while the configuration changed once a second, so many times."""
        lost = [0]

        def ask_on() -> None:
            url = f"http://127.0.0.1:{{port}}/p{count - 1}/bench"
            lost[0] = load.burst(server.port, times + 1, LOAD, url, 64).failed

        asking = threading.Thread(target=ask_on)
        asking.start()
        for number in range(times):
            time.sleep(1)
            self._write(self._file(server.name), count, f"/reloaded/{number}/bench")
        asking.join()
        if not _is_served(server.port, f"/reloaded/{times - 1}/bench"):
            raise SystemExit("bench: the reloads were not served")
        return float(lost[0])

    def _file(self, name: str) -> Path:
        return self.servers.directory / f"{name}.yaml"

    def _write(self, file: Path, count: int, edited: str = "/edited/bench") -> None:
        """Each router with a rule of its own; that of the first one is the one that is edited."""
        lines = ["http:", "  routers:"]
        lines.append(f"    r0: {{rule: 'Path(`{edited}`)', service: s}}")
        for number in range(1, count):
            host, path = _place(number)
            rule = f"Host(`{host}`)" if number % 2 == 0 else f"PathPrefix(`/p{number}`)"
            lines.append(f"    r{number}: {{rule: '{rule}', service: s}}")
        lines.append("  services:")
        lines.append(
            f"    s: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:{self.backend}'}}]}}}}"
        )
        new = file.with_suffix(".new")
        new.write_text("\n".join(lines) + "\n", encoding="utf-8")
        os.replace(new, file)


def _answers(port: int, count: int) -> bool:
    return _is_served(port, f"/p{count - 1}/bench")


def _is_served(port: int, path: str) -> bool:
    """Whether a router takes it."""
    try:
        return ask(port, path) == BODY
    except urllib.error.HTTPError:
        return False
