"""The proxies and the backend: committed configurations filled in, started, checked, ended."""

from __future__ import annotations

import os
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import load
from processes import Processes, free_ports

PEERS = Path(__file__).parent / "peers"
BODY = "0123456789abcdef" * 8


@dataclass
class Server:
    """A running program and where it listens."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        """Time on the processor so far, of the program and its children."""
        ticks = sum(_ticks(pid) for pid in _family(self.process.pid))
        return ticks / os.sysconf("SC_CLK_TCK")


class Servers(Processes):
    """Backend and proxies, each with its configuration filled in."""

    def serve(self, name: str, program: str, backend: int, pin: list[str]) -> Server:
        """Starts a program on a free port and waits until it answers."""
        [port] = free_ports(1)
        values = {
            "DIR": str(self.directory),
            "NAME": name,
            "LISTEN": str(port),
            "BACKEND": str(backend or port),
        }
        for source in _configurations(name):
            target = self.directory / source.name.replace("traefik", name)
            text = _filled(source.read_text(encoding="utf-8"), values)
            target.write_text(text, encoding="utf-8")
        command = [*pin, *_command(name, program, self.directory)]
        process = self.start(name, command, lambda: ask(port, "/bench") == BODY)
        return Server(name, port, process)


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
        "for": "127.0.0.1",
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
    return [PEERS / f"{name}.conf"]


def _command(name: str, program: str, directory: Path) -> list[str]:
    if name == "carnet":
        return [program, "gateway", "--configfile", str(directory / "carnet.yaml")]
    if name == "traefik":
        return [program, f"--configfile={directory}/traefik.yaml"]
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


def _ticks(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = stat.rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])
