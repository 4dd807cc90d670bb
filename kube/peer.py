"""The same objects, two hundred of them and more, to a real Traefik: the same routers and services, but for
what carnet closes instead of leaving it out."""

from __future__ import annotations

import json
import random
import sys
import time
import urllib.request
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pods
import stage
from carnet import Carnet
from cluster import Cluster

ROOT = Path(__file__).resolve().parents[1]
# `python3 kube/peer.py` writes them there.
GOLDEN = ROOT / "crates" / "providers" / "tests" / "golden"
OURS, THEIRS = "http://127.0.0.1:8081", "http://127.0.0.1:8091"
STATIC = """entryPoints: {web: {address: ':8090'}, traefik: {address: '127.0.0.1:8091'}}
providers:
  kubernetesCRD: {allowExternalNameServices: true}
  kubernetesIngress: {allowExternalNameServices: true}
api: {insecure: true}
ping: {}
log: {level: ERROR}
"""
# Kinds that Traefik wants to watch and that we have no use for.
FOREIGN = ["IngressRouteTCP", "IngressRouteUDP", "MiddlewareTCP", "ServersTransportTCP"]
SERVICES = ["plain", "named", "secure", "external", "empty"]
Made = dict[str, Any]


def play(cluster: Cluster, carnet: Carnet) -> str:
    """Both read everything; what they made of it is compared."""
    _define(cluster)
    objects = [*surroundings(), *routes(), *ingresses()]
    for start in range(0, len(objects), 60):
        cluster.apply(*objects[start:start + 60])
    carnet.gateway(
        cluster, "allowExternalNameServices: true", more=", kubernetesIngress: {allowExternalNameServices: true}"
    )
    carnet.until_ready(30)
    _traefik(cluster, carnet)
    ours, theirs = _raw(OURS), _settled(THEIRS)
    wrong = [*_compare("routers", ours, theirs, _router), *_compare("services", ours, theirs, _service)]
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:40])
    closed = sum(1 for one in ours["routers"].values() if one["status"] == "disabled")
    return f"{len(objects)} objects, {len(ours['routers'])} routers, {closed} of them closed where Traefik has none"


def _define(cluster: Cluster) -> None:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    for kind in FOREIGN:
        plural = kind.lower() + "s"
        cluster.apply({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.traefik.io"},
            "spec": {
                "group": "traefik.io", "scope": "Namespaced", "versions": [version],
                "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            },
        })
    cluster.kubectl("wait", "--for=condition=established", "crd", "--all", "--timeout=30s")


def _made(group: str, kind: str, name: str, spec: Made, **metadata: object) -> Made:
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name, "namespace": "apps", **metadata}, "spec": spec}


def surroundings() -> list[Made]:
    """What routes refer to."""
    address = f"{stage.POD_NETWORK}.60"
    ports = {
        "plain": [{"port": 80}], "named": [{"name": "web", "port": 8080}, {"name": "admin", "port": 9000}],
        "secure": [{"name": "https-main", "port": 8443}], "empty": [{"name": "web", "port": 80}],
    }
    objects: list[Made] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("apps", "other")]
    for name, listed in ports.items():
        objects.append(_made("v1", "Service", name, {"ports": listed}))
    for name in ("plain", "named", "secure"):
        served = {one.get("name", ""): 8000 + index for index, one in enumerate(ports[name])}
        objects.append(pods.endpoint_slice("apps", name, address, served))
    objects.append(pods.endpoint_slice("apps", "named", f"{stage.POD_NETWORK}.61", {"web": 8000}, suffix="2"))
    external = {"type": "ExternalName", "externalName": "backend.example", "ports": [{"port": 80}]}
    objects.append(_made("v1", "Service", "external", external))
    weighted = {"weighted": {"services": [{"name": "plain", "port": 80, "weight": 3}, {"name": "named", "port": "web"}]}}
    objects.append(_made("traefik.io/v1alpha1", "TraefikService", "mixed", weighted))
    objects.append(_made("traefik.io/v1alpha1", "ServersTransport", "transport", {"insecureSkipVerify": True}))
    objects.append(_made("traefik.io/v1alpha1", "TLSOption", "modern", {"minVersion": "VersionTLS13"}))
    return objects


def routes(count: int = 180) -> list[Made]:
    """IngressRoutes: every option, sound and broken. The same each time."""
    choose = random.Random(42)
    return [_made("traefik.io/v1alpha1", "IngressRoute", f"route{number}", _route(choose, number)) for number in range(count)]


