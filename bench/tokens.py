"""What tokens cost the gateway: warm, cold, many of them, and in memory."""

from __future__ import annotations

import base64
import json
import random
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import load
from machine import LOAD, SERVER, say
from processes import free_ports
from report import Target
from servers import PEERS, Server, Servers, ask

HERE = Path(__file__).parent
TARGETS = [
    Target("CPU per request, mode B warm / own plain proxy", "<=", 1.08, 1.03),
    Target("CPU per request, mode A warm / own plain proxy", "<=", 1.20, 1.10),
    Target("CPU per request, mode A warm / nginx plain", "<=", 1.40, 1.10),
    Target("CPU per request, mode B warm / Envoy credential_injector", "<=", 0.40, 0.25),
    Target("calls for 10,000 requests at once on a cold key", "<=", 1, 1),
    Target("answered 200 of these", ">=", 10_000, 10_000),
    Target("many keys: expired tokens seen by the backend", "<=", 0, 0),
    Target("many keys: requests that waited, %", "<=", 0.1, 0),
    Target("many keys: highest call rate / mean", "<=", 3, 1.5),
    Target("bytes per cached token beyond the token", "<=", 3072, 512),
]
MODE_B, MODE_A, NGINX, ENVOY, CALLS, ANSWERED, EXPIRED, WAITED, PEAK, BYTES = (
    target.name for target in TARGETS
)


# A token is kept for five minutes at most, and renewed well before.
FRESH_SECONDS = 200


@dataclass(frozen=True)
class Scale:
    """How much is done."""

    rounds: int
    seconds: int
    # Connections of 100 streams each.
    crowd: int
    keys: int
    rate: int
    life_s: int
    minutes: float


LONG = Scale(rounds=15, seconds=5, crowd=100, keys=10_000, rate=1000, life_s=60, minutes=5)
SHORT = Scale(rounds=1, seconds=1, crowd=10, keys=200, rate=200, life_s=5, minutes=0.2)

Samples = dict[str, list[float]]


def measure(servers: Servers, programs: dict[str, str], scale: Scale) -> Samples:
    """Samples by figure. What must be so in any case ends the run where it is not."""
    samples: Samples = {target.name: [] for target in TARGETS}
    backend = servers.serve("backend", programs["nginx"], 0, LOAD).port
    warm(servers, programs, backend, scale, samples)
    cold(servers, programs, backend, scale, samples)
    many(servers, programs, scale, samples)
    return {name: taken for name, taken in samples.items() if taken}


@dataclass(frozen=True)
class World:
    """The provider and the backend that looks at tokens."""

    provider: int
    backend: int

    def report(self) -> dict:
        """What it has seen."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.provider}/report", timeout=30) as answer:
            return json.load(answer)


def world(servers: Servers, name: str, life_s: float, delay_s: float) -> World:
    """Started, on the core of the load."""
    started = World(*free_ports(2))
    words = [str(started.provider), str(started.backend), str(life_s), str(delay_s)]
    command = [*LOAD, sys.executable, str(HERE / "tokens_world.py"), *words]
    servers.start(name, command, lambda: started.report()["seen"] >= 0)
    return started


def gateway(servers: Servers, carnet: str, name: str, provider: int, backend: int) -> Server:
    """A gateway with a host for each way: no token, its own credentials, the caller's."""
    port, = free_ports(1)
    url = f"http://127.0.0.1:{provider}/token"
    creds = {
        "b": {"url": url, "clientID": "bench-gateway", "clientSecret": "bench-secret"},
        "a": {"url": url, "forwardHeaders": {"Sub": "sub"}, "cache": {"header": "X-Token"}},
    }
    routers = {
        way: {"rule": f"Host(`{way}.localhost`)", "service": "s", "middlewares": [way]}
        for way in creds
    }
    routers["plain"] = {"rule": "Host(`plain.localhost`)", "service": "s"}
    servers_of = [{"url": f"http://127.0.0.1:{backend}"}]
    routes = {
        "http": {
            "routers": routers,
            "services": {"s": {"loadBalancer": {"servers": servers_of}}},
            "middlewares": {
                way: {"plugin": {"oAuthClientCredentials": told}} for way, told in creds.items()
            },
        }
    }
    dynamic = servers.directory / f"{name}-dynamic.yaml"
    dynamic.write_text(json.dumps(routes), encoding="utf-8")
    static = {
        "entryPoints": {
            "web": {
                "address": f"127.0.0.1:{port}",
                "transport": {"respondingTimeouts": {"idleTimeout": "300s"}},
            }
        },
        "accessLog": {"filePath": f"{servers.directory}/{name}.log", "bufferingSize": 200},
        "log": {"level": "ERROR"},
        "providers": {"file": {"filename": str(dynamic), "watch": False}},
    }
    config = servers.directory / f"{name}.yaml"
    config.write_text(json.dumps(static), encoding="utf-8")
    command = [*SERVER, carnet, "gateway", "--configfile", str(config)]
    process = servers.start(name, command, lambda: bool(_ask(port, "plain.localhost")))
    return Server(name, port, process)


