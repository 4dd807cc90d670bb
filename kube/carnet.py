"""The binary under test: its gateway, and the other programs that it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from cluster import Cluster

PING, ALIVE, READY = (f"http://127.0.0.1:8081/{path}" for path in ("ping", "livez", "readyz"))
ENTRY_POINTS = "web: {address: ':80'}, traefik: {address: '127.0.0.1:8081'}"
STATIC = """entryPoints: {%s}
providers: {kubernetesCRD: {%s}%s}
api: {insecure: true}
ping: {}
log: {level: INFO}
"""


class Carnet:
    """Processes that end with the `with` block."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program, self.folder = program, folder
        # Where its configuration is.
        self.files = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Carnet:
        self.folder.mkdir(exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(list(self.running)):
            self.stop(name)

    def gateway(
        self, cluster: Cluster, options: str = "", ready: bool = True, more: str = "", entry_points: str = ENTRY_POINTS
    ) -> subprocess.Popen[bytes]:
        """A gateway that follows the cluster; `more` are other providers."""
        command, variables = self.following(cluster, "gateway", STATIC % (entry_points, options, more))
        return self.start("gateway", command, variables, ready=PING if ready else None)

    def following(self, cluster: Cluster, name: str, static: str) -> tuple[list[str], dict[str, str]]:
        """The command and the variables of a gateway with this configuration."""
        path = self.written(f"{name}.yaml", static)
        access = self.written("kubeconfig", cluster.kubeconfig.read_text(encoding="utf-8"))
        return ["gateway", f"--configfile={path}"], {"KUBECONFIG": str(access)}

    def start(
        self, name: str, command: list[str], variables: dict[str, str] | None = None, ready: str | None = None
    ) -> subprocess.Popen[bytes]:
        """A process, once `ready` answers 200."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **(variables or {})}
        with open(self.log(name), "ab") as log:
            process = subprocess.Popen(
                **self.begun(name, command), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env=environment,
            )
        self.running[name] = process
        until = time.monotonic() + 30
        while ready is not None and not answers(ready):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"error: {name} is not ready:\n{self.log(name).read_text(errors='replace')[-3000:]}")
            time.sleep(0.02)
        return process

    def start_other(
        self, name: str, command: list[str], environment: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """A process of another program, which ends with ours."""
        with open(self.log(name), "ab") as log:
            self.running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder,
                env=environment,
            )
        return self.running[name]

    def begun(self, name: str, command: list[str]) -> dict[str, object]:
        """How a program is started."""
        return {"args": [self.program, *command], "cwd": self.folder}

    def written(self, name: str, text: str) -> Path:
        """A file that its programs can read."""
        path = self.files / name
        path.write_text(text, encoding="utf-8")
        return path

    def until_ready(self, within: float) -> None:
        """Until the gateway has its first configuration."""
        until(READY, within)

    def until_alive(self, within: float) -> None:
        """Until it answers at all."""
        until(ALIVE, within)

    def stop(self, name: str) -> int:
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def run(self, command: list[str]) -> str:
        """What a command prints; it must not fail."""
        begun = self.begun(command[0], command)
        done = subprocess.run(**begun, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise AssertionError(f"{command[:2]} failed: {done.stderr}")
        return done.stdout

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


def until(url: str, within: float) -> None:
    end = time.monotonic() + within
    while not answers(url):
        assert time.monotonic() < end, f"{url} does not answer 200 after {within} s"
        time.sleep(0.02)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False
