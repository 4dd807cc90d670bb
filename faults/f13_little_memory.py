"""F13: large heads and bodies for a slow backend, in little memory."""

from __future__ import annotations

import resource
import selectors
import socket
import threading
import time

from backends import Listener
from capped import Capped
from gateway import Backend, Gateway
from regular import Regular
from stage import Stage, wait_until

LIMIT = 128 << 20
CLIENTS = {"short": 400, "long": 2000}
SECONDS = {"short": 3, "long": 30}
HEAD = 64 << 10
BODY = 64 << 20
FIELDS = b"".join(b"X-%d: %s\r\n" % (at, b"x" * 1000) for at in range(HEAD // 1024))
REQUEST = b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n" % (BODY, FIELDS)
PART = b"x" * 65536


def play(stage: Stage) -> dict[str, float]:
    """Everybody comes at once, sends as much as is taken, stays a while and leaves."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with Capped(LIMIT) as capped, Backend(stage.carnet, stage.folder) as backend, _Slow() as slow:
        # The group goes when nobody is in it, after the gateway.
        gateway = Gateway(stage.carnet, stage.folder, 1, 0)
        gateway.under = capped.command()
        gateway.write({"/slow": slow.port, "/": backend.port})
        with gateway:
            gateway.start()
            regular = Regular(gateway.port)
            crowd = _Crowd(gateway.port, CLIENTS[stage.form])
            peak = crowd.push(SECONDS[stage.form], gateway, regular)
            crowd.leave()
            recovery = wait_until(lambda: gateway.ask("/") == 200)
            alive = gateway.processes[-1].poll() is None
            return {
                "came": CLIENTS[stage.form],
                "reached_the_backend": slow.count,
                "shed": crowd.shed,
                "peak_mib": peak,
                "answered_who_was_there": regular.answered,
                "lost_who_was_there": regular.lost,
                "recovery_s": recovery,
                "exits": 0 if alive else 1,
                "panics": gateway.said().count("panicked"),
            }


class _Crowd:
    """Clients that send what they can, without waiting for one another."""

    def __init__(self, port: int, count: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.shed = 0
        for _ in range(count):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            both = selectors.EVENT_READ | selectors.EVENT_WRITE
            self.selector.register(client, both, [REQUEST])

    def push(self, seconds: float, gateway: Gateway, regular: Regular) -> float:
        """Sends for so long, while somebody else asks; the gateway's greatest memory in MiB."""
        end, peak = time.monotonic() + seconds, 0.0
        asking = threading.Thread(target=regular.ask_for, args=(seconds, 0.05))
        asking.start()
        while time.monotonic() < end and gateway.processes[-1].poll() is None:
            for key, events in self.selector.select(0.05):
                self._go_on(key.fileobj, key.data, events)
            peak = max(peak, gateway.memory_mib())
        asking.join()
        return peak

    def leave(self) -> None:
        """Everybody closes."""
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def _go_on(self, client: socket.socket, rest: list[bytes], events: int) -> None:
        try:
            if events & selectors.EVENT_READ:
                said = client.recv(4096)
                self.shed += said.startswith(b"HTTP/1.1 503") or said.startswith(b"HTTP/1.0 503")
                if not said:
                    raise OSError
            if events & selectors.EVENT_WRITE:
                sent = client.send(rest[0])
                rest[0] = rest[0][sent:] or PART
        except BlockingIOError:
            pass
        except OSError:
            self.selector.unregister(client)
            client.close()


class _Slow(Listener):
    """A backend that reads nothing and answers nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def answer(self, connection: socket.socket) -> None:
        self.count += 1
        while True:
            time.sleep(1)
            connection.getpeername()
