"""Two trust domains: a caller has a token of one, the service takes tokens of the other, and a gateway between them
exchanges (RFC 8693). One gateway stands at the door of the first domain, another before the service."""

from __future__ import annotations

import base64
import http.client
import http.server
import json
import threading
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from clients import AUDIENCE, BASIC, Client
from processes import Processes, free_ports
from server import Server
from stand import HEADER
from vendors import Keycloak, OidcProvider, Ours, Vendor, audience

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"

SECRET = "a-secret-of-some-length"
GATEWAY = Client("gateway", BASIC, SECRET)
# Whoever asks at once, by turns.
CALLERS = ("caller", "other")
CROWD = 20


class Crossing:
    """Callers' domain, the service's domain, and the gateways between."""

    name: str
    # Metadata of the callers' domain, and whom their tokens are for.
    outer: Vendor
    door: str
    # The service's domain, and whom its tokens are for.
    inner: Vendor
    audience = AUDIENCE
    # Options of the exchange, without the client.
    exchange: dict[str, Any]
    # An audience that the gateway may not have, and what comes of it.
    far = ("https://far.example", 403)

    def __init__(self, carnet: str, folder: Path) -> None:
        self.carnet, self.folder = carnet, folder
        self.faults: list[str] = []
        self.seen = 0
        self.lock = threading.Lock()

    def begin(self, stack: ExitStack) -> None:
        """Starts both domains."""
        raise NotImplementedError

    def token(self, caller: str, audience: str) -> str:
        """A token of a caller's."""
        form = {"grant_type": "client_credentials", **self.outer.asking_for(audience)}
        return _token(self.outer, caller, form)

    def play(self) -> int:
        """Asks everything; how many answers are wrong."""
        with ExitStack() as stack:
            self.begin(stack)
            service = self._service()
            stack.callback(service.shutdown)
            processes = stack.enter_context(Processes(self.folder))
            self.behind, self.front = free_ports(2)
            self._gateway(processes, "behind", self.behind, self._inside(service.server_address[1]))
            self._gateway(processes, "front", self.front, self._outside())
            missed = self._ask_all()
        for fault in self.faults:
            print(f"MISSED: {fault}")
        print(f"{self.name}: {self.seen} requests at the service", flush=True)
        return missed + len(self.faults)

    def _service(self) -> http.server.ThreadingHTTPServer:
        """The service: it finds fault with tokens that are not its domain's, and says whose each is."""
        crossing = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:  # noqa: N802
                subject = crossing.look(self.headers).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(subject)))
                self.end_headers()
                self.wfile.write(subject)

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def look(self, headers: http.client.HTTPMessage) -> str:
        """One request at the service: whose it is."""
        claims = claims_of((headers["Authorization"] or "").removeprefix("Bearer "))
        wrong = faults(claims, self.inner.issuer, self.audience)
        with self.lock:
            self.seen += 1
            self.faults += wrong
        return str(claims.get("sub"))

    def _inside(self, service: int) -> dict[str, Any]:
        """What stands before the service: tokens of its own domain, and no others."""
        mine = {"discovery": self.inner.discovery, "audience": [self.audience]}
        jwt = {"jwt": {**mine, "forwardAuthorization": True}}
        hosts = "Host(`entry`) || Host(`bare`) || Host(`far`) || Host(`stranger`)"
        return _config({"all": (hosts, ["jwt"])}, {"jwt": jwt}, service)

    def _outside(self) -> dict[str, Any]:
        """What stands at the door: a token is verified where it can be, and exchanged."""
        theirs = {"discovery": self.outer.discovery, "audience": [self.door]}
        own = {"url": self.inner.token_url, "clientID": GATEWAY.id, "cache": {"header": HEADER}}

        def exchange(secret: str, audience: str) -> dict[str, Any]:
            asked = {**self.exchange, "audience": audience}
            return {"oAuthTokenExchange": {**own, "clientSecret": secret, "rfc8693": asked}}

        middlewares = {
            "jwt": {"jwt": {**theirs, "forwardAuthorization": True}},
            "swap": exchange(SECRET, self.audience),
            "far": exchange(SECRET, self.far[0]),
            "stranger": exchange("another", self.audience),
        }
        routes = {
            "entry": ("Host(`entry`)", ["jwt", "swap"]),
            "bare": ("Host(`bare`)", ["swap"]),
            "far": ("Host(`far`)", ["far"]),
            "stranger": ("Host(`stranger`)", ["stranger"]),
        }
        return _config(routes, middlewares, self.behind)

    def _gateway(self, processes: Processes, name: str, port: int, config: dict[str, Any]) -> None:
        routes = self.folder / f"{name}.yaml"
        routes.write_text(json.dumps(config), encoding="utf-8")
        command = [
            *[self.carnet, "gateway", f"--entrypoints.web.address=127.0.0.1:{port}"],
            *[f"--providers.file.filename={routes}", "--ping.entrypoint=web"],
            *["--metrics.prometheus=true", "--metrics.prometheus.entrypoint=web"],
            *["--log.level=debug"],
        ]
        processes.start(name, command, lambda: _get(port, "", None, "/readyz").status == 200)

    def _ask_all(self) -> int:
        tokens = {caller: self.token(caller, self.door) for caller in CALLERS}
        right = tokens["caller"]
        elsewhere = self.token("caller", AUDIENCE)
        broken = right[:-8] + ("A" if right[-8] != "A" else "B") + right[-7:]
        invalid = 'Bearer realm="carnet", error="invalid_token"'
        asked = [
            ("a caller of the one domain at a service of the other", "entry", right, 200, "miss", None),
            ("the same again", "entry", right, 200, "hit", None),
            ("no token", "entry", None, 401, None, 'Bearer realm="carnet"'),
            ("a token with another signature, before the exchange", "entry", broken, 401, None, invalid),
            ("the same, at the server that exchanges", "bare", broken, 401, "refused", invalid),
            ("a token of nobody", "bare", "nobodys", 401, "refused", invalid),
            ("an audience that the gateway may not have", "far", right, self.far[1], "refused", None),
            ("a gateway that the server does not know", "stranger", right, 502, "refused", None),
        ]
        if elsewhere != right and self.door not in _audiences(elsewhere):
            asked.append(("a token for somebody else", "entry", elsewhere, 401, None, invalid))
        missed = sum(self._ask(*one) for one in asked)
        # The domain of the service does not take the callers' tokens.
        status = _get(self.behind, "entry", right).status
        missed += _tell(status == 401, f"status {status}", "a caller's token at the service itself")
        return missed + self._at_once(tokens) + self._silence([*tokens.values(), SECRET])

    def _ask(
        self, what: str, host: str, token: str | None, status: int, word: str | None, said: str | None
    ) -> int:
        before = self.seen
        answer = _get(self.front, host, token)
        reached = self.seen - before
        got = (answer.status, answer.headers[HEADER], answer.headers["WWW-Authenticate"], reached)
        wanted = (status, word, said if status != 200 else None, int(status == 200))
        return _tell(got == wanted, f"{got}, not {wanted}", what)

    def _at_once(self, tokens: dict[str, str]) -> int:
        """Whoever comes together with others gets what is his."""
        subjects = {caller: claims_of(token)["sub"] for caller, token in tokens.items()}

        def own(number: int) -> bool:
            caller = CALLERS[number % len(CALLERS)]
            answer = _get(self.front, "bare", tokens[caller])
            return (answer.status, answer.text) == (200, subjects[caller])

        before = self._calls()
        with ThreadPoolExecutor(CROWD) as pool:
            right = sum(pool.map(own, range(CROWD)))
        calls = self._calls() - before
        # `bare` and `entry` share a middleware, and the first caller was there before.
        is_right = (right, calls) == (CROWD, len(CALLERS) - 1)
        return _tell(is_right, f"{right} right, {calls} calls", f"{CROWD} of two callers at once")

    def _calls(self) -> int:
        lines = _get(self.front, "", None, "/metrics").text.splitlines()
        rows = [line for line in lines if line.startswith("carnet_token_calls_total")]
        return sum(int(float(line.rsplit(" ", 1)[1])) for line in rows)

    def _silence(self, secrets: list[str]) -> int:
        """No token and no secret is in a log at its finest, or among the metrics."""
        logs = [self.folder / f"{name}.out" for name in ("front", "behind")]
        said = "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs)
        said += _get(self.front, "", None, "/metrics").text
        shown = sum(secret in said for secret in secrets)
        return _tell(not shown, f"{shown} are said", "no token in the logs or metrics")


