"""The tutorial as its readers type it: kubectl's lines, both scenes. One command is replaced: what
they run in a pod with `kubectl exec` runs here as it is."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import time
from pathlib import Path

import pods
import stage
from carnet import Carnet
from cluster import Cluster

ROOT = Path(__file__).resolve().parents[1]
HOST = "whoami.docker.localhost"
ISSUER = "http://hydra.hydra.svc:4444"


class Manifests:
    """The files that the tutorial applies, in one of their editions."""

    def __init__(self, name: str, server: list[Path], app: list[Path], scenes: list[Path]) -> None:
        self.name, self.server, self.app = name, server, app
        self.open, self.caller, self.gateway = scenes


def editions() -> list[Manifests]:
    """Ours, and what somebody names with KUBE_TUTORIAL: folders of the tutorial's own files."""
    ours, scenes = ROOT / "demo" / "manifests", ROOT / "demo" / "tutorial"
    found = [Manifests(
        "demo/tutorial", [ours / "authorization-server.yaml"], [ours / "whoami.yaml"],
        [scenes / "1-open.yaml", scenes / "2-caller.yaml", scenes / "3-gateway.yaml"],
    )]
    for folder in map(Path, filter(None, os.environ.get("KUBE_TUTORIAL", "").split(":"))):
        if not (folder / "whoami-app-oauth2.yaml").exists():
            # The newer edition, which is another scene.
            continue
        scenes = ["ingressroute", "oauth2", "oauth2-client-creds"]
        files = [folder / f"whoami-app-{scene}.yaml" for scene in scenes]
        found.append(Manifests(str(folder), [folder / "hydra.yaml"], [folder / "whoami-app.yaml"], files))
    return found


def play(cluster: Cluster, carnet: Carnet, manifests: Manifests) -> None:
    """Both scenes."""
    deploy_server(cluster, carnet, manifests)
    lines = "".join(_apply(cluster, path) for path in [*manifests.app, manifests.open])
    _expect_lines(lines, {
        "namespace/apps created", "deployment.apps/whoami created", "service/whoami created",
        "ingressroute.traefik.io/whoami created",
    })
    address = stage.pod_address(20)
    carnet.start("whoami", ["whoami", "--port", "8020"])
    cluster.apply(pods.endpoint_slice("apps", "whoami", address, {"http": 8020}))
    time.sleep(5)
    _expect(_curl()[0] == 200, "the open route is served")

    _expect_lines(_apply(cluster, manifests.caller), {
        "middleware.traefik.io/oauth2-creds created", "ingressroute.traefik.io/whoami configured",
    })
    _until(lambda: _curl()[0] == 401)
    client = create_client(carnet, "--token-endpoint-auth-method", "client_secret_post")
    basic = base64.b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
    status, body = _curl(f"Authorization: Basic {basic}")
    _expect(status == 200, f"scene A is served, not {status}")
    expect_token(body, client["client_id"])
    _expect(f"Sub: {client['client_id']}" in body, "the claim `sub` is forwarded")

    client = create_client(carnet)
    text = manifests.gateway.read_text(encoding="utf-8")
    for variable, key in [("CLIENT_ID", "client_id"), ("CLIENT_SECRET", "client_secret")]:
        text = text.replace("${%s}" % variable, client[key])
    _expect_lines(cluster.kubectl("apply", "-f", "-", given=text), {
        "middleware.traefik.io/oauth2-creds configured", "ingressroute.traefik.io/whoami unchanged",
    })
    time.sleep(2)
    status, body = _curl()
    _expect(status == 200, f"scene B is served without credentials, not {status}")
    expect_token(body, client["client_id"])
    _expect("Sub:" not in body, "what the manifest no longer says is gone")


def deploy_server(cluster: Cluster, carnet: Carnet, manifests: Manifests) -> None:
    for path in manifests.server:
        _apply(cluster, path)
    address = stage.pod_address(10)
    variables = {
        "DSN": "memory", "SECRETS_SYSTEM": "only-for-this-very-test-of-ours", "URLS_SELF_ISSUER": ISSUER,
        "URLS_SELF_ADMIN": "http://hydra.hydra.svc:4445", "STRATEGIES_ACCESS_TOKEN": "jwt",
    }
    carnet.start("hydra", ["serve", "all", "--dev"], variables, ready="http://127.0.0.1:4445/health/ready")
    carnet.start("consent", ["consent", "-a", "http://hydra.hydra.svc:4445", "-b", ":3000"])
    cluster.apply(pods.endpoint_slice("hydra", "hydra", address, {"public": 4444, "admin": 4445}))
    for name in ("hydra", "consent"):
        pods.ready_pod(cluster, "hydra", f"{name}-0", {"app": name}, address)
        selector = ["--for=condition=ready", "pod", f"--selector=app={name}", "--timeout=90s"]
        cluster.kubectl("wait", "-n", "hydra", *selector)


def create_client(carnet: Carnet, *flags: str) -> dict[str, str]:
    """In the tutorial: `kubectl exec -it -n hydra deploy/hydra -- hydra create oauth2-client ...`."""
    command = ["create", "oauth2-client", "--name", "oauth-client", "--secret", "traefiklabs"]
    command += ["--grant-type", "client_credentials", "--endpoint", "http://127.0.0.1:4445/"]
    command += ["--audience", "https://traefik.io", "--format", "json", *flags]
    return json.loads(carnet.run(command))


def _apply(cluster: Cluster, path: Path) -> str:
    return cluster.kubectl("apply", "-f", str(path))


def _expect_lines(said: str, wanted: set[str]) -> None:
    missing = wanted - set(said.splitlines())
    _expect(not missing, f"kubectl says {sorted(missing)}; it said {said!r}")


def _curl(*headers: str) -> tuple[int, str]:
    command = ["curl", "--silent", "--max-time", "10", "--write-out", "\n%{http_code}"]
    for header in headers:
        command += ["--header", header]
    done = subprocess.run([*command, HOST], capture_output=True, text=True, timeout=20, check=False)
    body, _, status = done.stdout.rpartition("\n")
    return int(status or 0), body


def expect_token(body: str, client: str) -> None:
    found = re.search(r"^Authorization: Bearer [^.]+\.([^.]+)\.", body, re.MULTILINE)
    _expect(found is not None, "a token is passed on")
    assert found is not None
    payload = found[1] + "=" * (-len(found[1]) % 4)
    claims = json.loads(base64.urlsafe_b64decode(payload))
    _expect(claims["sub"] == client and claims["iss"] == ISSUER, f"the token is the client's: {claims}")


def _until(holds) -> None:
    until = time.monotonic() + 5
    while not holds():
        _expect(time.monotonic() < until, "the change is served within five seconds")
        time.sleep(0.05)


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(f"not so: {what}")
