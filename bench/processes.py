"""Programs beside each other: started, waited for, ended by their own ids."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable


@dataclass
class Processes:
    """Everything that was started; ends with the `with` block."""

    directory: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(
        self, name: str, command: list[str], answers: Callable[[], bool]
    ) -> subprocess.Popen[bytes]:
        """Starts a program and waits until it answers as it should."""
        said = self.directory / f"{name}.out"
        with open(said, "wb") as output:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        self.running.append(process)
        until = time.monotonic() + 20
        while time.monotonic() < until and process.poll() is None:
            try:
                if answers():
                    return process
            except OSError:
                pass
            time.sleep(0.05)
        text = said.read_text(errors="replace")
        raise SystemExit(f"{name} does not answer as it should; it said:\n{text}")

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
        for process in reversed(self.running):
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, no two the same. Not of those that the system gives to outgoing
    connections: between this look and the program's start, one of them could take the port."""
    ports: list[int] = []
    for port in random.sample(range(20_000, 32_000), 2_000):
        if len(ports) == count:
            return ports
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
                ports.append(port)
            except OSError:
                pass
    raise SystemExit(f"there are no {count} free ports between 20000 and 32000")
