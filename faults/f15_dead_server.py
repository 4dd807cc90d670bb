"""F15: one of three servers stops answering, or all of them do."""

from __future__ import annotations

import threading
import time

from backends import Scripted
from gateway import Gateway
from stage import Stage, percentile, wait_until

PER_S = {"short": 100, "long": 300}
SECONDS = {"short": 4, "long": 20}
WORKERS = 32
ROUTES = """
http:
  routers: {{r: {{rule: 'PathPrefix(`/`)', service: s}}}}
  services:
    s:
      loadBalancer:
        servers: [{servers}]
        serversTransport: t
        healthCheck: {{path: /health, interval: 500ms, timeout: 500ms}}
        passiveHealthCheck: {{maxFailedAttempts: 3, failureWindow: 10s}}
  serversTransports: {{t: {{forwardingTimeouts: {{dialTimeout: 1s, responseHeaderTimeout: 800ms}}}}}}
"""


def play(stage: Stage) -> dict[str, float]:
    """Two servers live, one stalls and comes back; then all stall."""
    with Scripted(1) as one, Scripted(2) as two, Scripted(3) as three:
        servers = ", ".join(f"{{url: 'http://127.0.0.1:{b.port}'}}" for b in (one, two, three))
        gateway = Gateway(stage.carnet, stage.folder, 1, 0)
        (stage.folder / "routes.yaml").write_text(ROUTES.format(servers=servers), encoding="utf-8")
        with gateway:
            gateway.start()
            load = Load(gateway, stage)
            time.sleep(1)
            three.mood, stalled = "stalled", time.monotonic()
            time.sleep(SECONDS[stage.form])
            before, three.mood = three.requests(), "well"
            back = wait_until(lambda: three.requests() > before + 5)
            load.end()
            failed = [at - stalled for at, status, _ in load.answers if status != 200]
            figures = {
                "asked": len(load.answers),
                "failed": len(failed),
                "out_after_s": max(failed, default=0.0),
                "failed_when_out": sum(at > 2 for at in failed),
                "back_after_s": back,
                "sent_per_asked": sum(b.requests() for b in (one, two, three)) / len(load.answers),
            }
            one.mood = two.mood = three.mood = "stalled"
            figures["all_down_after_s"] = wait_until(lambda: gateway.ask("/") == 503)
            figures["refusal_p99_s"] = percentile([_timed(gateway) for _ in range(20)], 0.99)
            one.mood = two.mood = three.mood = "well"
            figures["all_back_after_s"] = wait_until(lambda: gateway.ask("/") == 200)
            figures["panics"] = gateway.said().count("panicked")
            return figures


def _timed(gateway: Gateway) -> float:
    began = time.monotonic()
    status = gateway.ask("/")
    return time.monotonic() - began if status == 503 else 60.0


class Load:
    """Requests at a pace, each over a connection of its own."""

    def __init__(self, gateway: Gateway, stage: Stage) -> None:
        self.gateway, self.pace = gateway, WORKERS / PER_S[stage.form]
        self.answers: list[tuple[float, int | None, float]] = []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._work) for _ in range(WORKERS)]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        """Waits for the last answers."""
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _work(self) -> None:
        while not self.stop.is_set():
            began = time.monotonic()
            status = self.gateway.ask("/")
            now = time.monotonic()
            self.answers.append((now, status, now - began))
            time.sleep(max(0.0, self.pace - (now - began)))