def envoy(servers: Servers, program: str, provider: int, backend: int) -> Server:
    """Envoy, as `peers/envoy-tokens.yaml` says."""
    port, = free_ports(1)
    values = {"LISTEN": port, "PROVIDER": provider, "BACKEND": backend, "DIR": servers.directory}
    text = (PEERS / "envoy-tokens.yaml").read_text(encoding="utf-8")
    for word, value in values.items():
        text = text.replace(f"@{word}@", str(value))
    config = servers.directory / "envoy.yaml"
    config.write_text(text, encoding="utf-8")
    flags = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    command = [*SERVER, program, "-c", str(config), *flags]
    return Server("envoy", port, servers.start("envoy", command, lambda: bool(ask(port, "/bench"))))


def warm(
    servers: Servers, programs: dict[str, str], backend: int, scale: Scale, samples: Samples
) -> None:
    """Processor time of a request, by way, round by round."""
    around = world(servers, "world-warm", 3600, 0)
    ours = gateway(servers, programs["carnet"], "tokens-warm", around.provider, backend)
    asked = {
        "plain": (ours, {"Host": "plain.localhost"}),
        "mode A": (ours, {"Host": "a.localhost", "Authorization": _basic("bench", "bench-secret")}),
        "mode B": (ours, {"Host": "b.localhost"}),
        "nginx": (servers.serve("nginx", programs["nginx"], backend, SERVER), {}),
    }
    if "envoy" in programs:
        asked["envoy"] = (envoy(servers, programs["envoy"], around.provider, backend), {})
    for server, headers in asked.values():
        load.burst(server.port, 1, LOAD, headers=headers)
    order, begun = random.Random(42), time.monotonic()
    for number in range(scale.rounds):
        cost = {}
        for name in order.sample(sorted(asked), len(asked)):
            server, headers = asked[name]
            before = server.cpu_seconds()
            sample = load.burst(server.port, scale.seconds, LOAD, headers=headers)
            if sample.failed or not sample.requests:
                raise SystemExit(f"bench: requests through {name} failed; no figure counts")
            cost[name] = max(server.cpu_seconds() - before, 0.01) / sample.requests
            spent = f"{cost[name] * 1e6:.1f} us of processor time a request"
            say(f"tokens, round {number + 1} of {scale.rounds}, {name}: {spent}")
        samples[MODE_B].append(cost["mode B"] / cost["plain"])
        samples[MODE_A].append(cost["mode A"] / cost["plain"])
        samples[NGINX].append(cost["mode A"] / cost["nginx"])
        if "envoy" in cost:
            samples[ENVOY].append(cost["mode B"] / cost["envoy"])
    calls = len(around.report()["calls"])
    # For each mode and Envoy one or two at first, then one as often as tokens are renewed.
    if calls > 3 * (2 + (time.monotonic() - begun) // FRESH_SECONDS):
        raise SystemExit(f"bench: the provider was called {calls} times for tokens of an hour")


def cold(
    servers: Servers, programs: dict[str, str], backend: int, scale: Scale, samples: Samples
) -> None:
    """Everybody at once with one key that nobody has asked for. The provider takes two seconds, so
    that all of them wait together."""
    around = world(servers, "world-cold", 3600, 2)
    ours = gateway(servers, programs["carnet"], "tokens-cold", around.provider, backend)
    requests = scale.crowd * 100
    command = [*LOAD, programs["h2load"], "-n", str(requests), "-c", str(scale.crowd), "-m", "100"]
    command += ["-H", f"Authorization: {_basic('crowd', 'bench-secret')}"]
    command += ["-H", ":authority: a.localhost", f"http://127.0.0.1:{ours.port}/bench"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    answered = re.search(r"status codes: (\d+) 2xx", done.stdout)
    if answered is None:
        raise SystemExit(f"bench: h2load says\n{done.stdout}{done.stderr}")
    calls = len(around.report()["calls"])
    say(f"tokens, cold: {answered.group(1)} of {requests} answered 200, {calls} calls")
    if int(answered.group(1)) != requests or calls != 1:
        raise SystemExit("bench: one cold key must make one call, and everybody must be served")
    samples[CALLS].append(calls)
    samples[ANSWERED].append(int(answered.group(1)) * (10_000 / requests))


def many(servers: Servers, programs: dict[str, str], scale: Scale, samples: Samples) -> None:
    """Many clients with tokens of a short life, for some minutes."""
    around = world(servers, "world-many", scale.life_s, 0)
    ours = gateway(servers, programs["carnet"], "tokens-many", around.provider, around.backend)
    # The question whether it serves came without a token.
    wrong_before = around.report()["wrong"]
    _visit(ours.port, 64, 2000, 1)
    before = _resident(ours)
    loaded = _visit(ours.port, scale.keys, 0, 0)
    bytes_each = (_resident(ours) - before) / scale.keys - _token_length(around)
    say(f"tokens, many: {loaded['origins']} loaded, {bytes_each:.0f} bytes each beside the token")
    samples[BYTES].append(bytes_each)
    calls_before = len(around.report()["calls"])
    began = time.time()
    seen = _visit(ours.port, scale.keys, scale.rate, scale.minutes * 60)
    report = around.report()
    wrong = report["wrong"] - wrong_before
    total = sum(seen["statuses"].values())
    waited = 100 * seen["origins"].get("miss", 0) / total
    # By whole seconds, without the first life, in which everybody's begin together.
    settled = [at for at in report["calls"][calls_before:] if at - began > scale.life_s]
    rates = Counter(int(at - began) for at in settled)
    mean = len(settled) / max(scale.minutes * 60 - scale.life_s, 1)
    peak = max(rates.values(), default=0) / max(mean, 0.001)
    say(
        f"tokens, many: {seen['statuses']}, {seen['origins']}, {report['expired']} expired, "
        f"{wrong} wrong, {mean:.0f} calls/s in the mean, {peak:.2f} of it at most, "
        f"the load was {seen['late_s']} s late at worst"
    )
    if seen["statuses"] != {"200": total} or report["expired"] or wrong:
        raise SystemExit("bench: a request failed, or the backend saw a token that it must not see")
    samples[EXPIRED].append(report["expired"])
    samples[WAITED].append(waited)
    samples[PEAK].append(peak)


def _visit(port: int, keys: int, rate: float, seconds: float) -> dict:
    words = [str(port), "a.localhost", str(keys), str(rate), str(seconds)]
    command = [*LOAD, sys.executable, str(HERE / "tokens_load.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 120, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench: the load ended with\n{done.stderr}")
    return json.loads(done.stdout)


def _token_length(around: World) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{around.provider}/token", b"client_id=client-1000", method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return len(json.load(answer)["access_token"])


def _resident(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024


def _ask(port: int, host: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/bench", headers={"Host": host})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read().decode()


def _basic(name: str, secret: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"
