"""A running `carnet serve`, its clients and their tokens."""

from __future__ import annotations

import base64
import http.client
import json
import sqlite3
import subprocess
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from processes import Processes, free_ports
from servers import Server

TOKEN = "/oauth2/token"
INTROSPECT = "/admin/oauth2/introspect"
GRANT = "grant_type=client_credentials"
# One after the other commits them; more connections only keep the server from waiting.
WRITERS = 4


@dataclass(frozen=True)
class Client:
    """Credentials."""

    name: str
    secret: str

    def form(self) -> tuple[str, str]:
        """What asks for a token: the Authorization header and the body."""
        pair = f"{urllib.parse.quote_plus(self.name)}:{urllib.parse.quote_plus(self.secret)}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}", GRANT


@dataclass
class TokenServer:
    """A server: its two ports, and its process as the kernel counts it."""

    public: Server
    admin: int
    database: Path | None

    @property
    def resident_mb(self) -> float:
        """Memory that it holds."""
        status = Path(f"/proc/{self.public.process.pid}/status").read_text(encoding="utf-8")
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024

    def new_client(self) -> Client:
        """A client with a generated secret."""
        [client] = self.new_clients(1)
        return client

    def new_clients(self, count: int) -> list[Client]:
        """Clients with generated secrets."""
        asked = {"grant_types": ["client_credentials"], "scope": "read write"}
        body = json.dumps(asked).encode()

        def some(number: int) -> list[Client]:
            connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=30)
            made = []
            for _ in range(number):
                made.append(_answer(connection, "/admin/clients", body, {}, 201))
            return [Client(one["client_id"], one["client_secret"]) for one in made]

        shares = [count // WRITERS + (at < count % WRITERS) for at in range(WRITERS)]
        with ThreadPoolExecutor(WRITERS) as writers:
            return [client for made in writers.map(some, shares) for client in made]

    def tokens(self, client: Client, count: int) -> list[str]:
        """So many tokens of a client."""
        connection = http.client.HTTPConnection("127.0.0.1", self.public.port, timeout=30)
        authorization, body = client.form()
        headers = {"Authorization": authorization}
        return [
            _answer(connection, TOKEN, body.encode(), headers, 200)["access_token"]
            for _ in range(count)
        ]

    def introspect(self, token: str) -> dict[str, object]:
        """What the server says of a token."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=30)
        return _answer(connection, INTROSPECT, f"token={token}".encode(), {}, 200)

    def import_hash(self, client: Client, secret: str, stored: str) -> Client:
        """The client with a secret whose hash comes from elsewhere, as an import would bring it."""
        with sqlite3.connect(self.database, timeout=30) as connection:
            changed = connection.execute(
                "UPDATE client SET secret_hash = ? WHERE id = ?", (stored, client.name)
            )
        if changed.rowcount != 1:
            raise SystemExit(f"bench: there is no client {client.name} to change")
        return Client(client.name, secret)


def serve(
    processes: Processes, carnet: str, name: str, pin: list[str], jwks: str, in_file: bool = False
) -> TokenServer:
    """Starts a server with keys of a kind, in memory or over a file, and waits until it is ready."""
    public, admin = free_ports(2)
    database = processes.directory / f"{name}.sqlite" if in_file else None
    dsn = f"sqlite://{database}" if database else "memory"
    config = processes.directory / f"{name}.yaml"
    config.write_text(
        f"dsn: {dsn}\n"
        "serve:\n"
        f"  public: {{host: 127.0.0.1, port: {public}}}\n"
        f"  admin: {{host: 127.0.0.1, port: {admin}}}\n"
        f"urls: {{self: {{issuer: 'http://127.0.0.1:{public}'}}}}\n"
        "strategies: {access_token: jwt}\n"
        f"jwks: {jwks}\n"
        "secrets: {system: [a-system-secret-of-the-bench]}\n"
        "log: {level: error}\n",
        encoding="utf-8",
    )
    if database:
        migrate = [carnet, "migrate", "sql", "--yes", dsn]
        subprocess.run(migrate, check=True, capture_output=True)
    command = [*pin, carnet, "serve", "all", "--dev", "--config", str(config)]
    process = processes.start(name, command, lambda: _is_ready(admin))
    return TokenServer(Server(name, public, process), admin, database)


def _is_ready(admin: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", admin, timeout=5)
    connection.request("GET", "/health/ready")
    return connection.getresponse().status == 200


def _answer(
    connection: http.client.HTTPConnection, path: str, body: bytes, more: dict[str, str], status: int
) -> dict[str, object]:
    is_json = body.startswith(b"{")
    kind = "application/json" if is_json else "application/x-www-form-urlencoded"
    connection.request("POST", path, body, {"Content-Type": kind, **more})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != status:
        raise SystemExit(f"bench: POST {path} answered {answer.status}: {text.decode()}")
    return json.loads(text)
