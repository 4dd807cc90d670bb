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
SLOTS = 16_384
RIGHTS = "+hello +auth +ping +get +pttl +set +del +eval +pexpire"


def user(more: str = "") -> str:
    """The line of a configuration for a user `gateways` with no more rights than docs/reference/token-store.md
    asks for."""
    return f"user gateways on >{PASSWORD} ~gw:carnet:* {RIGHTS} {more}".strip()


class Certificates:
    """Of servers that speak TLS beside their plain port, with whoever shows the same certificate."""

    def __init__(self, folder: Path) -> None:
        key, certificate = folder / "redis.key", folder / "redis.pem"
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=redis",
                "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
            ],
            check=True, capture_output=True,
        )
        pem, private = (path.read_text(encoding="ascii").replace("\n", "\\n") for path in (certificate, key))
        # For the gateways, for the servers, and for `redis-cli`.
        self.material = f'ca: "{pem}", cert: "{pem}", key: "{private}"'
        self.options = (
            f"tls-cert-file {certificate}", f"tls-key-file {key}", f"tls-ca-cert-file {certificate}",
            "tls-auth-clients yes",
        )
        self.flags = ["--tls", "--cert", str(certificate), "--key", str(key), "--cacert", str(certificate)]


class Redis:
    """One `redis-server`, or `redis-sentinel`, at a port that stays the same; with certificates, gateways and
    other servers reach it at another one, by TLS."""

    def __init__(
        self, folder: Path, *options: str, port: int | None = None, program: str = "redis-server",
        certificates: Certificates | None = None,
    ) -> None:
        self.port = self.reached = port or free_ports(1)[0]
        if certificates:
            self.reached = _low_port()
            options += (f"tls-port {self.reached}", *certificates.options)
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

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        secret = (f"requirepass {PASSWORD}", f"masterauth {PASSWORD}", user("+role"), "tls-replication yes")
        first = Redis(folder, *secret, certificates=certificates)
        second = Redis(folder, *secret, f"replicaof 127.0.0.1 {first.reached}", certificates=certificates)
        self.servers = [first, second]
        self.sentinels = [
            Redis(
                folder,
                f"sentinel monitor {self.NAME} 127.0.0.1 {first.reached} 2",
                f"sentinel auth-pass {self.NAME} {PASSWORD}",
                f"sentinel down-after-milliseconds {self.NAME} 1000",
                f"sentinel failover-timeout {self.NAME} 3000",
                "tls-replication yes",
                program="redis-sentinel",
                certificates=certificates,
            )
            for _ in range(3)
        ]

    def __enter__(self) -> Watched:
        for server in self.servers:
            server.start()
        # Sentinels look again for a replica that they do not find after ten seconds only.
        wait_until(self.is_followed, 30)
        for sentinel in self.sentinels:
            sentinel.start()
        if wait_until(self._is_known, 30) >= 30:
            raise SystemExit("faults: the sentinels do not find each other")
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.sentinels + self.servers:
            server.kill()

    def main(self) -> Redis:
        """The one that is written to."""
        _, port = self.sentinels[0].ask("SENTINEL", "get-master-addr-by-name", self.NAME)
        return next(server for server in self.servers if server.reached == int(port))

    def is_followed(self) -> bool:
        """Whether one of them is the replica of the other, and up to date."""
        living = [server for server in self.servers if server.answers()]
        return any(server.ask("INFO", "replication").count(b"state=online") == 1 for server in living)

    def _is_known(self) -> bool:
        def told(sentinel: Redis) -> dict[bytes, bytes]:
            flat = sentinel.ask("SENTINEL", "master", self.NAME)
            return dict(zip(flat[::2], flat[1::2]))

        seen = [told(sentinel) for sentinel in self.sentinels]
        return all(one[b"num-slaves"] == b"1" and one[b"num-other-sentinels"] == b"2" for one in seen)


class Cluster:
    """Three nodes without replicas, which share 16,384 slots."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        options = ("cluster-enabled yes", "cluster-node-timeout 2000", "cluster-require-full-coverage no")
        options += (user("+cluster|slots +asking"), "tls-cluster yes")
        self.nodes = [Redis(folder, *options, certificates=certificates) for _ in range(3)]
        self.flags = certificates.flags

    def __enter__(self) -> Cluster:
        for node in self.nodes:
            node.start()
        share = SLOTS // len(self.nodes) + 1
        for at, node in enumerate(self.nodes):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", str(at + 1))
            node.ask("CLUSTER", "ADDSLOTSRANGE", str(at * share), str(min(SLOTS, (at + 1) * share) - 1))
        # On a busy machine they may not meet in time, and do not try again by themselves.
        for _ in range(15):
            for node in self.nodes[1:]:
                self.nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", str(node.reached))
            if wait_until(lambda: all(self._is_whole(node) for node in self.nodes), 3) < 3:
                return self
        raise SystemExit("faults: the cluster does not come about")

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()

    def move(self, slots: int) -> None:
        """Moves slots from the first node to the second."""
        first, second = (node.ask("CLUSTER", "MYID").decode() for node in self.nodes[:2])
        self._cli(
            "--cluster", "reshard", f"127.0.0.1:{self.nodes[0].reached}", "--cluster-from", first,
            "--cluster-to", second, "--cluster-slots", str(slots), "--cluster-yes",
        )

    def keys(self) -> int:
        """In all nodes."""
        return sum(node.ask("DBSIZE") for node in self.nodes)

    def _is_whole(self, node: Redis) -> bool:
        told = node.ask("CLUSTER", "INFO")
        return all(word in told for word in (b"cluster_state:ok", b"cluster_slots_ok:16384", b"cluster_size:3"))

    def _cli(self, *words: str) -> None:
        done = subprocess.run(["redis-cli", *self.flags, *words], capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise SystemExit(f"faults: redis-cli {' '.join(words[:2])}\n{done.stdout[-2000:]}{done.stderr}")


def _low_port() -> int:
    """Nodes of a cluster also listen 10,000 ports higher."""
    while True:
        port, = free_ports(1)
        if _is_free(port + 10_000):
            return port


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
        return True
    except (OSError, OverflowError):
        return False
