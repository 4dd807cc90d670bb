"""Traefik's own definitions, as it publishes them, and ours: the same objects are accepted under both, and
mean the same to carnet."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import peer
import tutorial
from carnet import Carnet
from cluster import Cluster
from install import TOOLS

# The module that has Traefik's definitions, and where.
TRAEFIK = "github.com/traefik/traefik/v3@v3.7.6"
DEFINITIONS = "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"
RAW = "http://127.0.0.1:8081/api/rawdata"
KINDS = "ingressroutes,middlewares,traefikservices,tlsoptions,tlsstores,serverstransports"
OPTIONS = {"options": "allowExternalNameServices: true", "more": ", kubernetesIngress: {allowExternalNameServices: true}"}


def published() -> Path:
    """Traefik's definitions: of its module, which Go fetches by its checksum, once."""
    kept = TOOLS / f"{TRAEFIK.rpartition('@')[2]}-definitions.yaml"
    if not kept.exists():
        print(f"fetching with Go: {TRAEFIK}", file=sys.stderr, flush=True)
        command = ["go", "mod", "download", "-json", TRAEFIK]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        if said.returncode:
            sys.exit(f"error: {TRAEFIK}: {said.stderr or said.stdout}")
        kept.write_bytes((Path(json.loads(said.stdout)["Dir"]) / DEFINITIONS).read_bytes())
    return kept


def play(cluster: Cluster, carnet: Carnet) -> str:
    """First ours, as every scene has them, then Traefik's over them."""
    objects = [*peer.surroundings(), *peer.routes(), *peer.ingresses()]
    files = [path for edition in tutorial.editions() for path in (*edition.app, edition.open, edition.caller)]
    _apply(cluster, objects, files)
    carnet.gateway(cluster, **OPTIONS)
    carnet.until_ready(30)
    ours = _settled()
    kept = _specs(cluster)
    theirs = published()
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(theirs))
    cluster.kubectl("wait", "--for=condition=established", "crd", "--all", "--timeout=30s")
    cluster.kubectl("delete", KINDS, "--all", "-n", "apps", "--wait=false")
    _apply(cluster, objects, files)
    meant = _settled()
    pruned = [name for name, spec in _specs(cluster).items() if kept[name] != spec]
    assert not pruned, f"the two keep different parts of {pruned}"
    different = [name for kind in ours for name in ours[kind] if ours[kind][name] != meant[kind].get(name)]
    assert ours == meant and not different, f"they differ: {different[:10]}"
    return f"{len(kept)} objects, {len(ours['routers'])} routers under both"


def _apply(cluster: Cluster, objects: list[dict[str, object]], files: list[Path]) -> None:
    for start in range(0, len(objects), 80):
        cluster.apply(*objects[start:start + 80])
    for path in files:
        cluster.kubectl("apply", "-f", str(path))


def _specs(cluster: Cluster) -> dict[str, object]:
    """What the API server keeps of each."""
    listed = json.loads(cluster.kubectl("get", KINDS, "-n", "apps", "-o", "json"))["items"]
    return {f"{one['kind']} {one['metadata']['name']}": one["spec"] for one in listed}


def _settled() -> dict[str, Any]:
    """What is served, once that has not changed for a while."""
    last, since, end = None, time.monotonic(), time.monotonic() + 30
    while time.monotonic() < end:
        with urllib.request.urlopen(RAW, timeout=5) as answer:
            now = json.load(answer)
        if now != last:
            last, since = now, time.monotonic()
        if time.monotonic() - since > 1.5:
            return now
        time.sleep(0.2)
    raise AssertionError("what is served goes on changing")
