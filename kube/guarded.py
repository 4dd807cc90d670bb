"""Whatever is deleted, a guarded route is guarded or closed (F11); whatever happens to the API server,
what is served stays (F10). Everything is asked without credentials, all the time."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import pods
import stage
from carnet import Carnet
from cluster import Cluster

GUARDED, OPEN = "guarded.example", "open.example"
WHOAMI_PORT, NEIGHBOUR_PORT = 8030, 8031
# What a guard says to a request without credentials.
GUARD = 401


def namespace() -> list[dict[str, object]]:
    """A guarded application, with all that it needs."""
    middleware = {"plugin": {"oAuthClientCredentials": {"url": "http://hydra.hydra.svc:4444/oauth2/token"}}}
    combined = {"plugin": {"oAuthClientCredentials": {
        "url": "http://hydra.hydra.svc:4444/oauth2/token", "usernameClaim": "sub",
        "audience": "urn:k8s:secret:audience:value",
    }}}
    routes = [
        {"match": f"Host(`{GUARDED}`) && PathPrefix(`/middleware`)", "middlewares": [{"name": "guard"}]},
        {"match": f"Host(`{GUARDED}`) && PathPrefix(`/secret`)", "middlewares": [{"name": "secret-guard"}]},
    ]
    service = {"name": "app", "port": 80}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "guarded"}},
        made("v1", "Service", "app", {"ports": [{"name": "http", "port": 80}]}),
        pods.endpoint_slice("guarded", "app", f"{stage.POD_NETWORK}.30", {"http": WHOAMI_PORT}),
        {**made("v1", "Secret", "audience", None), "stringData": {"value": "https://traefik.io"}},
        made("traefik.io/v1alpha1", "Middleware", "guard", middleware),
        made("traefik.io/v1alpha1", "Middleware", "secret-guard", combined),
        made("traefik.io/v1alpha1", "IngressRoute", "app", {"routes": [{**r, "services": [service]} for r in routes]}),
    ]


def made(version: str, kind: str, name: str, spec: object) -> dict[str, object]:
    """An object in the guarded namespace."""
    identified: dict[str, object] = {
        "apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "guarded"},
    }
    return identified if spec is None else {**identified, "spec": spec}


def neighbour() -> list[dict[str, object]]:
    """An application that nobody touches. Its route is as wide as can be: what falls through reaches
    it, and shows."""
    route = {"match": "PathPrefix(`/`)", "priority": 1, "services": [{"name": "app", "port": 80}]}
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "neighbour"}},
        made("v1", "Service", "app", {"ports": [{"name": "http", "port": 80}]}),
        pods.endpoint_slice("neighbour", "app", f"{stage.POD_NETWORK}.31", {"http": NEIGHBOUR_PORT}),
        made("traefik.io/v1alpha1", "IngressRoute", "app", {"routes": [route]}),
    ]
    for one in objects[1:]:
        one["metadata"]["namespace"] = "neighbour"  # type: ignore[index]
    return objects


@dataclass
class Probes:
    """Asks without credentials until the `with` block ends."""

    seen: dict[str, Counter[int]] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Probes:
        for host, path in [(GUARDED, "/middleware"), (GUARDED, "/secret"), (OPEN, "/")]:
            counter = self.seen[host + path] = Counter()
            thread = threading.Thread(target=self._ask, args=(host, path, counter))
            thread.start()
            self.threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def count(self, host: str) -> int:
        return sum(sum(seen.values()) for name, seen in self.seen.items() if name.startswith(host))

    def _ask(self, host: str, path: str, counter: Counter[int]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=10)
        while not self.ended.is_set():
            try:
                connection.request("GET", path, headers={"Host": host})
                answer = connection.getresponse()
                body = answer.read()
                # Where the route itself is gone, the neighbour's matches, which is another one's.
                is_neighbour = b"Name: neighbour" in body and host == GUARDED
                counter[404 if is_neighbour else answer.status] += 1
            except (OSError, http.client.HTTPException):
                counter[0] += 1
                connection.close()
                time.sleep(0.01)


def start(cluster: Cluster, carnet: Carnet) -> None:
    """The applications, their process, and a gateway before them."""
    for last in (30, 31):
        stage.pod_address(last)
    carnet.start("application", ["whoami", "--port", str(WHOAMI_PORT)])
    carnet.start("neighbour", ["whoami", "--port", str(NEIGHBOUR_PORT), "--name", "neighbour"])
    cluster.apply(*namespace(), *neighbour())
    carnet.gateway(cluster)
    until(GUARDED, "/middleware", GUARD)
    until(OPEN, "/", 200)


# Holds F11, HI-22.
def deletions(cluster: Cluster, carnet: Carnet, probes_wanted: int) -> str:
    """Middlewares, Secrets and the whole namespace come and go."""
    start(cluster, carnet)
    doomed = [["middleware", "guard"], ["secret", "audience"], ["middleware", "secret-guard"], ["ingressroute", "app"]]
    rounds = 0
    with Probes() as probes:
        while probes.count(GUARDED) < probes_wanted or rounds < 3:
            for kind, name in doomed:
                cluster.kubectl("delete", kind, name, "-n", "guarded")
                if kind == "middleware":
                    path = "/secret" if name == "secret-guard" else "/middleware"
                    until(GUARDED, path, 503, within=2)
                cluster.apply(*namespace())
            cluster.kubectl("delete", "namespace", "guarded")
            cluster.apply(*namespace())
            until(GUARDED, "/middleware", GUARD, within=2)
            until(GUARDED, "/secret", GUARD, within=2)
            rounds += 1
    return _judge(probes, f"{rounds} rounds of deletions")


# Holds F10.
def outages(cluster: Cluster, carnet: Carnet, times: int) -> str:
    """The API server is killed and started again under load."""
    start(cluster, carnet)
    slowest = 0.0
    with Probes() as probes:
        for number in range(times):
            cluster.kill_api()
            time.sleep(1)
            cluster.start_api()
            # It follows again.
            cluster.kubectl("delete", "middleware", "guard", "-n", "guarded")
            began = time.monotonic()
            until(GUARDED, "/middleware", 503, within=10)
            slowest = max(slowest, time.monotonic() - began)
            cluster.apply(*namespace())
            until(GUARDED, "/middleware", GUARD, within=10)
    told = _judge(probes, f"{times} restarts of the API server")
    return f"{told}; it followed again after {slowest:.1f} s at most"


def _judge(probes: Probes, what: str) -> str:
    told = ", ".join(f"{name}: {dict(sorted(seen.items()))}" for name, seen in probes.seen.items())
    neighbour_seen = probes.seen[OPEN + "/"]
    lost = sum(neighbour_seen.values()) - neighbour_seen[200]
    assert lost == 0, f"{what}: {lost} requests of a route that nobody touched were lost; {told}"
    for path in ("/middleware", "/secret"):
        seen = probes.seen[GUARDED + path]
        assert seen[200] == 0, f"{what}: {seen[200]} requests reached a guarded application; {told}"
        assert seen[0] == 0, f"{what}: {seen[0]} requests got no answer; {told}"
    return f"{what}, {probes.count(GUARDED)} requests without credentials; {told}"


def until(host: str, path: str, status: int, within: float = 5) -> None:
    """Waits for a status, not longer than so many seconds."""
    end = time.monotonic() + within
    while (found := _status(host, path)) != status:
        assert time.monotonic() < end, f"{host}{path} answers {found}, not {status}, after {within} s"
        time.sleep(0.01)


def _status(host: str, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status
    finally:
        connection.close()
