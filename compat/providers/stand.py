"""A gateway with a route for each question, and a service that looks at every token that comes through."""

from __future__ import annotations

import base64
import http.client
import http.server
import json
import threading
import time
from pathlib import Path
from typing import Any

from clients import AUDIENCE
from processes import Processes, free_ports
from vendors import Vendor

HEADER = "X-Token-From"


class Service:
    """The backend. It finds fault with each request that it should not have seen."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        # The client whose token must come, by route; None: an opaque token.
        self.expected: dict[str, str | None] = {}
        self.lock = threading.Lock()
        self.requests = 0
        self.faults: list[str] = []
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:  # noqa: N802
                service.look(self.headers)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def look(self, headers: http.client.HTTPMessage) -> None:
        """One request."""
        route = headers["Host"]
        found = faults(headers, route, self.expected.get(route, ""), self.vendor.identity)
        with self.lock:
            self.requests += 1
            self.faults += found

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def faults(
    headers: http.client.HTTPMessage, route: str, client: str | None, identity: str
) -> list[str]:
    """What is wrong with a request: it must bring one token, of this client, for us, in time."""
    values = headers.get_all("Authorization") or []
    if len(values) != 1 or not values[0].startswith("Bearer "):
        return [f"{route}: {len(values)} Authorization headers, or no token"]
    token = values[0].removeprefix("Bearer ")
    if client is None:
        return [] if token.count(".") != 2 else [f"{route}: the token is not opaque"]
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    wrong = []
    if claims.get(identity) != client:
        wrong.append(f"{route}: the token of {claims.get(identity)}, not of {client}")
    if headers.get_all("X-Client") != [client]:
        wrong.append(f"{route}: the claim in a header is {headers.get_all('X-Client')}")
    if AUDIENCE not in audiences:
        wrong.append(f"{route}: the token is for {audiences}")
    if claims["exp"] <= time.time():
        wrong.append(f"{route}: the token has ended")
    return wrong


class Gateway:
    """`carnet gateway` with a route for each name, each with options of its own."""

    def __init__(self, carnet: str, folder: Path, processes: Processes) -> None:
        self.carnet, self.folder, self.processes = carnet, folder, processes
        self.port, = free_ports(1)

    def start(self, routes: dict[str, list[dict[str, Any]]], service: int) -> None:
        """Serves them, a host each with its middlewares."""
        servers = [{"url": f"http://127.0.0.1:{service}"}]
        config = {
            "routers": {
                name: {
                    "rule": f"Host(`{name}`)",
                    "service": "s",
                    "middlewares": [f"{name}-{number}" for number in range(len(chain))],
                }
                for name, chain in routes.items()
            },
            "services": {"s": {"loadBalancer": {"servers": servers}}},
            "middlewares": {
                f"{name}-{number}": {"plugin": options}
                for name, chain in routes.items()
                for number, options in enumerate(chain)
            },
        }
        dynamic = self.folder / "routes.yaml"
        dynamic.write_text(json.dumps({"http": config}), encoding="utf-8")
        command = [
            *[self.carnet, "gateway", f"--entrypoints.web.address=127.0.0.1:{self.port}"],
            *[f"--providers.file.filename={dynamic}", "--ping.entrypoint=web"],
            *["--metrics.prometheus=true", "--metrics.prometheus.entrypoint=web"],
            *["--log.level=debug"],
        ]
        self.processes.start("gateway", command, lambda: self.ask("/readyz", "")[0] == 200)

    def ask(
        self, path: str, host: str, pair: tuple[str, str] | None = None
    ) -> tuple[int, str | None, str]:
        """Status, where the token came from, body."""
        headers = {"Host": host} if host else {}
        if pair:
            text = ":".join(pair).encode()
            headers["Authorization"] = f"Basic {base64.b64encode(text).decode()}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read().decode()
            return answer.status, answer.headers[HEADER], body
        finally:
            connection.close()

    def said(self) -> str:
        """The log."""
        return (self.folder / "gateway.out").read_text(encoding="utf-8", errors="replace")

    def counted(self, name: str) -> int:
        """A counter of tokens, over all providers."""
        lines = self.ask("/metrics", "")[2].splitlines()
        rows = [line for line in lines if line.startswith(f"carnet_token_{name}")]
        return sum(int(float(line.rsplit(" ", 1)[1])) for line in rows)
