"""What people's browsers meet: carnet's server, consent application and gateway from manifests, and
an application that logs people in; all of it on a network of its own, where port 80 is free."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import application
from application import Application, call
from processes import Processes

HERE = Path(__file__).resolve().parent
INSIDE = "CARNET_PEOPLE_INSIDE"
ADMIN = "http://127.0.0.1:4445"


def enter() -> None:
    """Starts this program again on a network of its own, unless it is there already."""
    if os.environ.get(INSIDE):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    os.environ[INSIDE] = "1"
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    os.execvp("unshare", ["unshare", *user, "--net", sys.executable, *sys.argv])


class Stand:
    """Everything that runs."""

    def __init__(self, carnet: str, folder: Path, processes: Processes) -> None:
        self.carnet, self.folder, self.processes = carnet, folder, processes
        # Manifests that change meanwhile.
        self.routes = folder / "routes"

    def start(self, manifests: Path) -> None:
        """The manifests under `up`, the client, and its application."""
        self.routes.mkdir()
        shutil.copy(HERE / "manifests/whoami.yaml", self.routes)
        command = [
            self.carnet, "up", "-f", str(manifests), "-f", str(HERE / "manifests/application.yaml"),
            "-f", str(self.routes),
            "--entrypoints.web.address=127.0.0.1:80",
            "--endpoint", f"hydra/application:80=127.0.0.1:{application.PORT}",
        ]  # fmt: skip
        self.processes.start("carnet", command, self._serves)
        client = admin("POST", "/admin/clients", application.CLIENT)
        self.application = Application(client["client_id"])
        self.application.serve()

    def said(self) -> str:
        """The log of everything that carnet runs."""
        return (self.folder / "carnet.out").read_text(encoding="utf-8", errors="replace")

    def _serves(self) -> bool:
        """Through every route, and on the admin port."""
        urllib.request.urlopen(f"{ADMIN}/health/ready", timeout=2).close()
        try:
            status, _ = call("GET", "/health/ready", {})
            # It has a page for everything but asks for a challenge first.
            with_challenge, _ = call("GET", "/health", {"Host": "consent.docker.localhost"})
        except json.JSONDecodeError:
            # The gateway's own page: the route is not there yet.
            return False
        return status == with_challenge == 200


def admin(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """A call of the admin API, which has no route."""
    data = None if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{ADMIN}{path}", data, kind, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read() or b"{}")


def check(is_so: object, what: str, *seen: object) -> None:
    """Ends the run when something is not so."""
    if not is_so:
        raise SystemExit(f"NOT SO: {what}\n{chr(10).join(map(str, seen))}")
