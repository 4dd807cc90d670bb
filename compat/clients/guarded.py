"""Tokens that are bound to keys, at two gateways behind a balancer: openid-client proves its key with their nonces, a
Redis knows which proofs were used at either. Then the Redis is killed."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import programs
from case import Case
from server import Server

sys.path.append(str(Path(__file__).resolve().parents[2] / "bench"))

from processes import Processes, free_ports  # noqa: E402

PARTS = ("answer", "binding", "shown", "nonces", "replayed", "stolen")
SECRET, SCOPE = "traefiklabs", "read"
ALGORITHMS = ("ES256", "PS256", "Ed25519")
PROGRAM = ("node", str(programs.NODE / "guarded.js"))
# Clients know the gateways by this address alone.
ADDRESS = "https://api.test/orders?id=1"


# Holds DP-01, DP-02, DP-03.
def play(carnet: str) -> list[Case]:
    """Signed tokens and opaque ones; then without Redis."""
    cases = []
    for strategy in ("jwt", "opaque"):
        with tempfile.TemporaryDirectory(prefix="carnet-guarded-") as folder:
            settings = {"STRATEGIES_ACCESS_TOKEN": strategy, "OAUTH2_DPOP_NONCE_REQUIRED": "true"}
            with Server(carnet, settings) as server, Processes(Path(folder)) as processes:
                cases += _stand(carnet, server, processes, strategy)
    return cases


def _stand(carnet: str, server: Server, processes: Processes, strategy: str) -> list[Case]:
    backend, redis, *web = free_ports(4)
    command = [carnet, "whoami", "--port", str(backend)]
    processes.start("backend", command, lambda: _listens(backend))
    store = processes.start("redis", _redis(redis, processes.directory), lambda: _listens(redis))
    for port in web:
        _gateway(carnet, processes, port, _routes(server, strategy, backend, redis))
    client = server.create_client({
        "grant_types": ["client_credentials"],
        "scope": SCOPE,
        "client_secret": SECRET,
        "dpop_bound_access_tokens": True,
    })
    plan = {
        "issuer": server.issuer,
        "scope": SCOPE,
        "address": ADDRESS,
        "gateways": [f"http://127.0.0.1:{port}" for port in web],
    }
    cases = []
    for name, outcome in _asked(plan, client, ALGORITHMS).items():
        case = _case(f"{strategy} {name}", outcome)
        cnf = server.introspect(str(case.token)).get("cnf")
        case.judge("binding", cnf == {"jkt": outcome.get("jkt")}, cnf)
        case.judge("shown", outcome.get("statuses") == "200 200 200 200 200 200", outcome)
        # One request is refused, which learns the nonce; the other gateway takes it, too.
        case.judge("nonces", outcome.get("asked") == "401 200 200 200 200 200 200", outcome)
        case.judge("replayed", outcome.get("replayed") == "401 401", outcome)
        case.judge("stolen", outcome.get("stolen") == "401", outcome)
        cases.append(case)
    store.kill()
    store.wait()
    for name, outcome in _asked(plan, client, ALGORITHMS[:1]).items():
        case = _case(f"{strategy} {name}, no Redis", outcome)
        case.judge("shown", outcome.get("statuses") == "503 503 503 503 503 503", outcome)
        # What a gateway saw itself it knows itself, and nothing else is believed.
        is_refused = set(outcome.get("replayed", "").split()) <= {"401", "503"}
        case.judge("replayed", is_refused, outcome)
        case.judge("stolen", outcome.get("stolen") == "401", outcome)
        cases.append(case)
    return cases


def _asked(
    plan: dict[str, Any], client: dict[str, Any], algorithms: tuple[str, ...]
) -> dict[str, dict[str, str]]:
    clients = [
        {"name": name, "id": client["client_id"], "secret": SECRET, "algorithm": name}
        for name in algorithms
    ]
    return programs.run(PROGRAM, {**plan, "clients": clients})


def _case(name: str, outcome: dict[str, str]) -> Case:
    case = Case("Node openid-client", "DPoP at two gateways", name, {})
    case.take(outcome)
    return case


def _gateway(carnet: str, processes: Processes, port: int, routes: dict[str, Any]) -> None:
    # JSON is YAML.
    dynamic = processes.directory / f"routes-{port}.yaml"
    static = processes.directory / f"static-{port}.yaml"
    dynamic.write_text(json.dumps(routes), encoding="utf-8")
    static.write_text(json.dumps({
        "entryPoints": {"web": {
            "address": f"127.0.0.1:{port}",
            "forwardedHeaders": {"trustedIPs": ["127.0.0.1/32"]},
        }},
        "providers": {"file": {"filename": str(dynamic)}},
    }), encoding="utf-8")  # fmt: skip
    command = [carnet, "gateway", f"--configfile={static}"]
    processes.start(f"gateway-{port}", command, lambda: _answers(port))


def _routes(server: Server, strategy: str, backend: int, redis: int) -> dict[str, Any]:
    dpop = {
        "nonceRequired": True,
        "secret": "what both gateways make their nonces of",
        "store": {"redis": {"endpoints": [f"127.0.0.1:{redis}"]}},
    }
    ways = {
        "jwt": {"jwt": {
            "discovery": f"{server.issuer}/.well-known/oauth-authorization-server",
            "dpop": dpop,
        }},
        "opaque": {"oAuthIntrospection": {
            "tokenSource": {"header": "Authorization"},
            "clientConfig": {"url": f"{server.admin}/admin/oauth2/introspect"},
            "dpop": dpop,
        }},
    }  # fmt: skip
    return {"http": {
        "routers": {
            "ready": {"rule": "Path(`/ready`)", "service": "backend"},
            "orders": {"rule": "Path(`/orders`)", "service": "backend", "middlewares": ["bound"]},
        },
        "middlewares": {"bound": ways[strategy]},
        "services": {"backend": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{backend}"}]}}},
    }}  # fmt: skip


def _redis(port: int, folder: Path) -> list[str]:
    program = shutil.which("redis-server") or sys.exit("error: install redis-server")
    return [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(b"GET /ready HTTP/1.0\r\nHost: a\r\n\r\n")
        return b" 200 " in connection.recv(64)
