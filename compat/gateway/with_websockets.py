"""The `websockets` library on both sides: messages of all sizes, pings, closing from either side."""

from __future__ import annotations

import os
import ssl
import threading
from contextlib import contextmanager
from typing import Iterator

from stand import HOST, Stand
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

SIZES = [0, 1, 125, 126, 65_535, 65_536, 1 << 20]
MANY = 200


def play(stand: Stand) -> int:
    """Plain and encrypted. Gives how many messages went there and back."""
    trusted = ssl.create_default_context(cafile=str(stand.ca))
    with _server(stand.websocket):
        return sum(
            [
                _talk(f"ws://{HOST}:{stand.web}/websocket", None),
                _talk(f"wss://{HOST}:{stand.secure}/websocket", trusted),
            ]
        )


@contextmanager
def _server(port: int) -> Iterator[None]:
    """Echoes, tells its subprotocol, and closes with a code of its own when it is asked to."""

    def handle(connection: ServerConnection) -> None:
        for message in connection:
            if message == "close":
                connection.close(4001, "as you wish")
                return
            connection.send(message)

    with serve(handle, "127.0.0.1", port, subprotocols=["echo"], max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def _talk(url: str, trusted: ssl.SSLContext | None) -> int:
    messages = 0
    # No proxy of the machine's environment comes between.
    options = {"ssl": trusted, "subprotocols": ["other", "echo"], "max_size": None, "proxy": None}
    with connect(url, **options) as connection:
        if connection.subprotocol != "echo":
            raise SystemExit(f"{url}: the subprotocol is {connection.subprotocol}")
        for size in SIZES:
            for message in ("x" * size, os.urandom(size)):
                connection.send(message)
                if connection.recv(timeout=20) != message:
                    raise SystemExit(f"{url}: a message of {size} came back otherwise")
                messages += 1
        # Several at once, in fragments, and in their order.
        for number in range(MANY):
            connection.send(iter([str(number), "-", "x" * number]))
        for number in range(MANY):
            if connection.recv(timeout=20) != f"{number}-{'x' * number}":
                raise SystemExit(f"{url}: messages came back in another order")
        if not connection.ping().wait(20):
            raise SystemExit(f"{url}: no pong")
        connection.send("close")
        try:
            connection.recv(timeout=20)
            raise SystemExit(f"{url}: not closed")
        except ConnectionClosed as closed:
            if closed.rcvd is None or (closed.rcvd.code, closed.rcvd.reason) != (4001, "as you wish"):
                raise SystemExit(f"{url}: closed with {closed.rcvd}") from closed
    return messages + MANY
