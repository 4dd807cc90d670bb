"""An MCP server behind routes of a gateway, and an authorization server that clients find by themselves."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from processes import Processes, free_ports
from sdks import PYTHON, SERVER
from server import Server

WELL_KNOWN = "/.well-known/oauth-protected-resource"
# Routes: the first wants a scope, and another one for one tool; the second is for another resource; who
# comes by the third has no token.
MCP, OTHER, OPEN = "/mcp", "/other/mcp", "/open/mcp"


class Stand:
    """Everything that runs."""

    def __init__(self, carnet: str, folder: Path, processes: Processes) -> None:
        self.carnet, self.folder, self.processes = carnet, folder, processes
        gateway, consent, self.tools = free_ports(3)
        self.base = f"http://127.0.0.1:{gateway}"
        self.gateway, self.consent = gateway, consent
        self.seen = folder / "seen.jsonl"
        self.seen.touch()
        pages = {f"URLS_{name}": f"http://127.0.0.1:{consent}/{name.lower()}" for name in ("LOGIN", "CONSENT")}
        self.server = Server(carnet, {
            **pages,
            "STRATEGIES_ACCESS_TOKEN": "jwt",
            "OAUTH2_PKCE_ENFORCED_FOR_PUBLIC_CLIENTS": "true",
            "OIDC_DYNAMIC_CLIENT_REGISTRATION_ENABLED": "true",
            "OIDC_DYNAMIC_CLIENT_REGISTRATION_ADDED_AUDIENCE": f"{self.base}{MCP},{self.base}{OTHER}",
            "OIDC_DYNAMIC_CLIENT_REGISTRATION_ADDED_SCOPE": "tools,tools:write",
            "AUDIT_FILE": str(folder / "audit.log"),
        })  # fmt: skip

    def start(self) -> None:
        """All of it; the authorization server runs already."""
        self.processes.start(
            "consent",
            [self.carnet, "consent", "-a", self.server.admin, "-b", f"127.0.0.1:{self.consent}"],
            lambda: listens(self.consent),
        )
        command = [PYTHON, str(SERVER), str(self.tools), str(self.seen)]
        self.processes.start("tools", command, lambda: listens(self.tools))
        gateways = self.machine({"client_secret": "of-the-gateway"})
        dynamic = self.folder / "routes.yaml"
        dynamic.write_text(json.dumps({"http": self._routes(gateways)}), encoding="utf-8")
        self.processes.start("gateway", [
            self.carnet, "gateway", f"--entrypoints.web.address=127.0.0.1:{self.gateway}",
            f"--providers.file.filename={dynamic}", "--ping.entrypoint=web", "--log.level=debug",
        ], lambda: self.ask("/readyz")[0] == 200)  # fmt: skip

    def machine(self, more: dict[str, Any]) -> str:
        """Registers a client that is no person's; its id."""
        return self.server.create_client({
            "grant_types": ["client_credentials"],
            "scope": "tools",
            "audience": [f"{self.base}{MCP}"],
            **more,
        })["client_id"]  # fmt: skip

    def _routes(self, gateways: str) -> dict[str, Any]:
        def route(rule: str, *middlewares: str, service: str = "tools", priority: int = 1) -> dict[str, Any]:
            return {"rule": rule, "service": service, "middlewares": middlewares, "priority": priority}

        def served(url: str) -> dict[str, Any]:
            return {"loadBalancer": {"servers": [{"url": url}]}}

        def with_document(path: str) -> str:
            return f"Path(`{path}`) || Path(`{WELL_KNOWN}{path}`)"

        own = {
            "url": self.server.token_url, "clientID": gateways, "clientSecret": "of-the-gateway",
            "scopes": ["tools"], "resources": [f"{self.base}{MCP}"],
        }  # fmt: skip
        return {
            "routers": {
                "mcp": route(with_document(MCP), "mcp"),
                "write": route(f"Path(`{MCP}`) && Header(`Mcp-Name`, `delete`)", "write", priority=2),
                "other": route(with_document(OTHER), "other", "strip"),
                "open": route(f"Path(`{OPEN}`)", "strip", "own", service="self"),
            },
            "middlewares": {
                "mcp": self._judge(MCP, {"requiredScopes": ["tools"]}, ["tools", "tools:write"]),
                "write": self._judge(MCP, {"requiredScopes": ["tools", "tools:write"]}, []),
                "other": self._judge(OTHER, {}, ["tools", "offline_access"]),
                "strip": {"stripPrefix": {"prefixes": ["/other", "/open"]}},
                "own": {"plugin": {"oAuthClientCredentials": own}},
            },
            "services": {
                "tools": served(f"http://127.0.0.1:{self.tools}"),
                "self": served(self.base),
            },
        }

    def _judge(self, path: str, more: dict[str, Any], scopes: list[str]) -> dict[str, Any]:
        """A `jwt` for a route that is a resource, which it tells of."""
        resource = f"{self.base}{path}"
        told = {
            "resource": resource, "authorizationServers": [self.server.issuer], "scopesSupported": scopes,
        }  # fmt: skip
        discovery = f"{self.server.issuer}/.well-known/oauth-authorization-server"
        options = {
            "discovery": discovery, "issuer": self.server.issuer, "audience": [resource],
            "forwardHeaders": {"X-User": "sub"}, "resourceMetadata": told, **more,
        }  # fmt: skip
        return {"plugin": {"jwt": options}}

    def ask(self, path: str, token: str = "", method: str = "GET") -> tuple[int, str, str]:
        """Status, challenge, body."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"{self.base}{path}", headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, "", answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get("WWW-Authenticate", ""), error.read().decode()

    def reached(self) -> list[dict[str, Any]]:
        """Requests that the MCP server saw."""
        return [json.loads(line) for line in self.seen.read_text(encoding="utf-8").splitlines()]


def listens(port: int) -> bool:
    """Whether somebody does."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False
