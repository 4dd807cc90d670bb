"""F14: backends that close kept connections as they are used, and that cut their answers short."""

from __future__ import annotations

import http.client

from asking import ask_for, get_or_post
from backends import Scripted
from gateway import Gateway
from stage import Stage
from visitors import Tally

SECONDS = {"short": 3, "long": 30}


def play(stage: Stage) -> dict[str, float]:
    """Requests to one that is tired, then to one that cuts."""
    tally = Tally()
    with Scripted(stage.seed) as backend:
        gateway = Gateway(stage.carnet, stage.folder, 1, 0)
        gateway.write({"/": backend.port})
        with gateway:
            gateway.start()
            backend.mood = "tired"
            ask_for(SECONDS[stage.form], gateway.port, tally, get_or_post)
            backend.mood = "cutting"
            ask_for(SECONDS[stage.form], gateway.port, tally, _download)
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
