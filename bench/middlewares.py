"""What middlewares cost: ten cheap ones in a chain, and passwords, beside a plain route of the same process and beside
Traefik with the same chain; and answers that are packed, beside nginx at the same level."""

from __future__ import annotations

import base64
import gzip
import random
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import load
from figures import ratios
from machine import LOAD, SERVER, say
from processes import free_ports
from report import Target
from servers import BODY, PEERS, Server, Servers, ask

CONNECTIONS = 64
PASSWORD = "Basic " + base64.b64encode(b"alice:bench").decode()
# Scene, path, more headers.
PLAIN, CHAIN, PEOPLE, PACKED = "plain", "chain", "people", "packed"
ASKED = {
    PLAIN: ("/bench", {}),
    CHAIN: ("/chain/bench", {}),
    PEOPLE: ("/people/bench", {"Authorization": PASSWORD}),
    PACKED: ("/packed.json", {}),
}
TARGETS = [
    Target("CPU per request, a chain of ten, against the plain proxy", "<=", 1.15, 1.05),
    Target("the same chain against Traefik's", "<=", 0.3, 0.2),
    Target("CPU per request, basicAuth with bcrypt, warm, against the plain proxy", "<=", 1.1, 1.03),
    Target("CPU per request, compress, gzip of 100 KB of JSON, against nginx at the same level", "<=", 1.2, 1.0),
]


@dataclass(frozen=True)
class Extent:
    """How much of everything."""

    rounds: int
    seconds: float


def measure(servers: Servers, programs: dict[str, str], extent: Extent) -> dict[str, list[float]]:
    """Samples of each target, and what stands beside them."""
    backend = servers.serve("backend", programs["nginx"], 0, LOAD)
    asked = [(_start(servers, "carnet", programs["carnet"], backend.port), name) for name in ASKED]
    if "traefik" in programs:
        asked.append((_start(servers, "traefik", programs["traefik"], backend.port), CHAIN))
    asked.append((servers.serve("nginx", programs["nginx"], backend.port, SERVER), PACKED))
    for who, name in asked:
        if name == PACKED:
            _check_packed(who, (Path(servers.directory) / "packed.json").read_bytes())
    spent: dict[tuple[str, str], list[float]] = {(who.name, name): [] for who, name in asked}
    order = random.Random(42)
    for who, name in asked:
        # One at first: a password that was right is remembered when its hash has been computed.
        _once(who, name)
        _cpu_us(who, name, 1)
    for number in range(extent.rounds):
        # What drifts hits all alike.
        for who, name in order.sample(asked, len(asked)):
            spent[who.name, name].append(_cpu_us(who, name, extent.seconds))
        say(f"middlewares, round {number + 1} of {extent.rounds}")
    return _figures(spent)


def _figures(spent: dict[tuple[str, str], list[float]]) -> dict[str, list[float]]:
    ours = {name: spent["carnet", name] for name in ASKED}
    theirs = spent.get(("traefik", CHAIN), [])
    figures = {TARGETS[0].name: ratios(ours[CHAIN], ours[PLAIN])}
    if theirs:
        figures[TARGETS[1].name] = ratios(ours[CHAIN], theirs)
    figures[TARGETS[2].name] = ratios(ours[PEOPLE], ours[PLAIN])
    figures[TARGETS[3].name] = ratios(ours[PACKED], spent["nginx", PACKED])
    return figures | {f"CPU per request, {who}, {name}, us": found for (who, name), found in spent.items()}


def _start(servers: Servers, name: str, program: str, backend: int) -> Server:
    [port] = free_ports(1)
    routes = Path(servers.directory) / f"{name}-middlewares.yaml"
    text = (PEERS / "middlewares.yaml").read_text(encoding="utf-8")
    routes.write_text(text.replace("@BACKEND@", str(backend)), encoding="utf-8")
    command = [*SERVER, "env", "TOKIO_WORKER_THREADS=1", "GOMAXPROCS=1", program]
    command += ["gateway"] if name == "carnet" else ["--global.checknewversion=false", "--global.sendanonymoususage=false"]
    command += [f"--entrypoints.web.address=127.0.0.1:{port}", f"--providers.file.filename={routes}"]
    command += ["--accesslog=true", f"--accesslog.filepath={servers.directory}/{name}-middlewares.log"]
    command += ["--accesslog.bufferingsize=200", "--log.level=ERROR"]
    process = servers.start(f"{name}-middlewares", command, lambda: ask(port, "/chain/bench") == BODY)
    return Server(name, port, process)


def _once(server: Server, name: str) -> bytes:
    path, headers = ASKED[name]
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers={**load.HEADERS, **headers})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read()


def _check_packed(server: Server, content: bytes) -> None:
    """Both must do the work, and about as well."""
    packed = _once(server, PACKED)
    if gzip.decompress(packed) != content:
        raise SystemExit(f"bench: {server.name} packs to something else")
    say(f"{server.name} packs {len(content)} bytes to {len(packed)}")


def _cpu_us(server: Server, name: str, seconds: float) -> float:
    """Processor time a request. One that failed makes the run worthless."""
    path, headers = ASKED[name]
    url = f"http://127.0.0.1:{{port}}{path}"
    before = server.cpu_seconds()
    sample = load.burst(server.port, seconds, LOAD, url, CONNECTIONS, headers)
    if sample.failed or not sample.requests:
        raise SystemExit(f"bench: {name} through {server.name} failed; no figure counts")
    return (server.cpu_seconds() - before) / sample.requests * 1e6
