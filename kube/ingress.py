"""Ingresses with Traefik's annotations: served, guarded, closed, and nobody else's."""

from __future__ import annotations

import guarded
import pods
import stage
from carnet import Carnet
from cluster import Cluster

HOST = "ingress.example"
CLASS = {
    "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "edge"},
    "spec": {"controller": "traefik.io/ingress-controller"},
}
# The router that would be open if any of this were read as a rule.
SPOILED = "/x`) || PathPrefix(`/"


def ingress(name: str, path: str, middleware: str | None, of: str = "edge") -> dict[str, object]:
    backend = {"service": {"name": "app", "port": {"name": "http"}}}
    paths = [{"path": path, "pathType": "Prefix", "backend": backend}]
    made = guarded.made("networking.k8s.io/v1", "Ingress", name, {
        "ingressClassName": of, "rules": [{"host": HOST, "http": {"paths": paths}}],
    })
    if middleware is not None:
        made["metadata"]["annotations"] = {  # type: ignore[index]
            "traefik.ingress.kubernetes.io/router.middlewares": f"guarded-{middleware}@kubernetescrd",
        }
    return made


# Holds K8-02, HI-22.
def play(cluster: Cluster, carnet: Carnet) -> None:
    """Beside the guarded application of the other scenes."""
    address = stage.pod_address(30)
    carnet.start("application", ["whoami", "--port", "8030"])
    cluster.apply(CLASS, *guarded.namespace())
    cluster.apply(
        pods.endpoint_slice("guarded", "app", address, {"http": 8030}),
        ingress("guarded", "/guarded", "guard"), ingress("open", "/open", None),
        ingress("spoiled", SPOILED, None), ingress("foreign", "/foreign", None, of="nginx"),
    )
    carnet.gateway(cluster, more=", kubernetesIngress: {}")
    guarded.until(HOST, "/open", 200)
    guarded.until(HOST, "/guarded", guarded.GUARD)
    for path in ("/", "/foreign"):
        guarded.until(HOST, path, 404)
    cluster.kubectl("delete", "middleware", "guard", "-n", "guarded")
    guarded.until(HOST, "/guarded", 503, within=2)
    cluster.apply(*guarded.namespace())
    guarded.until(HOST, "/guarded", guarded.GUARD, within=2)
    cluster.kubectl("delete", "ingress", "open", "-n", "guarded")
    guarded.until(HOST, "/open", 404, within=2)
