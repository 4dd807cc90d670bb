"""F17: the gateway is replaced by a newer process, again and again under load, and told to end."""

from __future__ import annotations

import threading
import time

from gateway import Backend, Gateway, Slow
from stage import Stage, wait_until
from visitors import Chatting, Downloading, Http1, Http2, Tally

UPGRADES = {"short": 3, "long": 20}
PER_S = {"short": 300, "long": 1000}
PAUSE_S = {"short": 0.5, "long": 3}
DOWNLOAD_S = {"short": 2, "long": 10}
DOWNLOADS = {"short": 4, "long": 20}
HTTP2 = {"short": 10, "long": 50}
CHATS = {"short": 4, "long": 10}
WORKERS = 8
GRACE_S = 15
# Time in which a load balancer learns that the process goes away.
ANNOUNCE_S = 1.5


def play(stage: Stage) -> dict[str, float]:
    """Replaces it under load, then tells the last one to end."""
    tally, stop = Tally(), threading.Event()
    with Slow(DOWNLOAD_S[stage.form]) as slow, Backend(stage.carnet, stage.folder) as backend:
        gateway = Gateway(stage.carnet, stage.folder, GRACE_S, ANNOUNCE_S)
        gateway.write({"/slow": slow.port, "/": backend.port})
        with gateway:
            gateway.start()
            load = _load(stage, gateway.port, tally, stop)
            time.sleep(PAUSE_S[stage.form])
            taken, left = [], []
            for _ in range(UPGRADES[stage.form]):
                taken.append(gateway.replace())
                left.append(gateway.leaving(GRACE_S + 5))
                time.sleep(PAUSE_S[stage.form])
            asked = tally.count("answered")
            stop.set()
            for thread in load:
                thread.join()
            announced = _end(gateway)
            return {
                "upgrades": len(taken),
                "answered": asked,
                "refused": tally.count("refused"),
                "reset": tally.count("reset"),
                "lost": tally.count("lost"),
                "downloads": tally.count("downloaded"),
                "downloads_cut": tally.count("cut"),
                "http2_told_to_go": tally.count("goaway"),
                "websockets_closed": tally.count("closed"),
                "websockets_broken": tally.count("broken"),
                "takeover_max_s": max(taken),
                "exit_max_s": max(future() for future in left),
                "exit_codes": gateway.failures(),
                "unready_before_close_s": announced,
                "panics": gateway.said().count("panicked"),
            }


def _load(stage: Stage, port: int, tally: Tally, stop: threading.Event) -> list[threading.Thread]:
    """Everybody who visits meanwhile."""
    pace = WORKERS / PER_S[stage.form]
    visitors = [Http1(port, tally, stop, pace, keeps=at % 2 == 0) for at in range(WORKERS)]
    visitors += [Http2(port, tally, stop) for _ in range(HTTP2[stage.form])]
    visitors += [Chatting(port, tally, stop) for _ in range(CHATS[stage.form])]
    visitors += [Downloading(port, tally, stop) for _ in range(DOWNLOADS[stage.form])]
    threads = [threading.Thread(target=visitor.visit) for visitor in visitors]
    for thread in threads:
        thread.start()
    return threads


def _end(gateway: Gateway) -> float:
    """How long it said that it goes away before nobody was let in."""
    gateway.terminate()
    wait_until(lambda: gateway.ask("/ping") != 200)
    began = time.monotonic()
    wait_until(lambda: gateway.ask("/ping") is None)
    return time.monotonic() - began
