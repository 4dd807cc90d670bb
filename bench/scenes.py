"""What people do with a proxy beside plain requests: TLS, HTTP/2, large answers, new connections,
WebSockets, a steady pace, many who are idle. Carnet beside its peers."""

from __future__ import annotations

import json
import random
import resource
import socket
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import load
from figures import ratios
from load import Sample, Yardstick
from machine import LOAD, SERVER, say
from report import Samples, Target
from servers import Server, Servers, check_headers

PROGRAMS = ["carnet", "nginx", "haproxy", "envoy", "traefik"]
CONNECTIONS = 64
ASK = f"GET /bench HTTP/1.1\r\nHost: {load.HOST}\r\n\r\n".encode()

PACE, MEMORY = "at half of what the slowest can do", "memory in MiB"
# Target, scene, figure, beside whom; nobody: the figure itself.
ASKED = [
    (Target("CPU per request, plain, against nginx", "<=", 1.15, 1.0), "plain", "cpu_us", "nginx"),
    (Target("the same against Traefik", "<=", 0.30, 0.25), "plain", "cpu_us", "traefik"),
    (Target("the same with TLS, against nginx", "<=", 1.15, 1.0), "TLS", "cpu_us", "nginx"),
    (Target("p99 at half of capacity, against nginx", "<=", 1.2, 1.0), PACE, "p99_us", "nginx"),
    (Target("resident memory idle, MiB", "<=", 30, 15), MEMORY, "idle", ""),
    (Target("the same with idle connections", "<=", 150, 100), MEMORY, "crowded", ""),
]


@dataclass(frozen=True)
class Extent:
    """How much of everything."""

    rounds: int
    seconds: float
    idle: int
    # Carnet and one peer in turn for each scene, in place of all.
    is_short: bool = False


def _wrk(url: str, connections: int = CONNECTIONS, **headers: str) -> Callable[..., Sample]:
    def burst(server: Server, seconds: float) -> Sample:
        port = server.tls if url.startswith("https") else server.port
        return load.burst(port, seconds, LOAD, url, connections, headers)

    return burst


