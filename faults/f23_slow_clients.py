"""F23: clients that send heads and bodies, or read answers, a byte now and then."""

from __future__ import annotations

import socket
import threading
import time

from backends import Listener
from gateway import Backend, Gateway
from regular import Regular
from stage import Stage

CLIENTS = {"short": 40, "long": 333}
TIMEOUT_S = {"short": 2, "long": 20}
SECONDS = {"short": 8, "long": 60}
BIG = 8 << 20

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nX-"
BODY = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
READ = b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n"


def play(stage: Stage) -> dict[str, float]:
    """Three kinds of slowness at once, and somebody who is not slow."""
    timeout, seconds = TIMEOUT_S[stage.form], SECONDS[stage.form]
    with Backend(stage.carnet, stage.folder) as backend, _Big() as big:
        gateway = Gateway(stage.carnet, stage.folder, 1, 0)
        for name in ("read", "write"):
            key = f"--entrypoints.web.transport.respondingtimeouts.{name}timeout"
            gateway.flags.append(f"{key}={timeout}s")
        gateway.write({"/big": big.port, "/": backend.port})
        with gateway:
            gateway.start()
            visitor = Regular(gateway.port)
            visitor.ask_for(1)
            alone, files = visitor.p99_s(), gateway.open_files()
            count = CLIENTS[stage.form]
            crowd = [_Slow(gateway.port, kind) for kind in (HEAD, BODY, READ) for _ in range(count)]
            stop = threading.Event()
            drip = threading.Thread(target=_drip, args=(crowd, stop))
            drip.start()
            visitor.ask_for(seconds)
            beside = visitor.p99_s()
            # Who reads slowly has still to read what is on its way, so the gateway itself is looked at.
            kept = gateway.open_files() - files
            stop.set()
            drip.join()
            longest = max(client.lasted() for client in crowd if not client.reads)
            for client in crowd:
                client.socket.close()
            return {
                "slow": len(crowd),
                "kept_too_long": max(0, kept),
                "longest_beyond_timeout_s": longest - timeout,
                "answered": visitor.answered,
                "lost": visitor.lost,
                "p99_ratio": beside / alone,
                "panics": gateway.said().count("panicked"),
            }


class _Slow:
    """A client that says the first part at once, and then takes its time."""

    def __init__(self, port: int, first: bytes) -> None:
        self.socket = socket.socket()
        if first == READ:
            # So that little of the answer fits anywhere.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(first)
        self.socket.setblocking(False)
        self.reads = first == READ
        self.began, self.ended = time.monotonic(), None

    def go_on(self) -> None:
        """A byte more, unless the gateway has had enough."""
        try:
            if not self.reads:
                self.socket.send(b"x")
            if self.socket.recv(1 if self.reads else 4096) == b"":
                self.ended = time.monotonic()
        except BlockingIOError:
            pass
        except OSError:
            self.ended = time.monotonic()

    def lasted(self) -> float:
        """How long it was let be."""
        return (self.ended or time.monotonic()) - self.began


def _drip(crowd: list[_Slow], stop: threading.Event) -> None:
    while not stop.wait(0.5):
        for client in crowd:
            if client.ended is None:
                client.go_on()


class _Big(Listener):
    """A backend whose answers are large."""

    def answer(self, connection: socket.socket) -> None:
        connection.recv(8192)
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {BIG}\r\n\r\n".encode())
        for _ in range(BIG // 65536):
            connection.sendall(b"x" * 65536)
