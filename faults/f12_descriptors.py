"""F12: more clients than the process has file descriptors for."""

from __future__ import annotations

import socket
import time

from gateway import Backend, Gateway
from regular import Regular
from stage import Stage, wait_until

FILES = 256
CLIENTS = 400
SECONDS = {"short": 3, "long": 20}


def play(stage: Stage) -> dict[str, float]:
    """Somebody was there before; then everybody comes, stays a while and leaves."""
    seconds = SECONDS[stage.form]
    with Backend(stage.carnet, stage.folder) as backend:
        gateway = Gateway(stage.carnet, stage.folder, 1, 0)
        gateway.under = ["prlimit", f"--nofile={FILES}"]
        gateway.write({"/": backend.port})
        with gateway:
            gateway.start()
            before = Regular(gateway.port)
            crowd = [_come(gateway.port) for _ in range(CLIENTS)]
            wait_until(lambda: "connections cannot be accepted" in gateway.said())
            told, busy = gateway.said().count("\n"), gateway.busy_s()
            time.sleep(seconds)
            lines = (gateway.said().count("\n") - told) / seconds
            share = (gateway.busy_s() - busy) / seconds
            before.ask_for(seconds)
            for client in crowd:
                client.close()
            recovered = wait_until(lambda: _is_served(gateway.port))
            alive = gateway.processes[-1].poll() is None
            return {
                "told": gateway.said().count("connections cannot be accepted"),
                "log_lines_per_s": lines,
                "processor_share": share,
                "answered_who_was_there": before.answered,
                "lost_who_was_there": before.lost,
                "recovery_s": recovered,
                "exits": 0 if alive else 1,
                "panics": gateway.said().count("panicked"),
            }


def _is_served(port: int) -> bool:
    """Whether somebody new is let in. Who is not gives up soon: the kernel would try again after a
    second, whatever the gateway does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.2) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            return client.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _come(port: int) -> socket.socket:
    """A client that connects, as soon as it is let in, and says nothing."""
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", port))
    return client
