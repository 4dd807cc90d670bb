"""The proxies and the backend: committed configurations filled in, started, checked, ended."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import load
from processes import Processes, free_ports

PEERS = Path(__file__).parent / "peers"
BODY = "0123456789abcdef" * 8
# What the backend has beside it, in bytes.
FILES = {"100k": 100_000, "10m": 10_000_000}


@dataclass
class Server:
    """A running program and where it listens."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    tls: int = 0

    def cpu_seconds(self) -> float:
        """Time on the processor so far, of the program and its children."""
        ticks = sum(_ticks(pid) for pid in _family(self.process.pid))
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """Resident memory of the program and its children."""
        return sum(_resident_kib(pid) for pid in _family(self.process.pid)) / 1024


class Servers(Processes):
    """Backend and proxies, each with its configuration filled in."""

    def serve(
        self, name: str, program: str, backend: int, pin: list[str], chat: int = 0
    ) -> Server:
        """Starts a program on free ports and waits until it answers. `chat`: where WebSockets lead."""
        port, tls = free_ports(2)
        self._materials()
        values = {
            "DIR": str(self.directory),
            "NAME": name,
            "LISTEN": str(port),
            "TLS": str(tls),
            "BACKEND": str(backend or port),
            "CHAT": str(chat or port),
            "HOSTNAME": socket.gethostname(),
        }
        for source in _configurations(name):
            target = self.directory / source.name.replace("traefik", name)
            text = _filled(source.read_text(encoding="utf-8"), values)
            target.write_text(text, encoding="utf-8")
        command = [*pin, *_command(name, program, self.directory)]
        process = self.start(name, command, lambda: ask(port, "/bench") == BODY)
        return Server(name, port, process, tls)


    def chat(self, carnet: str, pin: list[str]) -> int:
        """The port of a service that sends WebSocket messages back."""
        [port] = free_ports(1)
        command = [*pin, carnet, "whoami", "--port", str(port)]
        self.start("chat", command, lambda: _answers_at_all(port))
        return port

    def _materials(self) -> None:
        """A certificate, and the files that the backend has."""
        folder = self.directory
        if (folder / "both.pem").exists():
            return
        for name, size in FILES.items():
            (folder / name).write_bytes(b"x" * size)
        (folder / "packed.json").write_text(_json(100_000), encoding="ascii")
        command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-days", "2"]
        command += ["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", f"/CN={load.HOST}"]
        command += ["-addext", f"subjectAltName=DNS:{load.HOST}"]
        command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
        subprocess.run(command, check=True, capture_output=True)
        parts = [(folder / name).read_text("ascii") for name in ("certificate.pem", "key.pem")]
        (folder / "both.pem").write_text("".join(parts), encoding="ascii")


def _json(size: int) -> str:
    """What an interface answers: records that are alike and not the same, about so many bytes."""
    rolled, records, length = random.Random(42), [], 0
    while length < size:
        number = rolled.randrange(10**9)
        record = {"id": number, "name": f"item-{number % 977}", "price": rolled.randrange(10**5) / 100}
        record |= {"tags": rolled.sample(["new", "sale", "blue", "large"], 2), "stock": rolled.random() < 0.5}
        records.append(record)
        length += len(json.dumps(record)) + 2
    return json.dumps(records)


def _answers_at_all(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return answer.status == 200


def ask(port: int, path: str) -> str:
    """One request as the load sends them; anything but 200 is an OSError."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=load.HEADERS)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read().decode()


def check_headers(server: Server) -> None:
    """All proxies must send the same: what one leaves out would make it look fast."""
    said = dict(line.split("=", 1) for line in ask(server.port, "/headers").splitlines())
    names = said.pop("server")
    expected = {
        "host": load.HOST,
        # Envoy says its own address in place of a loopback one.
        "for": said["for"] if server.name == "envoy" else "127.0.0.1",
        "forwarded-host": load.HOST,
        "port": said["port"],
        "proto": "http",
        "real-ip": "127.0.0.1",
        "connection": "HTTP/1.1",
    }
    if said != expected or not names or said["port"] not in ("80", str(server.port)):
        raise SystemExit(f"bench: {server.name} sends other headers than the rest: {said}")


def _configurations(name: str) -> list[Path]:
    if name in ("traefik", "carnet"):
        return [PEERS / "traefik.yaml", PEERS / "traefik-dynamic.yaml"]
    if name == "haproxy":
        return [PEERS / "haproxy.cfg"]
    if name == "envoy":
        return [PEERS / "envoy.yaml"]
    return [PEERS / f"{name}.conf"]


def _command(name: str, program: str, directory: Path) -> list[str]:
    if name == "carnet":
        return [program, "gateway", "--configfile", str(directory / "carnet.yaml")]
    if name == "traefik":
        return [program, f"--configfile={directory}/traefik.yaml"]
    if name == "envoy":
        quiet = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
        return [program, "-c", str(directory / "envoy.yaml"), *quiet]
    if name == "haproxy":
        return [program, "-db", "-f", str(directory / "haproxy.cfg")]
    return [program, "-p", str(directory), "-c", str(directory / f"{name}.conf")]


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        direct = [int(child) for child in children.read_text().split()]
    except OSError:
        return [pid]
    return [pid, *(member for child in direct for member in _family(child))]


def _resident_kib(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(lines[0].split()[1]) if lines else 0


def _ticks(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = stat.rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])