class FromOthers(Crossing):
    """Callers of another vendor's domain; the service's domain is ours."""

    exchange = {"subjectTokenType": JWT}

    def begin(self, stack: ExitStack) -> None:
        self.inner = Ours(self.carnet).start([], self.folder)
        stack.callback(self.inner.__exit__)
        self.door = self.inner.issuer
        known = [Client(caller, BASIC, SECRET, audience=self.door) for caller in CALLERS]
        self.outer.start(known, self.folder)
        stack.callback(self.outer.__exit__)
        server = self.inner.server
        _may_exchange(server, [self.outer.issuer])
        for key in _keys(self.outer):
            server.trust(self.outer.issuer, key, ["read"])


class FromOidcProvider(FromOthers):
    name = "callers of node-oidc-provider, a service of carnet"

    def __init__(self, carnet: str, folder: Path) -> None:
        super().__init__(carnet, folder)
        self.outer = OidcProvider()


class FromKeycloak(FromOthers):
    name = "callers of Keycloak, a service of carnet"

    def __init__(self, carnet: str, folder: Path) -> None:
        super().__init__(carnet, folder)
        self.outer = Keycloak()


class Within(Crossing):
    """One domain of ours: the callers' tokens are for the door, the service's for itself."""

    name = "callers, exchange and service of carnet"
    exchange = {"subjectTokenType": ACCESS_TOKEN}
    door = "https://door.example"

    def begin(self, stack: ExitStack) -> None:
        self.inner = self.outer = Ours(self.carnet).start([], self.folder)
        stack.callback(self.inner.__exit__)
        for caller in CALLERS:
            self.inner.server.create_client({
                "client_id": caller,
                "client_secret": SECRET,
                "grant_types": ["client_credentials"],
                "audience": [self.door, AUDIENCE],
            })  # fmt: skip
        _may_exchange(self.inner.server, list(CALLERS))


