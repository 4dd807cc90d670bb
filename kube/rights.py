"""The rights that `deploy/kubernetes` gives: enough, and no more than looking and events."""

from __future__ import annotations

import time
from pathlib import Path

import guarded
import pods
import stage
from carnet import Carnet
from cluster import API, Cluster

DEPLOY = Path(__file__).resolve().parents[1] / "deploy" / "kubernetes"
# Of the service account `carnet` in `edge`: see `Cluster`.
TOKEN = "limited-token"
HOST = "rights.example"
# Verbs and resources in `apps`: what needs a role, and what no role of ours gives.
LOOKING = [(verb, kind) for verb in ("get", "list") for kind in ("ingressroutes.traefik.io", "services")]
WRITING = [("create", "secret"), *(("delete", kind) for kind in ("secrets", "middlewares.traefik.io", "pods"))]


# Holds K8-05, OP-06.
def play(cluster: Cluster, carnet: Carnet) -> None:
    """With none, with those of a cluster, with those of a namespace."""
    address = stage.pod_address(40)
    carnet.start("whoami", ["whoami", "--port", "8040"])
    _refused_at_first(cluster, carnet)
    for name, options in [("rbac.yaml", ""), ("rbac-namespaced.yaml", "namespaces: [apps]")]:
        cluster.kubectl("apply", "-f", str(DEPLOY / name))
        cluster.apply(*_application(address))
        _refuses(cluster, WRITING)
        _gateway(cluster, carnet, options)
        guarded.until(HOST, "/", 401)
        cluster.kubectl("delete", "secret", "gateway-client", "-n", "apps")
        guarded.until(HOST, "/", 503, within=3)
        cluster.apply(*_application(address))
        guarded.until(HOST, "/", 401, within=3)
        carnet.stop("gateway")
        cluster.kubectl("delete", "--ignore-not-found", "-f", str(DEPLOY / name))


def _refused_at_first(cluster: Cluster, carnet: Carnet) -> None:
    """Without rights it serves nothing and says which are missing."""
    _refuses(cluster, LOOKING)
    _gateway(cluster, carnet, "")
    end = time.monotonic() + 10
    for resource in ("ingressroutes", "endpointslices"):
        while f'"{resource}"' not in (said := carnet.log("gateway").read_text(encoding="utf-8")):
            assert time.monotonic() < end, f"{resource} is not named: {said!r}"
            time.sleep(0.05)
    carnet.stop("gateway")


def _refuses(cluster: Cluster, verbs: list[tuple[str, str]]) -> None:
    for verb, kind in verbs:
        command = {
            "get": ["get", kind, "anything"],
            "list": ["get", kind],
            "delete": ["delete", kind, "anything"],
            "create": ["create", kind, "generic", "anything"],
        }[verb]
        done = cluster.try_kubectl(*command, "-n", "apps", token=TOKEN)
        assert "forbidden" in done.stderr.lower(), f"{verb} {kind}: {done.stderr or done.stdout}"


def _gateway(cluster: Cluster, carnet: Carnet, more: str) -> None:
    authority = cluster.folder / "api" / "kube-api.crt"
    options = [f"endpoint: 'https://127.0.0.1:{API}'", f"token: {TOKEN}", f"certAuthFilePath: {authority}"]
    carnet.gateway(cluster, ", ".join([*options, *filter(None, [more])]))


def _application(address: str) -> list[dict[str, object]]:
    credentials = {
        "url": "http://hydra.hydra.svc:4444/oauth2/token", "usernameClaim": "sub",
        "audience": "urn:k8s:secret:gateway-client:audience",
    }
    route = {"match": f"Host(`{HOST}`)", "middlewares": [{"name": "guard"}], "services": [{"name": "app", "port": 80}]}
    objects = [
        guarded.made("v1", "Service", "app", {"ports": [{"name": "http", "port": 80}]}),
        pods.endpoint_slice("apps", "app", address, {"http": 8040}),
        {**guarded.made("v1", "Secret", "gateway-client", None), "stringData": {"audience": "https://traefik.io"}},
        guarded.made("traefik.io/v1alpha1", "Middleware", "guard", {"plugin": {"oAuthClientCredentials": credentials}}),
        guarded.made("traefik.io/v1alpha1", "IngressRoute", "app", {"routes": [route]}),
    ]
    for one in objects:
        one["metadata"]["namespace"] = "apps"  # type: ignore[index]
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "apps"}}, *objects]
