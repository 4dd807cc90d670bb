"""Redis servers of the faults: single, watched by sentinels, or a cluster; and a client of a few lines."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from pathlib import Path

from processes import free_ports
from stage import wait_until

PASSWORD = "redis-canary"
RIGHTS = "+hello +auth +ping +get +pttl +set +del +eval +pexpire"


def user(more: str = "") -> str:
    """The line of a configuration for a user `gateways` with no more rights than docs/reference/token-store.md
    asks for."""
    return f"user gateways on >{PASSWORD} ~gw:carnet:* {RIGHTS} {more}".strip()


class Redis:
    """One `redis-server`, or `redis-sentinel`, at a port that stays the same."""

    def __init__(self, folder: Path, *options: str, port: int | None = None, program: str = "redis-server") -> None:
        self.port = port or free_ports(1)[0]
        self.folder = folder / f"redis-{self.port}"
        self.folder.mkdir(exist_ok=True)
        self.program, self.options = program, options
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Redis:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Starts it with its last configuration; what a sentinel learned it keeps."""
        found = shutil.which(self.program)
        if not found:
            raise SystemExit(f"faults: install {self.program}; scripts/test.sh faults does it")
        configuration = self.folder / "redis.conf"
        if not configuration.exists():
            lines = [f"port {self.port}", "bind 127.0.0.1", "save ''", f"dir {self.folder}", *self.options]
            configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [found, str(configuration)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        if wait_until(self.answers, 20) >= 20:
            said = (self.folder / "log").read_text(errors="replace")[-2000:]
            raise SystemExit(f"faults: {self.program} does not answer\n{said}")

    def kill(self) -> None:
        """At once; a stopped one goes on first."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        if self.process:
            self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Such as SIGSTOP."""
        self.process.send_signal(number)

    def answers(self) -> bool:
        """Whether it answers."""
        try:
            return self.ask("PING") in ("PONG", "NOAUTH")
        except (OSError, ValueError):
            return False

    def ask(self, *words: str | bytes):
        """One command. An error is its first word."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            with connection.makefile("rb") as reader:
                if any("requirepass" in option for option in self.options):
                    connection.sendall(packed("AUTH", PASSWORD))
                    reply(reader)
                connection.sendall(packed(*words))
                return reply(reader)


def packed(*words: str | bytes) -> bytes:
    """A command as Redis reads it."""
    words = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def reply(reader):
    """An answer: texts, numbers, bytes, or lists of them."""
    line = reader.readline()
    kind, text = line[:1], line[1:].strip()
    if kind == b"+":
        return text.decode()
    if kind == b"-":
        return text.decode().split(" ")[0]
    if kind == b":":
        return int(text)
    if kind == b"$":
        return None if int(text) < 0 else reader.read(int(text) + 2)[:-2]
    if kind == b"*":
        return [reply(reader) for _ in range(max(0, int(text)))]
    raise ValueError("no answer")


class Watched:
    """A server, its replica, and three sentinels that watch them."""

    NAME = "tokens"

    def __init__(self, folder: Path) -> None:
        secret = (f"requirepass {PASSWORD}", f"masterauth {PASSWORD}", user("+role"))
        first = Redis(folder, *secret)
        self.servers = [first, Redis(folder, *secret, f"replicaof 127.0.0.1 {first.port}")]
        self.sentinels = [
            Redis(
                folder,
                f"sentinel monitor {self.NAME} 127.0.0.1 {first.port} 2",
                f"sentinel auth-pass {self.NAME} {PASSWORD}",
                f"sentinel down-after-milliseconds {self.NAME} 1000",
                f"sentinel failover-timeout {self.NAME} 3000",
                program="redis-sentinel",
            )
            for _ in range(3)
        ]

    def __enter__(self) -> Watched:
        for server in self.servers + self.sentinels:
            server.start()
        if wait_until(self._is_known, 30) >= 30:
            raise SystemExit("faults: the sentinels do not find each other")
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.sentinels + self.servers:
            server.kill()

    def main(self) -> Redis:
        """The one that is written to."""
        _, port = self.sentinels[0].ask("SENTINEL", "get-master-addr-by-name", self.NAME)
        return next(server for server in self.servers if server.port == int(port))

    def _is_known(self) -> bool:
        def told(sentinel: Redis) -> dict[bytes, bytes]:
            flat = sentinel.ask("SENTINEL", "master", self.NAME)
            return dict(zip(flat[::2], flat[1::2]))

        seen = [told(sentinel) for sentinel in self.sentinels]
        return all(one[b"num-slaves"] == b"1" and one[b"num-other-sentinels"] == b"2" for one in seen)


class Cluster:
    """Three nodes without replicas, which share 16,384 slots."""

    def __init__(self, folder: Path) -> None:
        options = ("cluster-enabled yes", "cluster-node-timeout 2000", "cluster-require-full-coverage no")
        options += (user("+cluster|slots +asking"),)
        self.nodes = [Redis(folder, *options, port=port) for port in _low_ports(3)]

    def __enter__(self) -> Cluster:
        for node in self.nodes:
            node.start()
        addresses = [f"127.0.0.1:{node.port}" for node in self.nodes]
        self._cli("--cluster", "create", *addresses, "--cluster-yes")
        if wait_until(lambda: all(self._is_whole(node) for node in self.nodes), 30) >= 30:
            raise SystemExit("faults: the cluster does not come about")
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()

    def move(self, slots: int) -> None:
        """Moves slots from the first node to the second."""
        first, second = (node.ask("CLUSTER", "MYID").decode() for node in self.nodes[:2])
        self._cli(
            "--cluster", "reshard", f"127.0.0.1:{self.nodes[0].port}", "--cluster-from", first,
            "--cluster-to", second, "--cluster-slots", str(slots), "--cluster-yes",
        )

    def keys(self) -> int:
        """In all nodes."""
        return sum(node.ask("DBSIZE") for node in self.nodes)

    def _is_whole(self, node: Redis) -> bool:
        return b"cluster_state:ok" in node.ask("CLUSTER", "INFO")

    def _cli(self, *words: str) -> None:
        done = subprocess.run(["redis-cli", *words], capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise SystemExit(f"faults: redis-cli {' '.join(words[:2])}\n{done.stdout[-2000:]}{done.stderr}")


def _low_ports(count: int) -> list[int]:
    """Nodes of a cluster also listen 10,000 ports higher."""
    found: list[int] = []
    while len(found) < count:
        port, = free_ports(1)
        if port not in found and _is_free(port + 10_000):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
        return True
    except (OSError, OverflowError):
        return False
