"""The disk of the access log is full: lines are lost, requests are not."""

from __future__ import annotations

import http.client
import re
import subprocess
import time

from gateway import Backend, Gateway
from regular import Regular
from stage import Stage, wait_until

ROOM = "64k"
SECONDS = {"short": 3, "long": 20}


def play(stage: Stage) -> dict[str, float]:
    """Fills the disk by asking, goes on asking, makes room."""
    seconds = SECONDS[stage.form]
    disk = stage.folder / "logs"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(disk)]
    subprocess.run(mount, check=True)
    try:
        with Backend(stage.carnet, stage.folder) as backend:
            gateway = Gateway(stage.carnet, stage.folder, 1, 0)
            gateway.flags += [
                f"--accesslog.filepath={disk}/access.log",
                "--metrics.prometheus.entrypoint=web",
            ]
            gateway.write({"/": backend.port})
            with gateway:
                gateway.start()
                return _fill(gateway, disk / "access.log", seconds)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _fill(gateway, file, seconds: float) -> dict[str, float]:
    visitor = Regular(gateway.port)
    visitor.ask_for(1)
    room = visitor.p99_s()
    while _lost(gateway) == 0:
        visitor.ask()
    visitor.p99_s()
    told = gateway.said().count("\n")
    began = time.monotonic()
    visitor.ask_for(seconds)
    lines = (gateway.said().count("\n") - told) / (time.monotonic() - began)
    full = visitor.p99_s()
    lost = _lost(gateway)
    with open(file, "w", encoding="utf-8"):
        pass

    def written() -> bool:
        visitor.ask()
        return '"GET / HTTP/1.1" 200' in file.read_text(encoding="utf-8", errors="replace")

    recovery = wait_until(written)
    visitor.close()
    return {
        "answered": visitor.answered,
        "lost": visitor.lost,
        "lines_lost": lost,
        "log_lines_per_s": lines,
        "p99_ratio": full / room,
        "recovery_s": recovery,
        "panics": gateway.said().count("panicked"),
    }


def _lost(gateway) -> float:
    """How many lines were lost, as the gateway counts them."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.search(r"^carnet_access_log_lost_lines_total (\d+)$", text, re.MULTILINE)
    return float(found.group(1)) if found else 0
