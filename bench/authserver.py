"""The authorization server's figures. What it is held against runs on the same core in the same
round: the signing library alone, a server that does nothing, the same server in another state."""

from __future__ import annotations

import base64
import hashlib
import random
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

import load
from load import Yardstick
from machine import SERVER, say
from processes import Processes, free_ports
from report import Target
from servers import Server
from token_server import INTROSPECT, TOKEN, Client, TokenServer, serve

# What keys tokens are signed with; for the yardstick their algorithm and bits.
KEYS = {
    "ES256": ("{algorithm: ES256}", "ES256", 0),
    "RS256-2048": ("{algorithm: RS256}", "RS256", 2048),
    "RS256-4096": ("{algorithm: RS256, rsa_bits: 4096}", "RS256", 4096),
}
# A secret, and its hash by bcrypt, which the standard library cannot make.
SECRET = "an old secret of a client"
BCRYPT = "$2a$10$abcdefghijklmnopqrstuuuc.rdrn4G29nUQ4531XKwXB577jHaFS"
# An answer about a token that does not count is shorter.
ACTIVE_BYTES = 300

TARGETS = [
    Target("tokens against signatures, ES256", ">=", 0.45, 0.6),
    Target("tokens against signatures, RS256-2048", ">=", 0.85, 0.95),
    Target("tokens against signatures, RS256-4096", ">=", 0.93, 0.98),
    Target("half of capacity, ES256: p99 against the median", "<=", 6, 3),
    Target("introspection against an empty answer: each token once", "<=", 6, 4),
    Target("introspection against an empty answer: the same token again", "<=", 2.5, 1.7),
    Target("processor time a token: many clients against ten", "<=", 1.3, 1.1),
    Target("resident MB with many clients", "<=", 300, 100),
    Target("tokens, PBKDF2 against generated secrets", ">=", 0.9, 0.97),
    Target("tokens, bcrypt against generated secrets", ">=", 0.9, 0.97),
    Target("resident MB idle", "<=", 30, 15),
]


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    rounds: int
    # Of a burst.
    seconds: float
    # Registered at the full server.
    clients: int
    # Introspected once each in a round.
    tokens: int


@dataclass
class Bench:
    """What runs, and what it came to: by the name of a figure a sample a round."""

    processes: Processes
    carnet: str
    yardstick: Yardstick
    extent: Extent
    samples: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, value: float) -> None:
        self.samples.setdefault(name, []).append(value)

    def serve(self, name: str, keys: str = "ES256", in_file: bool = False) -> TokenServer:
        return serve(self.processes, self.carnet, name, SERVER, KEYS[keys][0], in_file)

    def serve_nothing(self) -> Server:
        """A server whose answers are empty."""
        [port] = free_ports(1)
        command = self.yardstick.empty(port)
        process = self.processes.start("empty", command, lambda: _listens(port))
        return Server("empty", port, process)

    def forms(self, name: str, lines: list[tuple[str, str]]) -> Path:
        return load.write_forms(self.processes.directory / f"{name}.forms", lines)

    def cost(self, server: Server, path: str, forms: Path, once: bool = False) -> float:
        """Processor time of a request, in microseconds."""
        before = server.cpu_seconds()
        seconds = None if once else self.extent.seconds
        posted = self.yardstick.post(server.port, path, forms, seconds)
        used = max(server.cpu_seconds() - before, 0.01)
        if path == INTROSPECT and server.name != "empty" and posted.bytes_each < ACTIVE_BYTES:
            raise SystemExit("bench: tokens were not active; no figure counts")
        self.note(f"requests/s, {forms.stem}", posted.per_second)
        return 1e6 * used / posted.requests


def measure(
    processes: Processes, carnet: str, yardstick: Yardstick, extent: Extent
) -> dict[str, list[float]]:
    """All figures, round by round: what slows the machine for a while hits all alike."""
    bench = Bench(processes, carnet, yardstick, extent)
    idle(bench)
    many = ManyClients(bench)
    signing = [Signing(bench, keys) for keys in KEYS]
    scenarios = [*signing, Pace(bench), Introspection(bench), many, ImportedSecrets(bench)]
    order = random.Random(42)
    for number in range(extent.rounds):
        for scenario in order.sample(scenarios, len(scenarios)):
            scenario.round()
        say(f"authserver, round {number + 1} of {extent.rounds}")
    return bench.samples


def idle(bench: Bench) -> None:
    """Memory of a server that has keys and a database, and nothing to do."""
    for number in range(min(bench.extent.rounds, 5)):
        with Processes(bench.processes.directory) as alone:
            server = serve(alone, bench.carnet, f"idle{number}", SERVER, "{}", in_file=True)
            time.sleep(1)
            bench.note("resident MB idle", server.resident_mb)


class Signing:
    """Tokens for a generated secret against signatures of the library alone."""

    def __init__(self, bench: Bench, keys: str) -> None:
        self.bench, self.keys = bench, keys
        self.server = bench.serve(keys, keys)
        self.forms = bench.forms(keys, [self.server.new_client().form()])

    def round(self) -> None:
        bench, keys = self.bench, self.keys
        _, algorithm, bits = KEYS[keys]
        tokens = 1e6 / bench.cost(self.server.public, TOKEN, self.forms)
        signatures = bench.yardstick.sign(algorithm, bits, bench.extent.seconds)
        bench.note(f"tokens per CPU second, {keys}", tokens)
        bench.note(f"signatures per CPU second, {keys}", signatures)
        bench.note(f"tokens against signatures, {keys}", tokens / signatures)


