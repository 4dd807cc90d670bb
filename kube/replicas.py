"""Several gateways that share nothing but a Redis, before several authorization servers that share a
PostgreSQL: every one of them is replaced under load, and no request is lost."""

from __future__ import annotations

import base64
import http.client
import json
import sys
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import carnet as programs
import guarded
import pods
import stage
import tutorial
from carnet import Carnet
from cluster import Cluster

sys.path.append(str(Path(__file__).resolve().parents[1] / "faults"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "bench"))

APP, AUTHORIZATION = "replicas.example", "authorization.example"
# The last parts of addresses. Each gateway and each server that ever runs has its own; the first server has
# the one that the gateways ask for tokens.
SERVERS, APP_LAST, REDIS_LAST, GATEWAYS = 10, 80, 81, 100
# As the manifests in `deploy/kubernetes` have it, only quicker.
LIFE = "transport: {lifeCycle: {requestAcceptGraceTimeout: 1s, graceTimeOut: 10s}}"
# How often kubelet asks, here; what it says of the first failure counts.
PROBE_S = 0.2


class Gateways:
    """Gateways, and who of them is ready: what a Service in front of them knows."""

    def __init__(self, cluster: Cluster, carnet: Carnet) -> None:
        self.cluster, self.carnet = cluster, carnet
        self.started, self.ready = 0, list[str]()

    def add(self) -> str:
        """One more, once it is ready."""
        address = stage.pod_address(GATEWAYS + self.started)
        name = f"gateway{self.started}"
        self.started += 1
        entry_points = f"web: {{address: '{address}:80', {LIFE}}}, traefik: {{address: '{address}:8081'}}"
        static = programs.STATIC % (entry_points, "", "")
        command, variables = self.carnet.following(self.cluster, name, static)
        self.carnet.start(name, command, variables)
        programs.until(_ready(address), 20)
        assert (found := _status(address, APP)) != 404, f"{name} is ready without its routes: {found}"
        self.ready.append(address)
        return name

    def replace(self, name: str) -> str:
        """A new one comes before the old one goes."""
        new = self.add()
        address = self.ready[0]
        ended = threading.Thread(target=lambda: self._end(name))
        ended.start()
        while programs.answers(_ready(address)):
            time.sleep(PROBE_S)
        self.ready.remove(address)
        ended.join()
        return new

    def _end(self, name: str) -> None:
        code = self.carnet.stop(name)
        assert code == 0, f"{name} ends with {code}"


class Servers:
    """Authorization servers of one database, and their EndpointSlices."""

    def __init__(self, cluster: Cluster, carnet: Carnet, dsn: str) -> None:
        self.cluster, self.carnet, self.started = cluster, carnet, 0
        self.variables = {
            "DSN": dsn, "SECRETS_SYSTEM": "only-for-this-very-test-of-ours", "URLS_SELF_ISSUER": tutorial.ISSUER,
            "STRATEGIES_ACCESS_TOKEN": "jwt", "SERVE_DRAIN_DELAY": "1s",
        }

    def migrate(self) -> None:
        """As the init container of each pod does."""
        process = self.carnet.start("migrate", ["migrate", "sql", "up", "-e", "--yes"], self.variables)
        code = process.wait(timeout=60)
        del self.carnet.running["migrate"]
        assert code == 0, self.carnet.log("migrate").read_text(encoding="utf-8")

    def add(self) -> int:
        """One more, once it is ready."""
        number, address = self.started, stage.pod_address(SERVERS + self.started)
        self.started += 1
        self.migrate()
        variables = {**self.variables, "SERVE_PUBLIC_HOST": address, "SERVE_ADMIN_HOST": address}
        ready = f"http://{address}:4445/health/ready"
        self.carnet.start(f"server{number}", ["serve", "all", "--dev"], variables, ready=ready)
        self._tell(number, {"ready": True})
        return number

    def replace(self, number: int) -> int:
        """A new one comes before the old one goes."""
        new = self.add()
        self._tell(number, {"ready": False, "serving": True, "terminating": True})
        code = self.carnet.stop(f"server{number}")
        assert code == 0, f"server{number} ends with {code}"
        self.cluster.kubectl("delete", "endpointslice", f"hydra-{number}", "-n", "guarded")
        return new

    def _tell(self, number: int, conditions: dict[str, bool]) -> None:
        address = stage.pod_address(SERVERS + number)
        made = pods.endpoint_slice("guarded", "hydra", address, {"public": 4444}, suffix=str(number))
        made["endpoints"] = [{"addresses": [address], "conditions": conditions}]
        self.cluster.apply(made)


def play(cluster: Cluster, carnet: Carnet, times: int) -> str:
    """Two of each; each is replaced so many times."""
    with _postgres() as dsn:
        return _play(cluster, carnet, times, dsn)