class AtKeycloak(Crossing):
    """Keycloak exchanges its own tokens (standard token exchange): the callers' are for the gateway, the service's
    for itself."""

    name = "callers, exchange and service of Keycloak"
    exchange = {"subjectTokenType": ACCESS_TOKEN}
    door = GATEWAY.id
    audience = "orders"
    # Keycloak says `invalid_client` to an audience that it does not know.
    far = ("nobody", 502)

    def begin(self, stack: ExitStack) -> None:
        keycloak = Keycloak()
        keycloak.more = {"users": [_user(name) for name in CALLERS], "clients": _of_keycloak()}
        self.inner = self.outer = keycloak.start([], self.folder)
        stack.callback(keycloak.__exit__)

    def token(self, caller: str, _: str) -> str:
        form = {"grant_type": "password", "username": caller, "password": SECRET}
        return _token(self.outer, "front", form)


def crossings(with_keycloak: bool) -> list[type[Crossing]]:
    """All of them."""
    return [Within, FromOidcProvider, *([FromKeycloak, AtKeycloak] if with_keycloak else [])]


def _may_exchange(server: Server, sources: list[str]) -> None:
    """The gateway becomes a client that may act for whomever tokens of these were given to."""
    server.create_client({
        "client_id": GATEWAY.id,
        "client_secret": GATEWAY.secret,
        "grant_types": [EXCHANGE],
        "audience": [AUDIENCE],
        "scope": "read",
        "may_act_for": sources,
    })  # fmt: skip


