#!/usr/bin/env python3
"""A limit that two gateways share in Redis: as many requests pass the two of Traefik together as the two of carnet, one
after the other and all at once. Then Redis is killed.

    python3 compat/traefik/shared_limit.py --carnet PATH

Exit code 1: more or fewer pass than the limit says.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
sys.path.append(str(BENCH))

import install  # noqa: E402
from processes import Processes, free_ports  # noqa: E402
from request import Request, send  # noqa: E402

BURST, ASKED = 10, 40
# Limits: one for requests in turn, one for those that come at once, one for after Redis.
LIMITS = ["turns", "crowd", "after"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--carnet", metavar="PATH", required=True, help="the binary")
    programs = {"carnet": parser.parse_args().carnet}
    programs |= install.programs(["traefik"], BENCH / "tools")
    with tempfile.TemporaryDirectory(prefix="carnet-limit-") as directory:
        with Processes(Path(directory)) as processes:
            return _judge(_measured(processes, programs))


def _measured(processes: Processes, programs: dict[str, str]) -> dict[str, dict[str, Counter]]:
    """How often each status was, by program and limit."""
    [backend, redis] = free_ports(2)
    command = [programs["carnet"], "whoami", "--port", str(backend)]
    processes.start("backend", command, lambda: _answers(backend))
    server = shutil.which("redis-server") or sys.exit("shared_limit: install redis-server")
    command = [server, "--port", str(redis), "--bind", "127.0.0.1", "--save", "", "--dir", str(processes.directory)]
    store = processes.start("redis", command, lambda: _pong(redis))
    pairs = {name: _pair(processes, name, programs[name], backend, redis) for name in programs}
    found: dict[str, dict[str, Counter]] = {name: {} for name in pairs}
    for name, ports in pairs.items():
        found[name]["turns"] = Counter(_status(ports[turn % 2], "turns") for turn in range(ASKED))
        with ThreadPoolExecutor(16) as crowd:
            statuses = crowd.map(lambda turn: _status(ports[turn % 2], "crowd"), range(ASKED))
            found[name]["crowd"] = Counter(statuses)
    store.kill()
    store.wait()
    for name, ports in pairs.items():
        found[name]["after"] = Counter(_status(ports[turn % 2], "after") for turn in range(ASKED))
    return found


def _pair(processes: Processes, name: str, program: str, backend: int, redis: int) -> list[int]:
    """The ports of two gateways with the same routes."""
    limit = {"average": 1, "period": "1h", "burst": BURST, "redis": {"endpoints": [f"127.0.0.1:{redis}"]}}
    routes = {
        "http": {
            "routers": {
                "ready": {"rule": "Path(`/ready`)", "service": "s"},
                **{at: {"rule": f"Path(`/{at}`)", "service": "s", "middlewares": [at]} for at in LIMITS},
            },
            "middlewares": {at: {"rateLimit": limit} for at in LIMITS},
            "services": {"s": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{backend}"}]}}},
        }
    }
    # JSON is YAML.
    file = processes.directory / f"{name}.yaml"
    file.write_text(json.dumps(routes), encoding="utf-8")
    ports = free_ports(2)
    for port in ports:
        command = [program, *(["gateway"] if name == "carnet" else [])]
        command += [f"--entrypoints.web.address=127.0.0.1:{port}", f"--providers.file.filename={file}"]
        processes.start(f"{name}-{port}", command, lambda port=port: _status(port, "ready") == 200)
    return ports


def _judge(found: dict[str, dict[str, Counter]]) -> int:
    for name, limits in found.items():
        for at, statuses in limits.items():
            print(f"{name}, {at}: " + ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items())))
    shared = Counter({200: BURST, 429: ASKED - BURST})
    # Two gateways that count for themselves.
    alone = Counter({200: 2 * BURST, 429: ASKED - 2 * BURST})
    wrong = [name for name in found for at in ("turns", "crowd") if found[name][at] != shared]
    if found["carnet"]["after"] != alone:
        wrong.append("carnet without Redis")
    for name in wrong:
        print(f"{name}: not what the limit says")
    return 1 if wrong else 0


def _status(port: int, path: str) -> int:
    answer = send(Request(path=f"/{path}"), port)
    return answer.status if answer else 0


def _answers(port: int) -> bool:
    return _status(port, "") == 200


def _pong(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(16) == b"+PONG\r\n"


if __name__ == "__main__":
    sys.exit(main())
