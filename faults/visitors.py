"""Clients of a gateway that count what goes wrong, and try nothing twice."""

from __future__ import annotations

import collections
import os
import socket
import struct
import threading
import time

TIMEOUT_S = 30
# Requests of one HTTP/2 connection, and messages of one WebSocket.
EVERY_S = 0.25


class Tally:
    """What happened, by its name."""

    def __init__(self) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self.lock = threading.Lock()

    def add(self, what: str) -> None:
        """Once more."""
        with self.lock:
            self.counts[what] += 1

    def failed(self, error: OSError, otherwise: str = "lost") -> None:
        """A call that came to nothing, by what the kernel said."""
        if isinstance(error, ConnectionRefusedError):
            self.add("refused")
        elif isinstance(error, (ConnectionResetError, BrokenPipeError)):
            self.add("reset")
        else:
            self.add(otherwise)

    def count(self, what: str) -> int:
        """How often."""
        return self.counts[what]


class Stream:
    """A connection that is read by counted bytes."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, data: bytes) -> None:
        """All of it."""
        self.socket.sendall(data)

    def exactly(self, count: int) -> bytes:
        """So many bytes; an end before is an OSError."""
        while len(self.buffer) < count:
            self._more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def head(self) -> bytes:
        """Up to the empty line, in small letters."""
        return self.head_as_sent().lower()

    def head_as_sent(self) -> bytes:
        """Up to the empty line."""
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        return head

    def close(self) -> None:
        """Lets go."""
        self.socket.close()

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data


class Http1:
    """Requests at an even pace: each over a connection of its own, or all over one that is kept
    until an answer says that it was the last one."""

    def __init__(
        self, port: int, tally: Tally, stop: threading.Event, pace_s: float, keeps: bool
    ) -> None:
        self.port, self.tally, self.stop = port, tally, stop
        self.pace_s, self.keeps = pace_s, keeps

    def visit(self) -> None:
        """Until it is enough."""
        due, kept = time.monotonic(), None
        while not self.stop.is_set():
            try:
                stream = kept or Stream(self.port)
                kept = stream if self._ask(stream) else None
                if kept is None:
                    stream.close()
                self.tally.add("answered")
            except OSError as error:
                kept = None
                self.tally.failed(error)
            except (EOFError, ValueError):
                kept = None
                self.tally.add("lost")
            due += self.pace_s
            time.sleep(max(0.0, due - time.monotonic()))

    def _ask(self, stream: Stream) -> bool:
        """One request; whether the connection may be used again."""
        last = b"" if self.keeps else b"Connection: close\r\n"
        stream.send(b"GET /bench HTTP/1.1\r\nHost: a\r\n" + last + b"\r\n")
        head = stream.head()
        if not head.startswith(b"http/1.1 200"):
            raise ValueError(head)
        length = head.split(b"content-length:")[1].split(b"\r\n")[0]
        stream.exactly(int(length))
        return b"connection: close" not in head


class Downloading:
    """Answers that take a while, and must be whole."""

    def __init__(self, port: int, tally: Tally, stop: threading.Event) -> None:
        self.port, self.tally, self.stop = port, tally, stop

    def visit(self) -> None:
        """Until it is enough."""
        while not self.stop.is_set():
            try:
                stream = Stream(self.port)
                stream.send(b"GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                head = stream.head()
                stream.exactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
                stream.close()
                self.tally.add("downloaded")
            except OSError as error:
                self.tally.failed(error, "cut")
            except (EOFError, ValueError, IndexError):
                self.tally.add("cut")


class Http2:
    """Requests over one HTTP/2 connection, which is left when the server says so."""

    PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
    END_STREAM, END_HEADERS, ACK = 1, 4, 1
    # GET, http, and the authority `a` as a literal; :status 200 is one byte.
    ASK = b"\x82\x86\x01\x01a\x04\x06/bench"
    OK = 0x88

    def __init__(self, port: int, tally: Tally, stop: threading.Event) -> None:
        self.port, self.tally, self.stop = port, tally, stop

    def visit(self) -> None:
        """Until it is enough."""
        while not self.stop.is_set():
            try:
                self._connection()
            except OSError as error:
                self.tally.failed(error)
            except (EOFError, ValueError):
                self.tally.add("lost")

    def _connection(self) -> None:
        stream = Stream(self.port)
        stream.send(self.PREFACE + self._frame(self.SETTINGS, 0, 0, b""))
        number, goes = 1, False
        while not goes and not self.stop.is_set():
            flags = self.END_STREAM | self.END_HEADERS
            stream.send(self._frame(self.HEADERS, flags, number, self.ASK))
            goes = self._answer(stream, number)
            self.tally.add("answered")
            number += 2
            goes = goes or self._rest(stream)
        if goes:
            self.tally.add("goaway")
        stream.close()

    def _answer(self, stream: Stream, number: int) -> bool:
        """Reads until the answer is whole; whether the server told us to go."""
        goes = False
        while True:
            kind, flags, of, payload = self._read(stream)
            goes = self._care(stream, kind, flags, payload) or goes
            if kind == self.HEADERS and self.OK not in payload[:2]:
                raise ValueError("no 200")
            if kind in (self.DATA, self.HEADERS) and of == number and flags & self.END_STREAM:
                return goes

    def _rest(self, stream: Stream) -> bool:
        """Waits for the time of the next request, and hears what the server says meanwhile."""
        until = time.monotonic() + EVERY_S
        while (left := until - time.monotonic()) > 0:
            stream.socket.settimeout(left)
            try:
                if not stream.buffer:
                    stream._more()  # noqa: SLF001
            except TimeoutError:
                break
            finally:
                stream.socket.settimeout(TIMEOUT_S)
            kind, flags, _, payload = self._read(stream)
            if self._care(stream, kind, flags, payload):
                return True
        return False

    def _care(self, stream: Stream, kind: int, flags: int, payload: bytes) -> bool:
        """Answers what wants an answer; whether it was a farewell."""
        if kind == self.SETTINGS and not flags & self.ACK:
            stream.send(self._frame(self.SETTINGS, self.ACK, 0, b""))
        if kind == self.PING and not flags & self.ACK:
            stream.send(self._frame(self.PING, self.ACK, 0, payload))
        return kind == self.GOAWAY

    @staticmethod
    def _frame(kind: int, flags: int, number: int, payload: bytes) -> bytes:
        length = struct.pack(">I", len(payload))[1:]
        return length + struct.pack(">BBI", kind, flags, number) + payload

    @staticmethod
    def _read(stream: Stream) -> tuple[int, int, int, bytes]:
        head = stream.exactly(9)
        length = int.from_bytes(head[:3], "big")
        kind, flags, number = struct.unpack(">BBI", head[3:])
        return kind, flags, number & 0x7FFFFFFF, stream.exactly(length)


class Chatting:
    """A WebSocket whose messages come back, until the server closes it in good order."""

    TEXT, CLOSE = 0x81, 0x88
    HANDSHAKE = (
        b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )

    def __init__(self, port: int, tally: Tally, stop: threading.Event) -> None:
        self.port, self.tally, self.stop = port, tally, stop

    def visit(self) -> None:
        """Until it is enough."""
        while not self.stop.is_set():
            try:
                stream = Stream(self.port)
                stream.send(self.HANDSHAKE)
                if not stream.head().startswith(b"http/1.1 101"):
                    raise ValueError("no 101")
                if self._talk(stream):
                    self.tally.add("closed")
                stream.close()
            except OSError as error:
                self.tally.failed(error, "broken")
            except (EOFError, ValueError):
                self.tally.add("broken")

    def _talk(self, stream: Stream) -> bool:
        """Whether the server closed it."""
        while not self.stop.is_set():
            said = os.urandom(8).hex().encode()
            stream.send(self._masked(self.TEXT, said))
            kind, heard = self._read(stream)
            if kind == self.CLOSE:
                if heard[:2] != struct.pack(">H", 1001):
                    raise ValueError("not 1001")
                stream.send(self._masked(self.CLOSE, heard))
                return True
            if heard != said:
                raise ValueError("another message")
            time.sleep(EVERY_S)
        return False

    @staticmethod
    def _masked(kind: int, payload: bytes) -> bytes:
        return bytes([kind, 0x80 | len(payload)]) + b"\0\0\0\0" + payload

    @staticmethod
    def _read(stream: Stream) -> tuple[int, bytes]:
        kind, length = stream.exactly(2)
        return kind, stream.exactly(length)
