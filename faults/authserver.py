"""The authorization server under test: started, asked, killed. And what asks it."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from processes import free_ports

SECRET = "the-system-secret-of-the-faults"
PATIENCE = 20
# The server closes a connection that nobody uses; one that was idle for so long is not used again.
IDLE_S = 2
GRANT = {"grant_type": "client_credentials"}


@dataclass
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: http.client.HTTPMessage

    def json(self) -> dict:
        """The body, read."""
        return json.loads(self.body)


class Caller:
    """Connections that stay open, one for each thread and port."""

    def __init__(self, timeout: float = 5) -> None:
        self.timeout = timeout
        self.kept = threading.local()

    def call(self, port: int, method: str, path: str, body: bytes, headers: dict) -> Answer:
        """One request. A connection that the server closed meanwhile is an OSError, never asked
        twice: whether it did something is what the faults are about."""
        connections = self.kept.__dict__.setdefault("connections", {})
        connection, used = connections.pop(port, (None, 0.0))
        if connection is None or time.monotonic() - used > IDLE_S:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=self.timeout)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            read = Answer(answer.status, answer.read(), answer.headers)
        except http.client.HTTPException as error:
            connection.close()
            raise OSError(str(error)) from error
        except OSError:
            connection.close()
            raise
        if not answer.will_close:
            connections[port] = (connection, time.monotonic())
        return read


@dataclass
class Authserver:
    """`carnet serve` over a database, on ports that stay the same over restarts."""

    carnet: str
    folder: Path
    dsn: str
    settings: dict[str, str] = field(default_factory=dict)
    # Put before the command, such as another program that starts it.
    prefix: list[str] = field(default_factory=list)
    # Where its log goes; a file in its folder when absent.
    log: str | None = None
    caller: Caller = field(default_factory=Caller)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.public, self.admin = free_ports(2)

    def environment(self) -> dict[str, str]:
        """What it is told."""
        return {
            "PATH": os.environ["PATH"],
            "DSN": self.dsn,
            "SECRETS_SYSTEM": SECRET,
            "SERVE_PUBLIC_HOST": "127.0.0.1",
            "SERVE_ADMIN_HOST": "127.0.0.1",
            "SERVE_PUBLIC_PORT": str(self.public),
            "SERVE_ADMIN_PORT": str(self.admin),
            "URLS_SELF_ISSUER": "http://127.0.0.1:4444",
            "STRATEGIES_ACCESS_TOKEN": "jwt",
            "JWKS_ALGORITHM": "ES256",
            **self.settings,
        }

    def migrate(self) -> None:
        """Makes the tables."""
        command = [self.carnet, "migrate", "sql", "-e", "--yes"]
        done = subprocess.run(command, env=self.environment(), capture_output=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"faults: migrate sql: {done.stderr.decode()}")

    def start(self) -> float:
        """Starts it and says after how many seconds it was ready."""
        began = time.monotonic()
        # Connections to its forerunner are broken.
        self.caller = Caller()
        with open(self.log or self.folder / f"{self.public}.log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.carnet, "serve", "all", "--dev"],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self.becomes_ready()
        return time.monotonic() - began

    def becomes_ready(self) -> float:
        """Waits until it is ready; says for how many seconds."""
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            if self.process is None or self.process.poll() is not None:
                break
            try:
                if self.ask_admin("GET", "/health/ready").status == 200:
                    return time.monotonic() - began
            except OSError:
                pass
            time.sleep(0.005)
        raise SystemExit(f"faults: the server is not ready; its log: {self.said()[-2000:]}")

    def end(self, how: int = signal.SIGTERM) -> int:
        """Ends it and says with which code."""
        if self.process is None:
            return 0
        self.process.send_signal(how)
        try:
            code = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process = None
        return code

    def kill(self) -> None:
        """As a power cut does, but for the disk."""
        self.end(signal.SIGKILL)

    def pid(self) -> int:
        """Its process; not the one of the prefix."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        below = children.read_text().split()
        return int(below[0]) if self.prefix and below else self.process.pid

    def said(self) -> str:
        """Its log so far."""
        log = self.folder / f"{self.public}.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def panics(self) -> int:
        """How often something panicked."""
        return self.said().count("panicked at")

    def memory(self) -> float:
        """Its resident memory, in MiB."""
        return self._status("VmRSS") / 1024

    def cpu_seconds(self) -> float:
        """Time on the processor so far."""
        stat = Path(f"/proc/{self.pid()}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid()}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise SystemExit(f"faults: the system does not tell {name}")

    def ask_admin(self, method: str, path: str, body: dict | list | None = None) -> Answer:
        """A request to the admin port."""
        text = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if body is not None else {}
        return self.caller.call(self.admin, method, path, text, headers)

    def create(self, name: str, **members: object) -> Answer:
        """Creates a client of this id, with a generated secret unless one is among the members."""
        client = {"client_id": name, "grant_types": ["client_credentials"], **members}
        return self.ask_admin("POST", "/admin/clients", client)

    def introspect(self, token: str) -> Answer:
        """What the server knows of a token."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode({"token": token}).encode()
        return self.caller.call(self.admin, "POST", "/admin/oauth2/introspect", body, form)

    def token(self, name: str, secret: str, **more: str) -> Answer:
        """Asks for a token with a Basic header."""
        return self.public_form("/oauth2/token", name, secret, {**GRANT, **more})

    def revoke(self, name: str, secret: str, token: str) -> Answer:
        """Takes a token back."""
        return self.public_form("/oauth2/revoke", name, secret, {"token": token})

    def public_form(self, path: str, name: str, secret: str, form: dict) -> Answer:
        """A form with credentials, to the public port."""
        basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
        headers = {
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return self.caller.call(self.public, "POST", path, urlencode(form).encode(), headers)

    def __enter__(self) -> Authserver:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def sqlite_dsn(file: Path) -> str:
    """The address of a file."""
    return f"sqlite://{file}?_fk=true"


def damages(file: Path) -> int:
    """How many complaints SQLite has about a file."""
    connection = sqlite3.connect(file, timeout=PATIENCE)
    try:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        found += connection.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        connection.close()
    return sum(complaint != "ok" for complaint in found)