def _chat(server: Server, seconds: float) -> Sample:
    program = str(Path(__file__).parent / "chat.py")
    command = [*LOAD, sys.executable, program, str(server.port), "32", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    return Sample(said["messages"], said["messages"] / seconds, 0.0, 0.0, said["failed"])


SCENES: dict[str, Callable[[Server, float], Sample]] = {
    "plain": _wrk("http://127.0.0.1:{port}/bench"),
    "TLS": _wrk("https://127.0.0.1:{port}/bench"),
    "HTTP/2 over TLS": lambda server, seconds: load.http2(server.tls, seconds, LOAD),
    "100 KB": _wrk("http://127.0.0.1:{port}/100k", 16),
    "10 MB": _wrk("http://127.0.0.1:{port}/10m", 4),
    "new connections": _wrk("http://127.0.0.1:{port}/bench", 16, Connection="close"),
    "WebSocket messages": _chat,
}


def measure(
    servers: Servers,
    measured: dict[str, str],
    programs: dict[str, str],
    tool: Yardstick,
    extent: Extent,
) -> dict[str, Samples]:
    """Samples of every scene and program that is measured, and those of the pace and of memory."""
    wanted = [name for name in PROGRAMS if name in measured]
    started, idle = _start(servers, wanted, programs)
    _check_ciphers(started)
    results: dict[str, Samples] = {}
    order = random.Random(42)
    for at, (name, scene) in enumerate(SCENES.items()):
        those = _turn(started, at) if extent.is_short else started
        samples = results[name] = {server.name: [] for server in those}
        for number in range(extent.rounds):
            for server in order.sample(those, len(those)):
                samples[server.name].append(_sample(server, scene, extent.seconds))
                say(f"{name}, round {number + 1} of {extent.rounds}, {server.name}")
    loaded = {server.name: server.memory_mib() for server in started}
    rate = _slowest(results["plain"]) / 2
    say(f"a pace of {rate:.0f} requests/s")
    # Who was not measured might not keep it.
    known = [server for server in started if server.name in results["plain"]]
    results[PACE] = _paced(known, tool, rate, extent)
    count = min(extent.idle, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2 - 500)
    crowded = {server.name: _crowd(server, count) for server in started}
    say(f"memory with {count} idle connections")
    results[MEMORY] = {
        name: [{"idle": idle[name], "loaded": loaded[name], "crowded": crowded[name]}]
        for name in wanted
    }
    return results


def _turn(started: list[Server], at: int) -> list[Server]:
    """The first and one of the others."""
    others = started[1:]
    return [started[0], *([others[at % len(others)]] if others else [])]


def asked(results: dict[str, Samples]) -> tuple[dict[str, list[float]], list[Target]]:
    """Samples of what is asked for, of those who were there."""
    samples, targets = {}, []
    for target, scene, key, peer in ASKED:
        if peer and peer not in results[scene]:
            continue
        ours, theirs = ([s[key] for s in results[scene].get(who, [])] for who in ("carnet", peer))
        samples[target.name] = ratios(ours, theirs) if peer else ours
        targets.append(target)
    return samples, targets


def _start(
    servers: Servers, wanted: list[str], programs: dict[str, str]
) -> tuple[list[Server], dict[str, float]]:
    """Backends and load share a core, the proxies have the other. And memory before any load."""
    backend = servers.serve("backend", programs["nginx"], 0, LOAD)
    chat = servers.chat(programs["carnet"], LOAD)
    started, idle = [], {}
    for name in wanted:
        server = servers.serve(name, programs[name], backend.port, SERVER, chat)
        check_headers(server)
        idle[name] = server.memory_mib()
        started.append(server)
    return started, idle


def _check_ciphers(started: list[Server]) -> None:
    """What the load agrees upon with each; carnet is held against nginx with the same alone."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    agreed = {}
    for server in started:
        with socket.create_connection(("127.0.0.1", server.tls), timeout=5) as plain:
            with context.wrap_socket(plain, server_hostname=load.HOST) as client:
                agreed[server.name] = f"{client.version()} {client.cipher()[0]}"
    say(f"TLS: {', '.join(f'{name} {cipher}' for name, cipher in agreed.items())}")
    if agreed.get("nginx", agreed["carnet"]) != agreed["carnet"]:
        raise SystemExit("bench: nginx and carnet speak with other ciphers; no figure counts")


def _sample(
    server: Server, scene: Callable[[Server, float], Sample], seconds: float
) -> dict[str, float]:
    """One burst. A request that failed makes the run worthless."""
    before = server.cpu_seconds()
    sample = scene(server, seconds)
    used = max(server.cpu_seconds() - before, 0.01)
    if sample.failed or not sample.requests:
        raise SystemExit(f"bench: requests through {server.name} failed; no figure counts")
    return {"cpu_us": used / sample.requests * 1e6, "per_second": sample.per_second}


def _slowest(plain: Samples) -> float:
    """Requests per second of the slowest program."""
    rates = ([sample["per_second"] for sample in samples] for samples in plain.values())
    return min(sum(rate) / len(rate) for rate in rates)


def _paced(started: list[Server], tool: Yardstick, rate: float, extent: Extent) -> Samples:
    """How long answers take at a pace that all can keep: forms, which the backend answers alike."""
    forms = load.write_forms(Path(tool.program).with_name("bench-forms"), [("", "a=b")])
    samples: Samples = {server.name: [] for server in started}
    order = random.Random(43)
    for _ in range(extent.rounds):
        for server in order.sample(started, len(started)):
            posted = tool.post(server.port, "/bench", forms, seconds=extent.seconds, rate=rate)
            times = {"p50_us": posted.p50_us, "p99_us": posted.p99_us, "p999_us": posted.p999_us}
            samples[server.name].append(times)
    forms.unlink()
    return samples


def _crowd(server: Server, count: int) -> float:
    """Memory in MiB while so many connections are open that were used once."""
    clients = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        client.sendall(ASK)
        if not client.recv(4096).startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"bench: {server.name} does not take {count} connections")
        clients.append(client)
    found = server.memory_mib()
    for client in clients:
        client.close()
    return found


def raise_the_file_limit() -> None:
    """As far as the machine allows, for all that is started from now on."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    say(f"{most} files may be open")
