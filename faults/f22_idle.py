"""F22: thousands of connections that are open and silent, over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import resource
import socket
import time

from gateway import Backend, Gateway
from regular import Regular
from stage import Stage

HTTP1 = {"short": 500, "long": 9000}
HTTP2 = {"short": 50, "long": 1000}
SECONDS = {"short": 2, "long": 20}
ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
# The preface of HTTP/2 with empty settings.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


def play(stage: Stage) -> dict[str, float]:
    """Everybody asks once and stays; somebody goes on asking."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    seconds = SECONDS[stage.form]
    with Backend(stage.carnet, stage.folder) as backend:
        gateway = Gateway(stage.carnet, stage.folder, 1, 0)
        gateway.write({"/": backend.port})
        with gateway:
            gateway.start()
            visitor = Regular(gateway.port)
            visitor.ask_for(seconds)
            alone, before = visitor.p99_s(), gateway.memory_mib()
            crowd = [_stay(gateway.port, ASK) for _ in range(HTTP1[stage.form])]
            with_http1 = gateway.memory_mib()
            crowd += [_stay(gateway.port, PREFACE) for _ in range(HTTP2[stage.form])]
            busy = gateway.busy_s()
            time.sleep(seconds)
            share = (gateway.busy_s() - busy) / seconds
            visitor.ask_for(seconds)
            beside = visitor.p99_s()
            after = gateway.memory_mib()
            dropped = sum(_is_gone(client) for client in crowd)
            for client in crowd:
                client.close()
            return {
                "idle": len(crowd),
                "dropped": dropped,
                "answered": visitor.answered,
                "lost": visitor.lost,
                "kib_per_http1": (with_http1 - before) * 1024 / HTTP1[stage.form],
                "memory_mib": after,
                "processor_share": share,
                "p99_ratio": beside / alone,
                "panics": gateway.said().count("panicked"),
            }


def _stay(port: int, first: bytes) -> socket.socket:
    """A client that says one thing, hears the answer and stays."""
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.sendall(first)
    client.recv(4096)
    client.setblocking(False)
    return client


def _is_gone(client: socket.socket) -> bool:
    try:
        while True:
            if client.recv(4096) == b"":
                return True
    except BlockingIOError:
        return False
    except OSError:
        return True
