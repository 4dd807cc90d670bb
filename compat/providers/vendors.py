"""Authorization servers: ours, and two that others wrote. Each is started, told its clients, and ended."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

from clients import AUDIENCE, KEY, SECONDS, SECRET_KEY, SECRETS, Client
from processes import free_ports
from server import Server

HERE = Path(__file__).resolve().parent
TARGET = HERE.parents[1] / "target" / "providers"
KEYCLOAK = "26.7.3"
# Seconds until a server answers; Keycloak compiles itself at its first start.
PATIENCE = 300


class Vendor:
    """What a case needs to know of an authorization server."""

    name: str
    # Ways to show a client that it has.
    methods: tuple[str, ...] = (*SECRETS, KEY, SECRET_KEY)
    # What it calls a scope that every client may have, and the claim with the client's id.
    scope, identity = "read", "client_id"
    # A secret that needs an encoding wherever it is written.
    nasty = "p:w+1 %/\u00e9"
    # Whether a scope that it does not know is refused; else it is left out.
    refuses_scopes = True
    # Options of the middleware that bring a token for the audience.
    audience = {"audience": AUDIENCE}
    # Whether a token that is for no audience is opaque.
    has_opaque_tokens = False

    issuer: str
    token_url: str
    # Where it is asked about a token (RFC 7662).
    introspection: str

    @property
    def discovery(self) -> str:
        """Where its metadata are."""
        return f"{self.issuer}/.well-known/openid-configuration"

    def asking_for(self, _: str) -> dict[str, str]:
        """The fields of a form that bring a token for an audience."""
        return {}

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.discovery, timeout=5):
                    return
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
        said = log.read_text(encoding="utf-8", errors="replace")
        self.__exit__()
        sys.exit(f"error: {self.name} does not answer; it said:\n{said[-4000:]}")


class Ours(Vendor):
    """`carnet serve all`."""

    name = "carnet"
    methods = SECRETS

    def asking_for(self, audience: str) -> dict[str, str]:
        return {"audience": audience}

    def __init__(self, carnet: str) -> None:
        settings = {"STRATEGIES_ACCESS_TOKEN": "jwt", "TTL_ACCESS_TOKEN": f"{SECONDS}s"}
        self.server = Server(carnet, settings)

    def start(self, clients: list[Client], _: Path) -> Ours:
        self.server.__enter__()
        self.issuer, self.token_url = self.server.issuer, self.server.token_url
        self.introspection = f"{self.server.admin}/admin/oauth2/introspect"
        for client in clients:
            if client.method in self.methods:
                self.server.create_client({
                    "client_id": client.id,
                    "client_secret": client.secret,
                    "token_endpoint_auth_method": client.method,
                    "grant_types": ["client_credentials"],
                    "audience": [AUDIENCE],
                    "scope": self.scope,
                })  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()


class OidcProvider(Vendor):
    """node-oidc-provider: https://github.com/panva/node-oidc-provider."""

    name = "node-oidc-provider"
    # It knows resources (RFC 8707) and no `audience`.
    audience = {"resources": [AUDIENCE]}
    has_opaque_tokens = True
    refuses_scopes = False
    # Secrets are ASCII there (RFC 6749, appendix A.2); a client with another cannot do anything.
    nasty = "p:w+1 %/~\\"

    def asking_for(self, audience: str) -> dict[str, str]:
        return {"resource": audience}

    def start(self, clients: list[Client], folder: Path) -> OidcProvider:
        shutil.copytree(HERE / "oidc-provider", TARGET / "oidc-provider", dirs_exist_ok=True)
        _call("npm", "ci", "--prefix", str(TARGET / "oidc-provider"), "--ignore-scripts",
              "--no-audit", "--no-fund")  # fmt: skip
        port, = free_ports(1)
        self.issuer = f"http://127.0.0.1:{port}"
        self.token_url = f"{self.issuer}/token"
        self.introspection = f"{self.token_url}/introspection"
        plan = {
            "port": port,
            "scope": self.scope,
            "seconds": SECONDS,
            "clients": [vars(client) for client in clients],
        }
        log = folder / "oidc-provider.log"
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                ["node", str(TARGET / "oidc-provider" / "provider.js")],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )
        self.process.stdin.write(json.dumps(plan).encode())
        self.process.stdin.close()
        self._wait(log)
        return self


class Keycloak(Vendor):
    """Keycloak, as its server distribution, with a realm of its own."""

    name = "Keycloak"
    # An optional scope of every realm.
    scope, identity = "phone", "azp"
    # An audience belongs to the client there, whatever is asked for.
    # More of the realm: users, and clients that are described as it does.
    more: dict[str, list[dict[str, Any]]] = {}

    def start(self, clients: list[Client], folder: Path) -> Keycloak:
        home = _keycloak()
        shutil.rmtree(home / "data", ignore_errors=True)
        realm = home / "data" / "import" / "realm.json"
        realm.parent.mkdir(parents=True)
        realm.write_text(json.dumps(self._realm(clients)), encoding="utf-8")
        port, = free_ports(1)
        self.issuer = f"http://127.0.0.1:{port}/realms/carnet"
        self.token_url = f"{self.issuer}/protocol/openid-connect/token"
        self.introspection = f"{self.token_url}/introspect"
        log = folder / "keycloak.log"
        script = ["bash", str(home / "bin" / "kc.sh")]
        flags = ["--http-host=127.0.0.1", f"--http-port={port}", "--db=dev-mem", "--import-realm"]
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                [*script, "start-dev", *flags],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._wait(log)
        return self

    def _realm(self, clients: list[Client]) -> dict[str, object]:
        return {
            "realm": "carnet",
            "enabled": True,
            "sslRequired": "none",
            "accessTokenLifespan": SECONDS,
            "users": self.more.get("users", []),
            "clients": [self._client(client) for client in clients] + self.more.get("clients", []),
        }

    @staticmethod
    def _client(client: Client) -> dict[str, object]:
        ways = {KEY: "client-jwt", SECRET_KEY: "client-secret-jwt"}
        body = [line for line in client.certificate.splitlines() if "-----" not in line]
        return {
            "clientId": client.id,
            "protocol": "openid-connect",
            "publicClient": False,
            "serviceAccountsEnabled": True,
            "standardFlowEnabled": False,
            "clientAuthenticatorType": ways.get(client.method, "client-secret"),
            "secret": client.secret or None,
            "attributes": {"jwt.credential.certificate": "".join(body)} if body else {},
            # Only whom a token is for may ask about it.
            "protocolMappers": [audience(client.audience), audience(client.id)],
        }


def audience(name: str) -> dict[str, Any]:
    """What puts an audience into tokens of Keycloak."""
    return {
        "name": f"audience {name}",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": {"included.custom.audience": name, "access.token.claim": "true"},
    }


def _keycloak() -> Path:
    """The distribution, unpacked."""
    home = TARGET / f"keycloak-{KEYCLOAK}"
    if home.exists():
        return home
    print(f"installing with Maven: keycloak-quarkus-dist {KEYCLOAK}, 170 MB", flush=True)
    artifact = f"org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:zip"
    _call("mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}",
          f"-DoutputDirectory={TARGET}")  # fmt: skip
    packed = TARGET / f"keycloak-quarkus-dist-{KEYCLOAK}.zip"
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(TARGET / "unpacking")
    packed.unlink()
    (TARGET / "unpacking" / home.name).rename(home)
    return home


def _call(*command: str) -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    ended = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
    )
    if ended.returncode != 0:
        sys.exit(f"error: {' '.join(command)} ended with {ended.returncode}\n{ended.stdout}")
