"""What `jwt` costs: a token of RS256 with 2048 bits, verified for each request and remembered, beside a plain route of the
same process, the bare verification and Envoy's `jwt_authn`. And how often `oAuthIntrospection` asks about one token."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import load
import tokens
from figures import ratios
from load import Yardstick
from machine import LOAD, SERVER, say
from processes import free_ports
from report import Target
from servers import BODY, PEERS, Server, Servers

CONNECTIONS = 64
PLAIN, VERIFIED, REMEMBERED = "plain", "verified", "remembered"
PATHS = {PLAIN: "/bench", VERIFIED: "/verified/bench", REMEMBERED: "/remembered/bench"}
TARGETS = [
    Target("CPU per request, jwt, against the plain proxy and a bare verification", "<=", 1.15, 1.05),
    Target("CPU per request, jwt with a token that is remembered, against the plain proxy", "<=", 1.15, 1.05),
    Target("CPU per request, jwt, against Envoy's jwt_authn", "<=", 0.5, 0.3),
    Target("introspection calls for 10,000 requests with one opaque token", "<=", 1, 1),
]


@dataclass(frozen=True)
class Extent:
    """How much of everything."""

    rounds: int
    seconds: float


@dataclass(frozen=True)
class Material:
    """A set of keys and a token."""

    jwks: str
    token: str


def measure(servers: Servers, programs: dict[str, str], tool: Yardstick, extent: Extent) -> dict[str, list[float]]:
    """Samples of each target, and what stands beside them."""
    backend = servers.serve("backend", programs["nginx"], 0, LOAD)
    material = _material(Path(servers.directory))
    around = tokens.world(servers, "world-verification", 3600, 0)
    carnet = _carnet(servers, programs["carnet"], {"BACKEND": backend.port, "PROVIDER": around.provider}, material)
    asked = [(carnet, name) for name in PATHS]
    if "envoy" in programs:
        asked.append((_envoy(servers, programs["envoy"], backend.port, material), VERIFIED))
    spent: dict[tuple[str, str], list[float]] = {(who.name, name): [] for who, name in asked}
    bare: list[float] = []
    order = random.Random(42)
    for who, name in asked:
        _cpu_us(who, name, material, 1)
    for number in range(extent.rounds):
        bare.append(1e6 / tool.sign("verify-RS256", 2048, extent.seconds))
        for who, name in order.sample(asked, len(asked)):
            spent[who.name, name].append(_cpu_us(who, name, material, extent.seconds))
        say(f"verification, round {number + 1} of {extent.rounds}")
    return _figures(spent, bare) | {TARGETS[3].name: [_questions(carnet, around)]}


def _questions(carnet: Server, around: tokens.World) -> float:
    """How often a token was asked about while ten thousand requests came with it."""
    url, opaque = "http://127.0.0.1:{port}/introspected/bench", {"Authorization": "Bearer opaque"}
    served = 0
    while served < 10_000:
        sample = load.burst(carnet.port, 1, LOAD, url, CONNECTIONS, opaque)
        if sample.failed or not sample.requests:
            raise SystemExit("bench: requests with an opaque token failed; no figure counts")
        served += sample.requests
    return float(around.report()["asked"])


def _figures(spent: dict[tuple[str, str], list[float]], bare: list[float]) -> dict[str, list[float]]:
    plain, verified = spent["carnet", PLAIN], spent["carnet", VERIFIED]
    least = [alone + check for alone, check in zip(plain, bare, strict=True)]
    figures = {
        TARGETS[0].name: ratios(verified, least),
        TARGETS[1].name: ratios(spent["carnet", REMEMBERED], plain),
    }
    theirs = spent.get(("envoy", VERIFIED), [])
    if theirs:
        figures[TARGETS[2].name] = ratios(verified, theirs)
    beside = {f"CPU per request, {who}, {name}, us": found for (who, name), found in spent.items()}
    return figures | beside | {"a bare verification, us": bare}


def _material(folder: Path) -> Material:
    key = folder / "signer.pem"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    said = subprocess.run(["openssl", "rsa", "-in", str(key), "-noout", "-modulus"], check=True, capture_output=True)
    modulus = bytes.fromhex(said.stdout.decode().strip().removeprefix("Modulus="))
    jwk = {"kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig", "n": _text(modulus), "e": "AQAB"}
    now = int(time.time())
    claims = {"iss": "https://as.example", "sub": "bench", "aud": ["api"], "iat": now, "exp": now + 86400}
    claims |= {"client_id": "bench", "scp": ["read", "write"], "jti": "0b2c6e1e-0f52-4e3a-9f0c-2d5d5a1d5c11"}
    signed = ".".join(_text(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "k"}, claims))
    command = ["openssl", "dgst", "-sha256", "-sign", str(key)]
    signature = subprocess.run(command, input=signed.encode(), check=True, capture_output=True).stdout
    return Material(json.dumps({"keys": [jwk]}), f"{signed}.{_text(signature)}")


def _text(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _carnet(servers: Servers, program: str, around: dict[str, int], material: Material) -> Server:
    [port] = free_ports(1)
    ports = {name: str(number) for name, number in around.items()}
    routes = _filled(servers, "verification.yaml", {"JWKS": material.jwks, **ports})
    command = [*SERVER, "env", "TOKIO_WORKER_THREADS=1", program, "gateway"]
    command += [f"--entrypoints.web.address=127.0.0.1:{port}", f"--providers.file.filename={routes}"]
    command += ["--accesslog=true", f"--accesslog.filepath={servers.directory}/verification.log"]
    command += ["--accesslog.bufferingsize=200", "--log.level=ERROR"]
    process = servers.start("carnet-verification", command, lambda: _once(port, VERIFIED, material) == BODY)
    return Server("carnet", port, process)


def _envoy(servers: Servers, program: str, backend: int, material: Material) -> Server:
    [port] = free_ports(1)
    values = {"LISTEN": str(port), "BACKEND": str(backend), "JWKS": material.jwks, "DIR": str(servers.directory)}
    config = _filled(servers, "envoy-jwt.yaml", values)
    command = [*SERVER, program, "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    process = servers.start("envoy-jwt", command, lambda: _once(port, VERIFIED, material) == BODY)
    return Server("envoy", port, process)


def _filled(servers: Servers, name: str, values: dict[str, str]) -> Path:
    text = (PEERS / name).read_text(encoding="utf-8")
    for word, value in values.items():
        text = text.replace(f"@{word}@", value)
    target = Path(servers.directory) / name
    target.write_text(text, encoding="utf-8")
    return target


def _headers(material: Material) -> dict[str, str]:
    return {"Authorization": f"Bearer {material.token}"}


def _once(port: int, name: str, material: Material) -> str:
    url = f"http://127.0.0.1:{port}{PATHS[name]}"
    request = urllib.request.Request(url, headers={**load.HEADERS, **_headers(material)})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read().decode()


def _cpu_us(server: Server, name: str, material: Material, seconds: float) -> float:
    """Processor time a request. One that failed makes the run worthless."""
    url = f"http://127.0.0.1:{{port}}{PATHS[name]}"
    before = server.cpu_seconds()
    sample = load.burst(server.port, seconds, LOAD, url, CONNECTIONS, _headers(material))
    if sample.failed or not sample.requests:
        raise SystemExit(f"bench: {name} through {server.name} failed; no figure counts")
    return (server.cpu_seconds() - before) / sample.requests * 1e6
