"""The tutorial's second scene, hardened: before the gateway adds its own token, the client has shown its
certificate, its address and its password. Tokens are kept in Redis; everything secret is in Secrets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import certificates
import guarded
import pods
import stage
import tutorial
from carnet import ENTRY_POINTS, Carnet
from cluster import Cluster

HOST = tutorial.HOST
TLS = ENTRY_POINTS + ", websecure: {address: ':443', http: {tls: {}}}"
# An address that the list does not allow.
OUTSIDE = "192.0.2.7"
REDIS_HOST, REDIS_LAST = "redis.apps.svc", 12
PASSWORD = "callers-password"
FILE = "hardened-mode-b.yaml"
# What curl says of a handshake that failed.
NO_ANSWER = 0


def manifests(client: dict[str, str], authority: str, scope: str = "read") -> list[dict[str, object]]:
    """Ours."""
    def made(version: str, kind: str, name: str, spec: object = None, **more: object) -> dict[str, object]:
        one = guarded.made(version, kind, name, spec)
        one["metadata"]["namespace"] = "apps"  # type: ignore[index]
        return {**one, **more}

    def secret(name: str, **texts: str) -> dict[str, object]:
        return made("v1", "Secret", name, type="Opaque", stringData=texts)

    def middleware(name: str, spec: dict[str, object]) -> dict[str, object]:
        return made("traefik.io/v1alpha1", "Middleware", name, spec)

    reference = "urn:k8s:secret:gateway-client"
    own = {
        "url": f"{tutorial.ISSUER}/oauth2/token", "audience": "https://traefik.io", "scopes": ["read", "write"],
        "clientID": f"{reference}:client_id", "clientSecret": f"{reference}:client_secret",
        "claims": f"Equals(`client_id`, `{client['client_id']}`) && Contains(`scp`, `{scope}`)",
        "usernameClaim": "sub", "forwardHeaders": {"Sub": "sub", "X-Expires-At": "exp"},
        "clientConfig": {"timeoutSeconds": 5, "maxRetries": 3},
        "store": {
            "keyPrefix": "gw:", "secret": "0123456789abcdef", "redis": {"endpoints": [f"{REDIS_HOST}:6379"]},
        },
    }
    names = ["inside", "callers", "oauth2-creds"]
    route = {
        "match": f"Host(`{HOST}`)", "kind": "Rule", "middlewares": [{"name": name} for name in names],
        "services": [{"name": "whoami", "port": 80}],
    }
    spec = {"entryPoints": ["websecure"], "routes": [route], "tls": {"options": {"name": "clients"}}}
    clients = {"clientAuth": {"secretNames": ["clients-ca"], "clientAuthType": "RequireAndVerifyClientCert"}}
    return [
        secret("gateway-client", **{key: client[key] for key in ("client_id", "client_secret")}),
        {**secret("callers", username="caller", password=PASSWORD), "type": "kubernetes.io/basic-auth"},
        secret("clients-ca", **{"ca.crt": authority}),
        middleware("inside", {"ipAllowList": {"sourceRange": ["10.0.0.0/8", "127.0.0.1"]}}),
        middleware("callers", {"basicAuth": {"secret": "callers", "removeHeader": True}}),
        middleware("oauth2-creds", {"plugin": {"oAuthClientCredentials": own}}),
        made("traefik.io/v1alpha1", "TLSOption", "clients", clients),
        made("traefik.io/v1alpha1", "IngressRoute", "whoami", spec),
    ]


def play(cluster: Cluster, carnet: Carnet) -> str:
    """Ours, and the file of that name in the folders that KUBE_TUTORIAL names."""
    _surroundings(cluster, carnet)
    client = tutorial.create_client(carnet, "--scope", "read,write")
    clients, strangers = (certificates.Authority(carnet.folder / name) for name in ("clients", "strangers"))
    files = {"clients": clients.client(), "strangers": strangers.client()}
    cluster.apply(*manifests(client, clients.certificate.read_text(encoding="utf-8")))
    seen = _who_gets_in(client, files, f"caller:{PASSWORD}")
    _claims(cluster, client, files["clients"], clients)
    _secrets(cluster, client, files["clients"], clients)
    for path in _named():
        text = path.read_text(encoding="utf-8")
        cluster.kubectl("delete", "middlewares,ingressroutes,tlsoptions", "--all", "-n", "apps")
        cluster.kubectl("apply", "-f", "-", given=_filled(text, client, clients.certificate))
        _who_gets_in(client, files, _password(text))
    return f"{seen} ways to come in, one of which leads there"


def _surroundings(cluster: Cluster, carnet: Carnet) -> None:
    """The authorization server, the application, Redis, and a gateway with TLS."""
    stage.address(OUTSIDE)
    redis = stage.pod_address(REDIS_LAST)
    carnet.start_other("redis", ["redis-server", "--bind", redis, "--port", "6379", "--save", "", "--protected-mode", "no"])
    carnet.gateway(cluster, entry_points=TLS)
    edition = tutorial.editions()[0]
    tutorial.deploy_server(cluster, carnet, edition)
    cluster.kubectl("apply", *(word for path in edition.app for word in ("-f", str(path))))
    address = stage.pod_address(20)
    carnet.start("whoami", ["whoami", "--port", "8020"])
    cluster.apply(pods.endpoint_slice("apps", "whoami", address, {"http": 8020}))


# Holds HI-22.
def _who_gets_in(client: dict[str, str], files: dict[str, certificates.Files], password: str) -> int:
    """Whoever lacks one of the three stays outside, and learns of the first that is missing alone."""
    _until(200, files["clients"], password)
    ways: list[tuple[int, certificates.Files | None, str | None, str | None]] = [
        (NO_ANSWER, None, password, None), (NO_ANSWER, files["strangers"], password, None),
        (403, files["clients"], password, OUTSIDE), (401, files["clients"], None, None),
        (401, files["clients"], password + "x", None), (200, files["clients"], password, None),
    ]
    for wanted, shown, word, source in ways:
        found, body = curl(shown, word, source)
        assert found == wanted, f"{shown and shown.certificate}, {word}, {source}: {found}, not {wanted}"
        if found == 200:
            tutorial.expect_token(body, client["client_id"])
            assert "Basic" not in body and password.split(":")[1] not in body, "the password goes no further"
            assert f"Sub: {client['client_id']}" in body and "X-Expires-At: " in body, body
    return len(ways)


def _claims(
    cluster: Cluster, client: dict[str, str], shown: certificates.Files, authority: certificates.Authority
) -> None:
    """A token whose claims are others leads nowhere, though the client is who it is."""
    text = authority.certificate.read_text(encoding="utf-8")
    cluster.apply(*manifests(client, text, scope="administer"))
    _until(403, shown, f"caller:{PASSWORD}")
    cluster.apply(*manifests(client, text))
    _until(200, shown, f"caller:{PASSWORD}")


# Holds F11, HI-22.
def _secrets(
    cluster: Cluster, client: dict[str, str], shown: certificates.Files, authority: certificates.Authority
) -> None:
    """Each Secret is needed: without it nobody gets in, and with it again they do within a second."""
    text = authority.certificate.read_text(encoding="utf-8")
    for name, closed in [("gateway-client", 503), ("callers", 503), ("clients-ca", NO_ANSWER)]:
        cluster.kubectl("delete", "secret", name, "-n", "apps")
        _until(closed, shown, f"caller:{PASSWORD}")
        if closed == NO_ANSWER:
            found, _ = curl(None, f"caller:{PASSWORD}", None)
            assert found == NO_ANSWER, f"without the authority a client without a certificate gets {found}"
        cluster.apply(*manifests(client, text))
        _until(200, shown, f"caller:{PASSWORD}", within=1.5)


def _until(wanted: int, shown: certificates.Files, password: str, within: float = 5) -> None:
    end = time.monotonic() + within
    while (found := curl(shown, password, None)[0]) != wanted:
        assert time.monotonic() < end, f"answers {found}, not {wanted}, after {within} s"
        time.sleep(0.05)


def curl(shown: certificates.Files | None, password: str | None, source: str | None) -> tuple[int, str]:
    """The status, 0 when there is no answer, and the body."""
    command = ["curl", "--silent", "--insecure", "--max-time", "10", "--write-out", "\n%{http_code}"]
    if shown is not None:
        command += ["--cert", str(shown.certificate), "--key", str(shown.key)]
    command += ["--user", password] if password is not None else []
    command += ["--interface", source] if source is not None else []
    done = subprocess.run([*command, f"https://{HOST}/"], capture_output=True, text=True, timeout=20, check=False)
    body, _, status = done.stdout.rpartition("\n")
    return int(status or 0), body


def _named() -> list[Path]:
    named = map(Path, filter(None, os.environ.get("KUBE_TUTORIAL", "").split(":")))
    return [folder / FILE for folder in named if (folder / FILE).exists()]


def _filled(text: str, client: dict[str, str], authority: Path) -> str:
    """With a client and an authority that are there."""
    found = re.search(r"client_id: (\S+)", text)
    assert found, "the file names a client"
    text = text.replace(found[1], client["client_id"])
    pem = json.dumps(authority.read_text(encoding="utf-8"))
    return re.sub(r"ca\.crt: \|\n(?:    .*\n)+", lambda _: f"ca.crt: {pem}\n", text)


def _password(text: str) -> str:
    found = re.search(r"username: (\S+)\n\s+password: (\S+)", text)
    assert found, "the file names a caller"
    return f"{found[1]}:{found[2]}"