class Pace:
    """How long answers take when the server has half of the work that it can do; and those of a
    server that does nothing at the same pace, which is what the machine itself makes wait."""

    def __init__(self, bench: Bench) -> None:
        server = bench.serve("paced")
        self.bench, self.server, self.empty = bench, server.public, bench.serve_nothing()
        self.forms = bench.forms("paced", [server.new_client().form()])

    def round(self) -> None:
        bench, server = self.bench, self.server
        full = bench.yardstick.post(server.port, TOKEN, self.forms, bench.extent.seconds)
        rate, seconds = full.per_second / 2, bench.extent.seconds
        half = bench.yardstick.post(server.port, TOKEN, self.forms, seconds, rate)
        nothing = bench.yardstick.post(self.empty.port, TOKEN, self.forms, seconds, rate)
        for what, posted in {"ES256": half, "an empty answer instead": nothing}.items():
            bench.note(f"half of capacity, {what}: median µs", posted.p50_us)
            bench.note(f"half of capacity, {what}: p99 µs", posted.p99_us)
            away = 100 * posted.away_ms / (1e3 * seconds)
            bench.note(f"half of capacity, {what}: the load was kept waiting, %", away)
        name = "half of capacity, ES256: p99 against the median"
        bench.note(name, half.p99_us / half.p50_us)


class Introspection:
    """A token looked at for the first time, and again, against an empty answer."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.server = bench, bench.serve("introspecting", "RS256-2048")
        public = self.server.public
        self.admin = Server(public.name, self.server.admin, public.process)
        self.client = self.server.new_client()
        self.empty = bench.serve_nothing()

    def round(self) -> None:
        bench = self.bench
        lines = self.server.tokens(self.client, bench.extent.tokens)
        lines = [("", f"token={token}") for token in lines]
        each, same = bench.forms("each", lines), bench.forms("same", lines[:1])
        costs = {
            "each token once": bench.cost(self.admin, INTROSPECT, each, once=True),
            "the same token again": bench.cost(self.admin, INTROSPECT, same),
        }
        nothing = bench.cost(self.empty, INTROSPECT, same)
        bench.note("an empty answer, µs", nothing)
        for name, cost in costs.items():
            bench.note(f"introspection, µs: {name}", cost)
            bench.note(f"introspection against an empty answer: {name}", cost / nothing)


class ManyClients:
    """A server with many clients in a file against one with ten."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        say(f"authserver: making {bench.extent.clients} clients")
        self.few, self.few_forms = self._full("ten", 10)
        self.many, self.many_forms = self._full("many", bench.extent.clients)
        # The first look at a client reads it from the file.
        bench.yardstick.post(self.many.public.port, TOKEN, self.many_forms)

    def _full(self, name: str, count: int) -> tuple[TokenServer, Path]:
        with Processes(self.bench.processes.directory) as making:
            maker = serve(making, self.bench.carnet, name, [], KEYS["ES256"][0], in_file=True)
            clients = maker.new_clients(count)
        random.Random(42).shuffle(clients)
        forms = self.bench.forms(name, [client.form() for client in clients])
        return self.bench.serve(name, in_file=True), forms

    def round(self) -> None:
        ten = self.bench.cost(self.few.public, TOKEN, self.few_forms)
        many = self.bench.cost(self.many.public, TOKEN, self.many_forms)
        self.bench.note("µs a token, ten clients", ten)
        self.bench.note("µs a token, many clients", many)
        self.bench.note("processor time a token: many clients against ten", many / ten)
        self.bench.note("resident MB with many clients", self.many.resident_mb)


class ImportedSecrets:
    """Secrets whose hashes were imported, from their second use on, against generated ones."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.server = bench, bench.serve("importing", in_file=True)
        salt = b"0123456789abcdef"
        derived = hashlib.pbkdf2_hmac("sha256", SECRET.encode(), salt, 25_000)
        pbkdf2 = f"$pbkdf2-sha256$i=25000,l=32${_base64(salt)}${_base64(derived)}"
        generated, one, other = self.server.new_clients(3)
        one = self.server.import_hash(one, SECRET, pbkdf2)
        other = self.server.import_hash(other, SECRET, BCRYPT)
        # The server sees within a second what another process wrote.
        time.sleep(1)
        clients = {"generated": generated, "PBKDF2": one, "bcrypt": other}
        self.forms = {name: self._used_once(name, client) for name, client in clients.items()}

    def _used_once(self, name: str, client: Client) -> Path:
        self.server.tokens(client, 1)
        return self.bench.forms(name, [client.form()])

    def round(self) -> None:
        cost = {
            name: self.bench.cost(self.server.public, TOKEN, forms)
            for name, forms in self.forms.items()
        }
        for name in ("PBKDF2", "bcrypt"):
            ratio = cost["generated"] / cost[name]
            self.bench.note(f"tokens, {name} against generated secrets", ratio)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
