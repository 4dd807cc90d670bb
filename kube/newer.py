"""The tutorial's newer edition: one host, a path for each scene, and the gateway's own credentials in a
Secret that comes after the route that needs it, and changes."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from pathlib import Path

import guarded
import pods
import stage
import tutorial
from carnet import Carnet
from cluster import Cluster

HOST = "secure-applications.apigateway.docker.localhost"
OPEN, CALLER, GATEWAY = "/no-auth", "/oauth2-client-credentials", "/oauth2-client-credentials-nologin"
URL = {"url": "http://hydra.hydra.svc:4444/oauth2/token", "audience": "https://traefik.io"}
SECRET = "oauth-client-nologin"


def manifests() -> list[dict[str, object]]:
    """Ours, as that edition has them."""
    reference = f"urn:k8s:secret:{SECRET}"
    caller = {**URL, "usernameClaim": "sub", "forwardHeaders": {"Sub": "sub"}}
    own = {**URL, "clientId": f"{reference}:client_id", "clientSecret": f"{reference}:client_secret"}
    objects = [guarded.made("v1", "Service", "whoami", {"ports": [{"name": "http", "port": 80, "targetPort": 80}]})]
    for path, options in [(OPEN, None), (CALLER, caller), (GATEWAY, own)]:
        name = path[1:]
        route = {"match": f"Host(`{HOST}`) && Path(`{path}`)", "kind": "Rule", "services": [{"name": "whoami", "port": 80}]}
        if options is not None:
            spec = {"plugin": {"oAuthClientCredentials": options}}
            objects.append(guarded.made("traefik.io/v1alpha1", "Middleware", name, spec))
            route["middlewares"] = [{"name": name}]
        spec = {"entryPoints": ["web"], "routes": [route]}
        objects.append(guarded.made("traefik.io/v1alpha1", "IngressRoute", name, spec))
    for one in objects:
        one["metadata"]["namespace"] = "apps"  # type: ignore[index]
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "apps"}}, *objects]


def folders() -> list[Path]:
    """Of that edition's own files, among those that KUBE_TUTORIAL names."""
    named = map(Path, filter(None, os.environ.get("KUBE_TUTORIAL", "").split(":")))
    return [folder for folder in named if (folder / "apps-namespace.yaml").exists()]


def play(cluster: Cluster, carnet: Carnet, folder: Path | None) -> None:
    """Each path, and the Secret that comes, changes and goes."""
    carnet.gateway(cluster)
    tutorial.deploy_server(cluster, carnet, tutorial.editions()[0])
    if folder is None:
        cluster.apply(*manifests())
    else:
        for name in ("apps-namespace", "whoami-app", "whoami-app-ingressroute", "whoami-app-oauth2-client-creds",
                     "whoami-app-oauth2-client-creds-nologin"):
            cluster.kubectl("apply", "-f", str(folder / f"{name}.yaml"))
    address = stage.pod_address(20)
    carnet.start("whoami", ["whoami", "--port", "8020"])
    cluster.apply(pods.endpoint_slice("apps", "whoami", address, {"http": 8020}))
    guarded.until(HOST, OPEN, 200)
    guarded.until(HOST, CALLER, 401)
    guarded.until(HOST, GATEWAY, 503)
    client = tutorial.create_client(carnet, "--token-endpoint-auth-method", "client_secret_post")
    basic = base64.b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
    assert client["client_id"] in _subject(CALLER, f"Authorization: Basic {basic}")
    for _ in range(2):
        own = tutorial.create_client(carnet)
        cluster.apply(_secret(own))
        end = time.monotonic() + 2
        while own["client_id"] not in (found := _subject(GATEWAY)):
            assert time.monotonic() < end, f"the Secret's client is not used: {found!r}"
            time.sleep(0.05)
    cluster.kubectl("delete", "secret", SECRET, "-n", "apps")
    guarded.until(HOST, GATEWAY, 503, within=2)
    guarded.until(HOST, OPEN, 200)


def _secret(client: dict[str, str]) -> dict[str, object]:
    made = guarded.made("v1", "Secret", SECRET, None)
    made["metadata"]["namespace"] = "apps"  # type: ignore[index]
    return {**made, "stringData": {key: client[key] for key in ("client_id", "client_secret")}}


def _subject(path: str, *headers: str) -> str:
    """Whom the token that arrives is about; empty without one."""
    command = ["curl", "--silent", "--max-time", "10", *(word for header in headers for word in ("--header", header))]
    done = subprocess.run([*command, f"http://{HOST}{path}"], capture_output=True, text=True, timeout=20, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("Authorization: Bearer "):
            payload = line.split(".")[1]
            return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]
    return ""
