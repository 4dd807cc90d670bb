"""The chart, with Helm itself: linted, installed, upgraded and uninstalled in a cluster."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from carnet import Carnet
from cluster import Cluster
from install import TOOLS

CHART = Path(__file__).resolve().parents[1] / "deploy" / "helm" / "carnet"
# The program of Helm's own module, which Go fetches by its checksum.
VERSION = "3.22.0"
# What people set, from little to everything.
VALUES: list[dict[str, object]] = [
    {},
    {"gateway": {"namespaces": ["edge"], "secretNames": ["gateway-client"], "autoscaling": {"enabled": False}}},
    {
        "image": {"digest": "sha256:" + "0" * 64},
        "gateway": {"ingress": {"enabled": True}, "podAnnotations": {"a": "b"}, "service": {"type": "ClusterIP"}},
        "authserver": {"enabled": True, "issuer": "https://authorization.example", "env": {"LOG_LEVEL": "info"}},
        "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra"}}],
    },
]
WRONG: list[tuple[dict[str, object], str]] = [
    ({"gateway": {"replica": 3}}, "replica"),
    ({"authserver": {"enabled": True}}, "authserver.issuer"),
    ({"authserver": {"issuer": "http://plain.example"}}, "issuer"),
]


def helm() -> Path:
    """Built with Go where the machine has none of this version."""
    found = shutil.which("helm")
    if found and subprocess.run([found, "version", "--short"], capture_output=True, text=True, check=False).stdout.startswith("v3."):
        return Path(found)
    folder = TOOLS / f"helm-{VERSION}"
    if not (folder / "helm").exists():
        print(f"building helm {VERSION} with Go, which takes some minutes the first time", file=sys.stderr, flush=True)
        environment = {**os.environ, "GOBIN": str(folder), "GOFLAGS": "-buildvcs=false"}
        subprocess.run(["go", "install", f"helm.sh/helm/v3/cmd/helm@v{VERSION}"], env=environment, check=True)
    return folder / "helm"


class Helm:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.program = cluster, helm()

    def run(self, *arguments: str, values: dict[str, object]) -> str:
        done = self.attempt(*arguments, values=values)
        assert done.returncode == 0, f"helm {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout

    def attempt(self, *arguments: str, values: dict[str, object]) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig), "HOME": str(self.cluster.folder)}
        command = [str(self.program), *arguments, "--namespace", "edge"]
        if values:
            command += ["--values", "-"]
        return subprocess.run(
            command, input=json.dumps(values), env=environment, capture_output=True, text=True, timeout=120, check=False
        )


# Holds OP-05.
def play(cluster: Cluster, carnet: Carnet) -> str:
    """Each set of values is installed over the one before."""
    cluster.kubectl("create", "namespace", "edge")
    tool = Helm(cluster)
    for values in VALUES:
        tool.run("lint", "--strict", str(CHART), values=values)
        tool.run("upgrade", "--install", "carnet", str(CHART), values=values)
        rendered = _rendered(cluster, tool)
        assert rendered, "nothing is there"
        for one in rendered:
            if one["kind"] == "Deployment":
                _asks_for_the_least(one)
    for values, word in WRONG:
        done = tool.attempt("upgrade", "carnet", str(CHART), values=values)
        assert done.returncode != 0 and word in done.stderr, f"{values}: {done.stderr}"
    configuration = cluster.kubectl("get", "configmap", "carnet-gateway", "-n", "edge", "-o", "jsonpath={.data}")
    path = carnet.folder / "chart.yaml"
    path.write_text(json.loads(configuration)["carnet.yaml"], encoding="utf-8")
    said = carnet.run(["validate", str(path)])
    assert not said, said
    tool.run("uninstall", "carnet", values={})
    left = cluster.kubectl("get", "deployments,services,configmaps,roles,ingressclasses", "-n", "edge", "-o", "name")
    assert not left.strip(), f"what uninstalling leaves: {left}"
    return f"{len(VALUES)} sets of values"


def _rendered(cluster: Cluster, tool: Helm) -> list[dict[str, object]]:
    """What the cluster made of the release's objects."""
    manifest = tool.run("get", "manifest", "carnet", values={})
    found = cluster.kubectl("get", "-n", "edge", "-f", "-", "-o", "json", given=manifest)
    return json.loads(found)["items"]


def _asks_for_the_least(deployment: dict[str, object]) -> None:
    pod = deployment["spec"]["template"]["spec"]  # type: ignore[index]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 65532
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        least = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        assert container["securityContext"] == least, container["name"]
        assert container["resources"]["limits"]["memory"], container["name"]
