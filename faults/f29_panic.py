"""F29: a defect of the gateway's own, met by some requests among others."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import threading
import time

from gateway import ROOT, Backend, Gateway
from stage import Stage
from visitors import Http1, Http2, Tally

SECONDS = {"short": 2, "long": 20}
# The name that `crates/cli/src/boot/fail_point.rs` falls over.
DEFECT = "http://fail-point.invalid"
SECRET = "canary-7f3a9c"
ROUTES = """
http:
  routers:
    defect: {{rule: 'PathPrefix(`/defect`)', service: defect}}
    r: {{rule: 'PathPrefix(`/`)', service: s}}
  services:
    defect: {{loadBalancer: {{servers: [{{url: '{defect}'}}]}}}}
    s: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:{port}'}}]}}}}
"""


def play(stage: Stage) -> dict[str, float]:
    """Some ask for the defect over connections that they keep; others ask as ever."""
    tally, stop = Tally(), threading.Event()
    carnet = _build()
    with Backend(carnet, stage.folder) as backend:
        gateway = Gateway(carnet, stage.folder, 1, 0)
        gateway.flags.append("--metrics.prometheus.entrypoint=web")
        text = ROUTES.format(defect=DEFECT, port=backend.port)
        (stage.folder / "routes.yaml").write_text(text, encoding="utf-8")
        with gateway:
            gateway.start()
            visitors = [Http1(gateway.port, tally, stop, 0.01, keeps) for keeps in (True, False)]
            visitors.append(Http2(gateway.port, tally, stop))
            threads = [threading.Thread(target=visitor.visit) for visitor in visitors]
            for thread in threads:
                thread.start()
            answers = _meet_it(gateway.port, SECONDS[stage.form])
            stop.set()
            for thread in threads:
                thread.join()
            alive = gateway.processes[-1].poll() is None
            return {
                "defects_met": len(answers),
                "not_500": sum(status != 500 for status in answers),
                "not_counted": abs(_counted(gateway.port) - len(answers)),
                "answered": tally.count("answered"),
                "lost": sum(tally.count(what) for what in ("lost", "refused", "reset")),
                "exits": 0 if alive else 1,
                "secrets_in_log": gateway.said().count(SECRET),
            }


def _meet_it(port: int, seconds: float) -> list[int | None]:
    """What is answered, over one connection, each time after a request that is served."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    answers: list[int | None] = []
    headers = {"Authorization": f"Bearer {SECRET}", "Cookie": f"a={SECRET}"}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for path in ("/", f"/defect?key={SECRET}"):
            try:
                connection.request("GET", path, headers=headers)
                response = connection.getresponse()
                response.read()
                status = response.status
            except (OSError, http.client.HTTPException):
                connection.close()
                status = None
            if path == "/" and status != 200:
                answers.append(None)
            elif path != "/":
                answers.append(status)
        time.sleep(0.02)
    connection.close()
    return answers


def _counted(port: int) -> int:
    """How many defects the gateway has counted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.search(r'^carnet_faults_total\{reason="internal"\} (\d+)', text, re.MULTILINE)
    return int(found.group(1)) if found else 0


def _build() -> str:
    """A build with the fail point: the one that `cargo test` makes."""
    command = ["cargo", "test", "--locked", "--quiet", "--workspace", "--no-run"]
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    return f"{target}/debug/carnet"
