"""A large cluster: how long until it is served, how much memory that takes, how soon a change is seen,
and what endpoints cost that change all the time."""

from __future__ import annotations

import json
import math
import os
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

import guarded
import pods
import stage
from carnet import Carnet
from cluster import API, UNCHECKED, Cluster

NAMESPACE, HOSTS = "scale", "scale.example"
PORT = 8050
TRAEFIK = "/apis/traefik.io/v1alpha1"
SLICES = "/apis/discovery.k8s.io/v1"


@dataclass(frozen=True)
class Size:
    routes: int
    services: int
    secrets: int
    changes: int


def play(cluster: Cluster, carnet: Carnet, size: Size) -> str:
    """One service in so many is changed later; the others only stand there."""
    address = stage.pod_address(50)
    carnet.start("whoami", ["whoami", "--port", str(PORT)])
    cluster.kubectl("create", "namespace", NAMESPACE)
    _fill(size, address)
    began = time.monotonic()
    process = carnet.gateway(cluster)
    carnet.until_ready(within=30)
    started = time.monotonic() - began
    guarded.until(f"r{size.routes - 1}.{HOSTS}", "/", 200, within=30)
    resident = _status(process.pid, "VmRSS") / 1024
    changes = sorted(_change(number) for number in range(size.changes))
    late = changes[math.ceil(len(changes) * 0.99) - 1]
    share, rate = _churn(process.pid, size, address)
    peak = _status(process.pid, "VmHWM") / 1024
    told = (
        f"{size.routes} routes: ready after {started:.1f} s, {resident:.0f} MB then, {peak:.0f} MB at most; of "
        f"{len(changes)} changes half are served after {statistics.median(changes) * 1000:.0f} ms, 99 % after "
        f"{late * 1000:.0f} ms; {rate:.0f} changes of endpoints a second take {share * 100:.1f} % of a processor"
    )
    for name, found, most in [("ready", started, 5), ("change", late, 1), ("MB", resident, 200), ("share", share, 0.25)]:
        assert found <= most, f"{name}: {found:.2f}, more than {most}; {told}"
    return told


def _fill(size: Size, address: str) -> None:
    objects: list[tuple[str, dict[str, object]]] = []
    for number in range(size.services):
        name = f"s{number}"
        service = _made("v1", "Service", name, {"ports": [{"name": "http", "port": 80}]})
        objects.append(("/api/v1", service))
        objects.append((SLICES, pods.endpoint_slice(NAMESPACE, name, address, {"http": PORT})))
    for number in range(size.secrets):
        secret = {**_made("v1", "Secret", f"k{number}", None), "stringData": {"value": f"secret-{number}"}}
        objects.append(("/api/v1", secret))
    for number in range(size.routes):
        objects.append((TRAEFIK, _route(f"r{number}", number % size.services)))
    with ThreadPoolExecutor(8) as many:
        list(many.map(lambda one: _send("POST", _path(*one), one[1]), objects))


def _route(name: str, service: int) -> dict[str, object]:
    route = {"match": f"Host(`{name}.{HOSTS}`)", "services": [{"name": f"s{service}", "port": 80}]}
    return _made("traefik.io/v1alpha1", "IngressRoute", name, {"routes": [route]})


def _made(version: str, kind: str, name: str, spec: object) -> dict[str, object]:
    made = guarded.made(version, kind, name, spec)
    made["metadata"]["namespace"] = NAMESPACE  # type: ignore[index]
    return made


def _change(number: int) -> float:
    """Seconds from the API server's answer until a new route is served."""
    name = f"new{number}"
    _send("POST", f"{TRAEFIK}/namespaces/{NAMESPACE}/ingressroutes", _route(name, 0))
    began = time.monotonic()
    guarded.until(f"{name}.{HOSTS}", "/", 200, within=10)
    taken = time.monotonic() - began
    time.sleep(0.7)
    return taken


def _churn(pid: int, size: Size, address: str, seconds: int = 5, rate: int = 100) -> tuple[float, float]:
    """The share of a processor that the gateway takes while so many EndpointSlices a second change, and how many
    did: a slow API server makes it fewer."""
    before, began = _processor(pid), time.monotonic()
    for number in range(seconds * rate):
        name = f"s{number % size.services}"
        changed = pods.endpoint_slice(NAMESPACE, name, address, {"http": PORT})
        more = {"addresses": [f"10.112.{number // 250}.{number % 250}"], "conditions": {"ready": True}}
        changed["endpoints"] = [*changed["endpoints"], more]  # type: ignore[misc]
        _send("PUT", f"{_path(SLICES, changed)}/{changed['metadata']['name']}", changed)  # type: ignore[index]
        time.sleep(max(0.0, began + (number + 1) / rate - time.monotonic()))
    taken = time.monotonic() - began
    return (_processor(pid) - before) / taken, seconds * rate / taken


_connections = threading.local()


def _send(verb: str, path: str, body: dict[str, object]) -> None:
    if not hasattr(_connections, "one"):
        _connections.one = HTTPSConnection("127.0.0.1", API, context=UNCHECKED, timeout=30)
    headers = {"Authorization": "Bearer admin-token", "Content-Type": "application/json"}
    _connections.one.request(verb, path, json.dumps(body), headers)
    answer = _connections.one.getresponse()
    said = answer.read()
    assert answer.status < 300, f"{verb} {path}: {answer.status} {said[:300]!r}"


def _path(group: str, made: dict[str, object]) -> str:
    return f"{group}/namespaces/{NAMESPACE}/{str(made['kind']).lower()}s"


def _status(pid: int, key: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(key + ":"))


def _processor(pid: int) -> float:
    """Seconds of a processor so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