def faults(claims: dict[str, Any], issuer: str, audience: str) -> list[str]:
    """What is wrong with the token of a request at the service."""
    wrong = []
    if claims.get("iss") != issuer:
        wrong.append(f"a token of {claims.get('iss')}")
    if audience not in _audiences_of(claims):
        wrong.append(f"a token for {claims.get('aud')}")
    if GATEWAY.id not in (claims.get("client_id"), claims.get("azp")):
        wrong.append(f"a token of the client {claims.get('client_id')}")
    if claims.get("exp", 0) <= time.time():
        wrong.append("a token that has ended")
    return wrong


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT; none of anything else."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    return json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))


def _audiences_of(claims: dict[str, Any]) -> list[str]:
    audience = claims.get("aud", [])
    return audience if isinstance(audience, list) else [audience]


def _audiences(token: str) -> list[str]:
    return _audiences_of(claims_of(token))


def _user(name: str) -> dict[str, Any]:
    return {
        "username": name,
        "enabled": True,
        "email": f"{name}@example.com",
        "emailVerified": True,
        "firstName": name,
        "lastName": name,
        "credentials": [{"type": "password", "value": SECRET}],
    }


def _of_keycloak() -> list[dict[str, Any]]:
    """The client of the callers, the gateway's, and the service's, as Keycloak describes them."""
    common = {"protocol": "openid-connect", "secret": SECRET, "standardFlowEnabled": False}
    exchanges = {"attributes": {"standard.token.exchange.enabled": "true"}}
    front = {"directAccessGrantsEnabled": True, "protocolMappers": [audience(GATEWAY.id)]}
    return [
        {**common, "clientId": "front", **front},
        {**common, "clientId": GATEWAY.id, **exchanges, "protocolMappers": [audience("orders")]},
        {**common, "clientId": "orders"},
    ]


def _config(
    routes: dict[str, tuple[str, list[str]]], middlewares: dict[str, Any], port: int
) -> dict[str, Any]:
    servers = [{"url": f"http://127.0.0.1:{port}"}]
    routers = {
        name: {"rule": rule, "service": "s", "middlewares": chain}
        for name, (rule, chain) in routes.items()
    }
    plugins = {name: {"plugin": options} for name, options in middlewares.items()}
    services = {"s": {"loadBalancer": {"servers": servers}}}
    return {"http": {"routers": routers, "services": services, "middlewares": plugins}}


class _Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers = answer.status, answer.headers
        self.text = answer.read().decode()


def _get(port: int, host: str, token: str | None, path: str = "/") -> _Answer:
    headers = {"Host": host} if host else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        return _Answer(connection.getresponse())
    finally:
        connection.close()


def _token(vendor: Vendor, client: str, form: dict[str, str]) -> str:
    pair = base64.b64encode(f"{client}:{SECRET}".encode()).decode()
    data = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(vendor.token_url, data, {"Authorization": f"Basic {pair}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["access_token"]


def _keys(vendor: Vendor) -> list[dict[str, Any]]:
    """The public keys that a vendor signs with."""
    with urllib.request.urlopen(vendor.discovery, timeout=30) as answer:
        place = json.load(answer)["jwks_uri"]
    with urllib.request.urlopen(place, timeout=30) as answer:
        return [key for key in json.load(answer)["keys"] if key.get("use") == "sig"]


def _tell(is_right: bool, otherwise: str, what: str) -> int:
    print(f"{'ok' if is_right else f'MISSED: {otherwise}'}: {what}")
    return int(not is_right)