def _play(cluster: Cluster, carnet: Carnet, times: int, dsn: str) -> str:
    redis = stage.pod_address(REDIS_LAST)
    carnet.start_other("redis", ["redis-server", "--bind", redis, "--port", "6379", "--save", "", "--protected-mode", "no"])
    address = stage.pod_address(APP_LAST)
    carnet.start("whoami", ["whoami", "--port", "8020"])
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "guarded"}})
    servers = Servers(cluster, carnet, dsn)
    running = [servers.add(), servers.add()]
    client = _client(carnet, stage.pod_address(SERVERS))
    cluster.apply(*_objects(client, redis, address))
    gateways = Gateways(cluster, carnet)
    names = [gateways.add(), gateways.add()]
    for one in gateways.ready:
        _until(one, APP, 200)
    with Load(gateways, client) as load:
        for _ in range(times):
            names = [gateways.replace(name) for name in names]
            running = [servers.replace(number) for number in running]
    told = load.judged(at_least=times * 100)
    # Nobody gives tokens any more: a new gateway has the fleet's.
    for number in running:
        carnet.stop(f"server{number}")
    gateways.add()
    found = _status(gateways.ready[-1], APP)
    assert found == 200, f"a gateway that comes after the authorization servers' end answers {found}"
    return f"{2 * times} gateways and {2 * times} authorization servers replaced; {told}"


class Load:
    """Clients of both, until the `with` block ends; each keeps its connection as long as it is kept."""

    def __init__(self, gateways: Gateways, client: dict[str, str]) -> None:
        self.gateways, self.seen = gateways, Counter[tuple[str, int]]()
        self.ended = threading.Event()
        basic = base64.b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "audience": "https://traefik.io"})
        token = ("POST", "/oauth2/token", form, {
            "Host": AUTHORIZATION, "Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded",
        })
        asked = [("GET", "/", None, {"Host": APP})] * 3 + [token]
        self.threads = [threading.Thread(target=self._ask, args=(number, *one)) for number, one in enumerate(asked)]

    def __enter__(self) -> Load:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def judged(self, at_least: int) -> str:
        """Nothing is lost."""
        lost = {one: count for one, count in self.seen.items() if one[1] != 200}
        assert not lost, f"requests are lost: {lost}; {dict(self.seen)}"
        for host in (APP, AUTHORIZATION):
            assert self.seen[host, 200] >= at_least, f"only {self.seen[host, 200]} requests of {host}"
        return f"{self.seen[APP, 200]} requests and {self.seen[AUTHORIZATION, 200]} tokens, none lost"

    def _ask(self, number: int, verb: str, path: str, body: str | None, headers: dict[str, str]) -> None:
        connection, asked = None, 0
        while not self.ended.is_set():
            if connection is None or connection.sock is None or asked >= 200:
                # A new connection goes to whoever is ready, in turn.
                ready = list(self.gateways.ready)
                number += 1
                asked, connection = 0, http.client.HTTPConnection(ready[number % len(ready)], 80, timeout=10)
            asked += 1
            try:
                connection.request(verb, path, body, headers)
                answer = connection.getresponse()
                said = answer.read()
                whole = answer.status == 200 and (verb == "POST" or b"Authorization: Bearer " in said)
                self.seen[headers["Host"], answer.status if whole or answer.status != 200 else -1] += 1
            except (OSError, http.client.HTTPException):
                self.seen[headers["Host"], 0] += 1
                connection.close()


def _objects(client: dict[str, str], redis: str, address: str) -> list[dict[str, object]]:
    options = {
        "url": f"{tutorial.ISSUER}/oauth2/token", "audience": "https://traefik.io",
        "clientID": client["client_id"], "clientSecret": client["client_secret"],
        "store": {"keyPrefix": "gw:", "secret": "0123456789abcdef", "redis": {"endpoints": [f"{redis}:6379"]}},
    }
    def route(host: str, service: str, port: int, *middlewares: str) -> dict[str, object]:
        return {
            "match": f"Host(`{host}`)", "middlewares": [{"name": name} for name in middlewares],
            "services": [{"name": service, "port": port}],
        }

    routes = [route(APP, "app", 80, "guard"), route(AUTHORIZATION, "hydra", 4444)]
    return [
        guarded.made("v1", "Service", "app", {"ports": [{"name": "http", "port": 80}]}),
        guarded.made("v1", "Service", "hydra", {"ports": [{"name": "public", "port": 4444}]}),
        pods.endpoint_slice("guarded", "app", address, {"http": 8020}),
        guarded.made("traefik.io/v1alpha1", "Middleware", "guard", {"plugin": {"oAuthClientCredentials": options}}),
        guarded.made("traefik.io/v1alpha1", "IngressRoute", "all", {"routes": routes}),
    ]


def _client(carnet: Carnet, address: str) -> dict[str, str]:
    command = ["create", "oauth2-client", "--secret", "traefiklabs", "--grant-type", "client_credentials"]
    command += ["--endpoint", f"http://{address}:4445/", "--audience", "https://traefik.io", "--format", "json"]
    return json.loads(carnet.run(command))


@contextmanager
def _postgres() -> Iterator[str]:
    """A database of its own; gives its address."""
    from postgres import Cluster as Database

    database = Database.new()
    try:
        yield database.dsn()
    finally:
        database.drop()


def _ready(address: str) -> str:
    return f"http://{address}:8081/readyz"


def _until(address: str, host: str, status: int, within: float = 10) -> None:
    end = time.monotonic() + within
    while (found := _status(address, host)) != status:
        assert time.monotonic() < end, f"{host} at {address} answers {found}, not {status}"
        time.sleep(0.02)


def _status(address: str, host: str) -> int:
    connection = http.client.HTTPConnection(address, 80, timeout=10)
    try:
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
