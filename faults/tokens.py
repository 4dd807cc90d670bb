"""What the faults of the token engine are played on: a provider that can be killed, a gateway that exchanges
credentials, a service that checks every token it sees, and callers who know what they should get."""

from __future__ import annotations

import base64
import http.client
import http.server
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from gateway import Gateway
from processes import free_ports
from stage import Stage, percentile, wait_until

HERE = Path(__file__).resolve().parent
# A little more than what a machine that is busy adds to nothing.
LONG_S = 30


class Provider:
    """The program `provider.py` at a port that stays the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.mood: dict = {}

    def __enter__(self) -> Provider:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Starts it, in its last mood."""
        with open(self.folder / "provider.log", "ab") as log:
            command = [sys.executable, str(HERE / "provider.py"), str(self.port)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait_until(self._listens, 20) >= 20:
            raise SystemExit("faults: the provider does not listen")
        self.become(**self.mood)

    def kill(self) -> None:
        """At once; a stopped one goes on first."""
        self.process.kill()
        self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Such as SIGSTOP."""
        self.process.send_signal(number)

    def become(self, **mood: object) -> None:
        """How it is from now on."""
        self.mood = mood
        self._call("POST", "/mood", json.dumps(mood).encode())

    def seen(self) -> list[tuple[float, str]]:
        """When it was asked by whom."""
        return [(when, who) for when, who in json.loads(self._call("GET", "/seen", b""))]

    def also(self, **mood: object) -> None:
        """The same, but for this."""
        self.become(**{**self.mood, **mood})

    def vouched(self) -> list[tuple[float, str]]:
        """When it was asked for which token."""
        return [(when, token) for when, token in json.loads(self._call("GET", "/vouched", b""))]

    def fetched(self) -> list[float]:
        """When it was asked for its keys."""
        return json.loads(self._call("GET", "/fetched", b""))

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def _call(self, method: str, path: str, body: bytes) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body)
        read = connection.getresponse().read()
        connection.close()
        return read


class Tombstone:
    """Stands where a provider was: takes connections, counts them and closes them at once."""

    def __init__(self, port: int) -> None:
        self.times: list[float] = []
        self.listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.times.append(time.time())
            connection.close()

    def remove(self) -> None:
        """Gives the port back."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Service:
    """The backend. Every token that it sees is that of the caller, and has not ended."""

    def __init__(self) -> None:
        service = self
        self.answered = self.wrong = self.expired = 0
        # The last token of each client.
        self.last: dict[str, str] = {}
        self.lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:  # noqa: N802
                service.check(self.headers)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 1024

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def check(self, headers: http.client.HTTPMessage) -> None:
        """One request."""
        values = headers.get_all("Authorization") or []
        right = expired = False
        if len(values) == 1 and values[0].startswith("Bearer ") and values[0].count(".") == 2:
            payload = values[0].split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            right = claims["sub"] == headers["X-Client"]
            self.last[headers["X-Client"]] = values[0].removeprefix("Bearer ")
            expired = claims["exp"] <= time.time()
        with self.lock:
            self.answered += 1
            self.wrong += not right
            self.expired += expired

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class Room(Gateway):
    """A gateway in front of the service, with the callers' credentials exchanged at the provider."""

    def __init__(
        self, stage: Stage, provider: int, service: int, options: str = "", path: str = "/token"
    ) -> None:
        super().__init__(stage.carnet, stage.folder, 1, 0)
        self.options = f"url: 'http://127.0.0.1:{provider}{path}'{', ' if options else ''}{options}"
        text = f"""http:
  routers:
    r: {{rule: 'PathPrefix(`/`)', service: s, middlewares: [creds]}}
  services:
    s: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:{service}'}}]}}}}
  middlewares:
    creds: {{plugin: {{oAuthClientCredentials: {{{self.options}}}}}}}
"""
        (self.folder / "routes.yaml").write_text(text, encoding="utf-8")

    def __enter__(self) -> Room:
        self.start()
        return self

    def memory_mib(self) -> float:
        """What it holds of the machine's memory."""
        status = Path(f"/proc/{self.processes[-1].pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def lines(self) -> int:
        """Lines of its log."""
        return self.said().count("\n")


@dataclass
class Visit:
    """A request and its end; status 0: none came."""

    client: str
    at: float
    seconds: float
    status: int
    retry_after: float | None


@dataclass
class Visits:
    """What callers saw."""

    all: list[Visit] = field(default_factory=list)

    def lost(self, but: str | None = None) -> int:
        """Requests that were not served, but for those of one client."""
        return sum(visit.status != 200 and visit.client != but for visit in self.all)

    def p99_ms(self) -> float:
        """Of all."""
        return percentile([visit.seconds for visit in self.all], 0.99) * 1000

    def of(self, client: str) -> list[Visit]:
        """One client's, in their order."""
        return sorted((one for one in self.all if one.client == client), key=lambda one: one.at)


def visit(port: int, client: str, kept: dict | None = None, timeout: float = LONG_S) -> Visit:
    """One request of a client with its right secret."""
    kept = {} if kept is None else kept
    pair = base64.b64encode(f"{client}:secret".encode()).decode()
    began, at = time.monotonic(), time.time()
    connection = kept.pop(port, None) or http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", "/", headers={"Authorization": f"Basic {pair}", "X-Client": client})
        answer = connection.getresponse()
        answer.read()
        wait = answer.headers["Retry-After"]
        kept[port] = connection
        return Visit(client, at, time.monotonic() - began, answer.status, float(wait) if wait else None)
    except (OSError, http.client.HTTPException):
        connection.close()
        return Visit(client, at, time.monotonic() - began, 0, None)


def visits(port: int, clients: list[str], per_s: float, seconds: float, workers: int = 8) -> Visits:
    """Requests at an even pace, the clients one after the other."""
    seen, lock = Visits(), threading.Lock()
    began, total = time.monotonic(), int(per_s * seconds)

    def work(first: int) -> None:
        kept: dict = {}
        for number in range(first, total, workers):
            time.sleep(max(0.0, began + number / per_s - time.monotonic()))
            one = visit(port, clients[number % len(clients)], kept)
            with lock:
                seen.all.append(one)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def beside(job) -> threading.Thread:
    """Runs a job beside what follows."""
    thread = threading.Thread(target=job)
    thread.start()
    return thread


def judged(room: Room, service: Service) -> dict[str, float]:
    """What no fault may bring about."""
    return {
        "served": service.answered,
        "wrong_identity": service.wrong,
        "expired": service.expired,
        "panics": room.said().count("panicked"),
        "secrets_in_log": room.said().count("c2lnbmF0dXJl") + room.said().count(":secret"),
    }


def names(kind: str, count: int) -> list[str]:
    """Clients."""
    return [f"{kind}-{number}" for number in range(count)]