def golden() -> dict[str, str]:
    """The same objects for the tests of the translation, which need no cluster: texts of files."""
    files = {
        "peer_routes.yaml": ("# options: allowExternalNameServices", routes()),
        "peer_ingresses.yaml": ("# provider: ingress, options: allowExternalNameServices", ingresses()),
    }
    return {
        name: "\n---\n".join([first, *map(json.dumps, [*surroundings(), *made])]) + "\n"
        for name, (first, made) in files.items()
    }


def _route(choose: random.Random, number: int) -> Made:
    host = f"Host(`r{number}.example`)"
    match = choose.choice([
        host, f"{host} && PathPrefix(`/a`)", f"{host} && Path(`/a/b`)", f"{host} && (Method(`GET`) || Method(`PUT`))",
        f"HostRegexp(`^r{number}\\..+$`)", f"{host} && !PathPrefix(`/x`)", f"{host} && Header(`X-A`, `b`)",
        f"{host} && Query(`a`, `b`)", f"{host} && ClientIP(`10.0.0.0/8`)", f"{host} || Host(`s{number}.example`)",
        f"{host} && PathRegexp(`^/[a-z]+$`)",
    ])
    route: Made = {"match": match, "kind": "Rule"}
    if choose.random() < 0.3:
        route["priority"] = choose.choice([1, 10, 1000, -5])
    route["services"] = [_entry(choose)]
    if choose.random() < 0.3:
        route["services"] = [{**_plain(choose), "weight": weight} for weight in (choose.choice([1, 2, 5]), 1)]
    if choose.random() < 0.1:
        route["middlewares"] = [{"name": "nobody"}]
    spec: Made = {"routes": [route]}
    if choose.random() < 0.3:
        spec["entryPoints"] = ["web"]
    # Options are chosen by the name that a client asks for, so there must be one.
    if choose.random() < 0.3 and match.startswith("Host("):
        spec["tls"] = choose.choice([{}, {"options": {"name": "modern"}}, {"domains": [{"main": "a.example", "sans": ["b.example"]}]}])
    if choose.random() < 0.1:
        spec["ingressClassName"] = choose.choice(["traefik", "nginx"])
    return spec


def _plain(choose: random.Random) -> Made:
    return choose.choice([{"name": "plain", "port": 80}, {"name": "named", "port": "web"}, {"name": "named", "port": 9000}])


def _entry(choose: random.Random) -> Made:
    entry = choose.choice([
        _plain(choose), {"name": "secure", "port": 8443}, {"name": "external", "port": 80},
        {"name": "mixed", "kind": "TraefikService"}, {"name": "empty", "port": 80}, {"name": "plain", "port": 81},
        {"name": "missing", "port": 80}, {"name": "plain", "port": 80, "namespace": "other"},
    ])
    if entry.get("kind") == "TraefikService":
        return entry
    more: list[Made] = [
        {}, {"scheme": "h2c"}, {"passHostHeader": False}, {"strategy": "p2c"}, {"nativeLB": True},
        {"sticky": {"cookie": {"name": "c", "secure": True, "httpOnly": True, "sameSite": "lax", "maxAge": 5}}},
        {"serversTransport": "transport"}, {"passiveHealthCheck": {"maxFailedAttempts": 3}},
    ]
    return {**entry, **choose.choice(more)}


def ingresses(count: int = 60) -> list[Made]:
    """Ingresses with annotations. The same each time."""
    choose = random.Random(43)
    prefix, found = "traefik.ingress.kubernetes.io/router", []
    for number in range(count):
        name = choose.choice(["plain", "named", "missing", "empty"])
        port = {"number": 8080} if name == "named" else {"number": 80}
        path = {
            "path": choose.choice(["/", "/a", "/a/b"]), "backend": {"service": {"name": name, "port": port}},
            "pathType": choose.choice(["Prefix", "Exact", "ImplementationSpecific"]),
        }
        annotations = choose.choice([
            {}, {f"{prefix}.priority": "42"}, {f"{prefix}.entrypoints": "web"}, {f"{prefix}.tls": "true"},
            {f"{prefix}.pathmatcher": "Path"}, {f"{prefix}.tls.options": "apps-modern@kubernetescrd"},
            {"kubernetes.io/ingress.class": "nginx"}, {"kubernetes.io/ingress.class": "traefik"},
        ])
        spec = {"rules": [{"host": f"i{number}.example", "http": {"paths": [path]}}]}
        found.append(_made("networking.k8s.io/v1", "Ingress", f"ingress{number}", spec, annotations=annotations))
    return found


