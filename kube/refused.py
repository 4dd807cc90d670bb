"""Objects that are refused say so themselves: `kubectl describe` shows what is wrong with them, what that
closes, and when it is mended."""

from __future__ import annotations

import json
import time

import guarded
import pods
import stage
from carnet import Carnet
from cluster import Cluster

BROKEN = {
    ("IngressRoute", "nobody"): "does not exist; did you mean `guard`?",
    ("Middleware", "misspelt"): "did you mean `audience`?; this closes guarded-closed-",
    ("Ingress", "misspelt"): "did you mean `middlewares`?",
}


def _route(name: str, middleware: str) -> dict[str, object]:
    service = {"name": "app", "port": 80}
    route = {"match": f"Host(`{name}.example`)", "middlewares": [{"name": middleware}], "services": [service]}
    return guarded.made("traefik.io/v1alpha1", "IngressRoute", name, {"routes": [route]})


def _objects() -> list[dict[str, object]]:
    options = {"url": "http://tokens.example/token", "audiance": "x"}
    backend = {"service": {"name": "app", "port": {"name": "http"}}}
    ingress = guarded.made("networking.k8s.io/v1", "Ingress", "misspelt", {
        "rules": [{"host": "i.example", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
    })
    ingress["metadata"]["annotations"] = {"traefik.ingress.kubernetes.io/router.middleware": "x@file"}  # type: ignore[index]
    return [
        _route("nobody", "gaurd"), _route("closed", "misspelt"),
        guarded.made("traefik.io/v1alpha1", "Middleware", "misspelt", {"plugin": {"oAuthClientCredentials": options}}),
        ingress,
    ]


# Holds K8-04.
def play(cluster: Cluster, carnet: Carnet) -> None:
    """Some among sound ones, which are served."""
    address = stage.pod_address(30)
    carnet.start("application", ["whoami", "--port", "8030"])
    cluster.apply(*guarded.namespace(), *_objects())
    cluster.apply(pods.endpoint_slice("guarded", "app", address, {"http": 8030}))
    carnet.gateway(cluster, more=", kubernetesIngress: {}")
    guarded.until(guarded.GUARDED, "/middleware", guarded.GUARD)
    guarded.until("nobody.example", "/", 503)
    guarded.until("i.example", "/", 503)
    end = time.monotonic() + 10
    while (found := _told(cluster)).keys() != BROKEN.keys():
        assert time.monotonic() < end, f"events are on {sorted(found)}"
        time.sleep(0.05)
    for who, part in BROKEN.items():
        assert part in found[who], f"{who}: {found[who]}"
    shown = cluster.kubectl("describe", "ingressroute", "nobody", "-n", "guarded")
    assert "Refused" in shown and "carnet" in shown, shown
    cluster.apply(_route("nobody", "guard"))
    guarded.until("nobody.example", "/", guarded.GUARD, within=2)
    end = time.monotonic() + 10
    while "Accepted" not in (shown := cluster.kubectl("describe", "ingressroute", "nobody", "-n", "guarded")):
        assert time.monotonic() < end, shown
        time.sleep(0.1)
    # Broken once more, the same event is new again; its time is in seconds.
    time.sleep(1)
    before = _last(cluster, "nobody")
    cluster.apply(_route("nobody", "gaurd"))
    end = time.monotonic() + 10
    while _last(cluster, "nobody") == before:
        assert time.monotonic() < end, "the event keeps its time"
        time.sleep(0.2)


def _last(cluster: Cluster, name: str) -> str:
    """When the object was last refused."""
    events = json.loads(cluster.kubectl("get", "events", "-n", "guarded", "-o", "json"))["items"]
    found = [one for one in events if one["involvedObject"]["name"] == name and one["reason"] == "Refused"]
    assert len(found) == 1, found
    return found[0]["lastTimestamp"]


def _told(cluster: Cluster) -> dict[tuple[str, str], str]:
    """What events say, by whom they are about."""
    events = json.loads(cluster.kubectl("get", "events", "-n", "guarded", "-o", "json"))["items"]
    for event in events:
        assert event["type"] == "Warning" and event["involvedObject"]["uid"], event
    return {(one["involvedObject"]["kind"], one["involvedObject"]["name"]): one["message"] for one in events}
