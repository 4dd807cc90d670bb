"""The gateway under test: started, replaced, told to end. And what stands behind it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Callable

from backends import Listener
from processes import free_ports

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 20
PART = b"x" * 1024


class Gateway:
    """`carnet gateway` at a port that stays the same while processes come and go."""

    def __init__(self, carnet: str, folder: Path, grace_s: float, announce_s: float) -> None:
        self.carnet, self.folder = carnet, folder
        self.port, = free_ports(1)
        self.flags = [
            f"--upgrade-socket={folder}/upgrade.sock",
            f"--providers.file.filename={folder}/routes.yaml",
            f"--entrypoints.web.address=127.0.0.1:{self.port}",
            f"--entrypoints.web.transport.lifecycle.gracetimeout={int(grace_s * 1000)}ms",
            f"--entrypoints.web.transport.lifecycle.requestacceptgracetimeout={int(announce_s * 1000)}ms",
            "--ping.entrypoint=web",
            "--log.level=info",
        ]
        self.processes: list[subprocess.Popen[bytes]] = []
        # What it is started under: `prlimit` and the like.
        self.under: list[str] = []
        self.environment: dict[str, str] = {}

    def write(self, backends: dict[str, int]) -> None:
        """Routes by prefix, to ports."""
        lines = ["http:", "  routers:"]
        for prefix, port in backends.items():
            lines.append(f"    r{port}: {{rule: 'PathPrefix(`{prefix}`)', service: s{port}}}")
        lines.append("  services:")
        for port in backends.values():
            servers = f"[{{url: 'http://127.0.0.1:{port}'}}]"
            lines.append(f"    s{port}: {{loadBalancer: {{servers: {servers}}}}}")
        text = "\n".join(lines) + "\n"
        (self.folder / "routes.yaml").write_text(text, encoding="utf-8")

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    def start(self) -> None:
        """The first process."""
        self._spawn()
        self._until(lambda: self.ask("/readyz") == 200)

    def replace(self) -> float:
        """A newer process; how many seconds until it has taken over."""
        before, began = self.said().count("a newer process takes over"), time.monotonic()
        self._spawn()
        self._until(lambda: self.said().count("a newer process takes over") > before)
        return time.monotonic() - began

    def leaving(self, limit_s: float) -> Callable[[], float]:
        """How long the process that was just replaced takes to end, to be asked later."""
        process, began, took = self.processes[-2], time.monotonic(), [limit_s]

        def watch() -> None:
            try:
                process.wait(limit_s)
                took[0] = time.monotonic() - began
            except subprocess.TimeoutExpired:
                pass

        thread = threading.Thread(target=watch)
        thread.start()

        def seconds() -> float:
            thread.join()
            return took[0]

        return seconds

    def terminate(self) -> None:
        """Tells the last process to end."""
        self.processes[-1].send_signal(signal.SIGTERM)

    def failures(self) -> int:
        """How many processes did not end with 0."""
        return sum(process.wait(PATIENCE) != 0 for process in self.processes)

    def ask(self, path: str) -> int | None:
        """What is answered to somebody new; nothing when nobody is let in."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def busy_s(self) -> float:
        """Processor time of the last process until now."""
        stat = Path(f"/proc/{self.processes[-1].pid}/stat").read_text(encoding="ascii")
        fields = stat.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open_files(self) -> int:
        """How many files and sockets the last process has."""
        return len(os.listdir(f"/proc/{self.processes[-1].pid}/fd"))

    def memory_mib(self) -> float:
        """Resident memory of the last process."""
        status = Path(f"/proc/{self.processes[-1].pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def said(self) -> str:
        """The log of all processes."""
        return (self.folder / "gateway.log").read_text(encoding="utf-8", errors="replace")

    def _spawn(self) -> None:
        with open(self.folder / "gateway.log", "ab") as log:
            command = [*self.under, self.carnet, "gateway", *self.flags]
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment
            )
            self.processes.append(process)

    def _until(self, happens: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not happens():
            if time.monotonic() - began > PATIENCE or self.processes[-1].poll() is not None:
                raise SystemExit(f"faults: the gateway does not serve: {self.said()[-2000:]}")
            time.sleep(0.01)


class Backend:
    """`carnet whoami`."""

    def __init__(self, carnet: str, folder: Path) -> None:
        self.port, = free_ports(1)
        command = [carnet, "whoami", "--port", str(self.port)]
        with open(folder / "whoami.log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.02)
        raise SystemExit("faults: whoami does not serve")

    def __enter__(self) -> Backend:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


class Slow(Listener):
    """A backend whose answers take a while, and are as long as they say."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.parts = int(seconds / 0.1)

    def answer(self, connection: socket.socket) -> None:
        connection.recv(8192)
        length = self.parts * len(PART)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        for _ in range(self.parts):
            time.sleep(0.1)
            connection.sendall(PART)