def traefik() -> Path:
    """The program, installed where it was missing."""
    sys.path.append(str(ROOT / "bench"))
    found = spec_from_file_location("bench_install", ROOT / "bench" / "install.py")
    assert found and found.loader
    installing = module_from_spec(found)
    found.loader.exec_module(installing)
    return Path(installing.programs(["traefik"], ROOT / "bench" / "tools")["traefik"])


def _traefik(cluster: Cluster, carnet: Carnet) -> None:
    static = carnet.written("traefik.yaml", STATIC)
    access = {"KUBECONFIG": str(cluster.kubeconfig), "PATH": "/usr/bin"}
    carnet.start_other("traefik", [str(traefik()), f"--configfile={static}"], access)


def _raw(url: str) -> Made:
    with urllib.request.urlopen(f"{url}/api/rawdata", timeout=5) as answer:
        return json.load(answer)


def _settled(url: str) -> Made:
    """Once it has not changed for a while."""
    last, since, end = {}, time.monotonic(), time.monotonic() + 60
    while time.monotonic() < end:
        try:
            now = _raw(url)
        except OSError:
            now = {}
        if now != last:
            last, since = now, time.monotonic()
        if len(now.get("routers", {})) > 50 and time.monotonic() - since > 4:
            return now
        time.sleep(0.2)
    raise AssertionError(f"Traefik has {len(last.get('routers', {}))} routers")


def _compare(kind: str, ours: Made, theirs: Made, shown) -> list[str]:
    wrong = []
    own, other = _of_kubernetes(ours[kind]), _of_kubernetes(theirs[kind])
    for name in sorted(own.keys() | other.keys()):
        if name not in other:
            # What Traefik leaves out is closed here, or has no server and answers 503 as well; its
            # services are then nobody's.
            if kind == "routers" and own[name]["status"] != "disabled" and not _is_empty(own[name], ours):
                wrong.append(f"{kind} {name}: Traefik has none: {own[name]}")
        elif name not in own:
            wrong.append(f"{kind} {name}: carnet has none: {other[name]}")
        elif own[name]["status"] != "disabled" and other[name]["status"] != "disabled":
            mine, real = shown(own[name]), shown(other[name])
            wrong += [f"{kind} {name}: {key}: {mine[key]!r}, Traefik {real[key]!r}" for key in real if mine[key] != real[key]]
        elif (own[name]["status"] == "disabled") != (other[name]["status"] == "disabled"):
            wrong.append(f"{kind} {name}: {own[name]['status']}, Traefik {other[name]['status']}: {own[name]} {other[name]}")
    return wrong


def _of_kubernetes(objects: Made) -> Made:
    return {name: one for name, one in objects.items() if name.rpartition("@")[2] in ("kubernetescrd", "kubernetes")}


def _is_empty(router: Made, ours: Made) -> bool:
    service = ours["services"].get(router["service"], {})
    return not (service.get("loadBalancer") or {"servers": [0]}).get("servers")


def _router(one: Made) -> Made:
    """Where nothing is said, what that means; how a text is quoted means nothing."""
    keys = ("priority", "middlewares")
    tls = one.get("tls")
    return {
        **{key: one.get(key) for key in keys},
        "rule": one["rule"].replace('"', "`"),
        "entryPoints": one.get("entryPoints") or ["web"],
        "service": _own(one["service"]),
        "tls": None if tls is None else {**tls, "options": _own(tls.get("options", "default"))},
    }


def _own(name: str) -> str:
    """Within a provider, its name is left out."""
    return name.removesuffix("@kubernetescrd").removesuffix("@kubernetes")


def _service(one: Made) -> Made:
    balancer = one.get("loadBalancer") or {}
    children = (one.get("weighted") or {}).get("services") or []
    return {
        "servers": sorted(_url(server["url"]) for server in balancer.get("servers") or []),
        "passHostHeader": balancer.get("passHostHeader"), "strategy": balancer.get("strategy", "wrr"),
        "serversTransport": _own(balancer.get("serversTransport", "")), "sticky": balancer.get("sticky"),
        "passiveHealthCheck": balancer.get("passiveHealthCheck"),
        "children": sorted((_own(child["name"]), child.get("weight", 1)) for child in children),
    }


def _url(text: str) -> str:
    """A port that goes without saying is not said."""
    return text.removesuffix(":80") if text.startswith("http:") else text.removesuffix(":443")


if __name__ == "__main__":
    for name, text in golden().items():
        (GOLDEN / name).write_text(text, encoding="utf-8")
