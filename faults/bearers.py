"""What faults of those who judge tokens of callers are played on: a gateway with one middleware, a service that counts
who came through, and callers who bring tokens."""

from __future__ import annotations

import collections
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Callable

from backends import Listener
from gateway import Gateway
from stage import Stage, at_once
from visitors import Stream


class Guarded(Gateway):
    """A gateway with one middleware before the service. Started where it is entered."""

    def __init__(self, stage: Stage, service: int, middleware: str) -> None:
        super().__init__(stage.carnet, stage.folder, 1, 0)
        text = f"""http:
  routers:
    r: {{rule: 'PathPrefix(`/`)', service: s, middlewares: [guard]}}
  services:
    s: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:{service}'}}]}}}}
  middlewares:
    guard: {{plugin: {{{middleware}}}}}
"""
        (self.folder / "routes.yaml").write_text(text, encoding="utf-8")

    def __enter__(self) -> Guarded:
        self.start()
        return self

    def judged(self) -> dict[str, float]:
        """What no fault may bring about."""
        said = self.said()
        return {"panics": said.count("panicked"), "secrets_in_log": said.count("eyJ") + said.count("a-secret")}


class Counted(Listener):
    """The service: says whom the gateway says that a request is from, and counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.came: collections.Counter[str] = collections.Counter()
        self.lock = threading.Lock()

    def answer(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = connection.makefile("rb")
        while reader.readline():
            who = ""
            while (line := reader.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                if name.lower() == b"x-user":
                    who = value.strip().decode()
            with self.lock:
                self.came[who] += 1
            connection.sendall(f"HTTP/1.1 200 OK\r\nX-User: {who}\r\nContent-Length: 0\r\n\r\n".encode())


@dataclass
class Answer:
    """What a caller got; status 0: nothing."""

    asked: str
    at: float
    seconds: float
    status: int
    fields: dict[str, str]
    cookies: list[tuple[str, str]] = field(default_factory=list)

    def is_of(self, user: str) -> bool:
        """Whether the service answered, and knew whom."""
        return self.status == 200 and self.fields.get("x-user") == user


def ask(port: int, fields: dict[str, str], path: str = "/", kept: dict | None = None, name: str = "") -> Answer:
    """One request."""
    kept = {} if kept is None else kept
    at, began = time.time(), time.monotonic()
    lines = [f"GET {path} HTTP/1.1", "Host: a.test", *(f"{key}: {value}" for key, value in fields.items())]
    stream = None
    try:
        stream = kept.pop(port, None) or Stream(port)
        stream.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        first, *rest = stream.head_as_sent().decode("latin-1").split("\r\n")
        said = [(key.lower(), value.strip()) for key, _, value in (line.partition(":") for line in rest)]
        got = dict(said)
        stream.exactly(int(got.get("content-length", 0)))
        kept[port] = stream
        pairs = [value.split(";")[0].partition("=")[::2] for key, value in said if key == "set-cookie"]
        return Answer(name, at, time.monotonic() - began, int(first.split(" ")[1]), got, pairs)
    except (OSError, EOFError, ValueError, IndexError):
        if stream:
            stream.close()
        return Answer(name, at, time.monotonic() - began, 0, {})


def bring(port: int, token: str, kept: dict | None = None) -> Answer:
    """One request with a token."""
    return ask(port, {"Authorization": f"Bearer {token}"}, kept=kept, name=token)


def bring_all(
    port: int, token: Callable[[int], str], per_s: float, seconds: float, workers: int = 4
) -> list[Answer]:
    """Requests at an even pace, each with the token of its number."""
    answers: list[Answer] = []
    began, total = time.monotonic(), int(per_s * seconds)

    def work(first: int) -> None:
        kept: dict = {}
        for number in range(first, total, workers):
            time.sleep(max(0.0, began + number / per_s - time.monotonic()))
            answers.append(bring(port, token(number), kept))

    at_once([lambda first=first: work(first) for first in range(workers)])
    return answers
