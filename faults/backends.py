"""Backends that misbehave as they are told, and count what they were asked."""

from __future__ import annotations

import collections
import random
import socket
import struct
import threading
import time
from typing import Self

WHOLE = b"y" * 200_000


class Listener:
    """Accepts connections, and gives each a thread until it breaks."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    def answer(self, connection: socket.socket) -> None:
        """What is said on a connection."""
        raise NotImplementedError

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self.answer(connection)
            except OSError:
                pass


class Scripted(Listener):
    """Speaks HTTP/1.1 and keeps connections. Moods: `well`; `slow`; `stalled`, which never answers;
    `tired`, which now and then closes a kept connection at the next request or right after an
    answer; `cutting`, which resets the connection in the middle of an answer."""

    def __init__(self, seed: int, often: float = 0.1) -> None:
        super().__init__()
        self.mood, self.often, self.chance = "well", often, random.Random(seed)
        self.lock = threading.Lock()
        self.asked: collections.Counter[str] = collections.Counter()

    def requests(self) -> int:
        """How many came, probes left out."""
        with self.lock:
            return sum(count for target, count in self.asked.items() if "/health" not in target)

    def most(self, method: str) -> int:
        """How often the same request came at most."""
        with self.lock:
            return max((n for key, n in self.asked.items() if key.startswith(method)), default=0)

    def answer(self, connection: socket.socket) -> None:
        file, is_kept = connection.makefile("rb"), False
        while line := file.readline():
            length = 0
            while (field := file.readline()) not in (b"\r\n", b""):
                if field.lower().startswith(b"content-length:"):
                    length = int(field.split(b":")[1])
            file.read(length)
            with self.lock:
                self.asked[" ".join(line.decode().split()[:2])] += 1
            if not self._answer(connection, is_kept):
                return
            is_kept = True

    def _answer(self, connection: socket.socket, is_kept: bool) -> bool:
        """Whether the connection goes on."""
        mood = self.mood
        if mood == "stalled":
            while self.mood == "stalled":
                time.sleep(0.02)
            return False
        if mood == "slow":
            time.sleep(0.1)
        if mood == "tired" and is_kept and self._happens():
            return False
        if mood == "cutting":
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(WHOLE)}\r\n\r\n".encode()
            if self._happens(0.5):
                head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n"
            connection.sendall(head + WHOLE[: len(WHOLE) // 2])
            time.sleep(0.01)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        return not (mood == "tired" and self._happens())

    def _happens(self, often: float | None = None) -> bool:
        with self.lock:
            return self.chance.random() < (self.often if often is None else often)
