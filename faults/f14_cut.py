"""F14: backends that close kept connections as they are used, and that cut their answers short."""

from __future__ import annotations

import http.client
import threading
import time

from backends import Scripted
from gateway import Gateway
from stage import Stage, at_once
from visitors import Tally

SECONDS = {"short": 3, "long": 30}
WORKERS = 8


def play(stage: Stage) -> dict[str, float]:
    """Requests to one that is tired, then to one that cuts."""
    tally = Tally()
    with Scripted(stage.seed) as backend:
        gateway = Gateway(stage.carnet, stage.folder, 1, 0)
        gateway.write({"/": backend.port})
        with gateway:
            gateway.start()
            backend.mood = "tired"
            _ask(stage, gateway.port, tally, _get_or_post)
            backend.mood = "cutting"
            _ask(stage, gateway.port, tally, _download)
            backend.mood = "well"
            return {
                "gets": tally.count("GET") + tally.count("GET lost"),
                "gets_lost": tally.count("GET lost"),
                "posts": tally.count("POST") + tally.count("POST lost"),
                "posts_refused": tally.count("POST lost"),
                "posts_done_twice": max(0, backend.most("POST") - 1),
                "cut": tally.count("cut"),
                "cut_as_if_whole": tally.count("whole"),
                "serves_after": float(gateway.ask("/") == 200),
                "panics": gateway.said().count("panicked"),
            }


def _ask(stage: Stage, port: int, tally: Tally, one) -> None:
    """At once, for a while, each over a connection of its own."""
    end, count, lock = time.monotonic() + SECONDS[stage.form], [0], threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        while time.monotonic() < end:
            with lock:
                count[0] += 1
                number = count[0]
            if not one(connection, number, tally):
                connection.close()
            time.sleep(0.002)
        connection.close()

    at_once([work] * WORKERS)


def _get_or_post(connection: http.client.HTTPConnection, number: int, tally: Tally) -> bool:
    method = "POST" if number % 4 == 0 else "GET"
    try:
        connection.request(method, f"/{number}", body=b"x" * 100 if method == "POST" else None)
        response = connection.getresponse()
        is_good = response.read() == b"ok" and response.status == 200
    except (OSError, http.client.HTTPException):
        tally.add(f"{method} lost")
        return False
    tally.add(method if is_good else f"{method} lost")
    return True


def _download(connection: http.client.HTTPConnection, number: int, tally: Tally) -> bool:
    try:
        connection.request("GET", f"/download/{number}")
        response = connection.getresponse()
        response.read()
        tally.add("whole" if response.status == 200 else "cut")
        return True
    except (OSError, http.client.HTTPException):
        tally.add("cut")
        return False
