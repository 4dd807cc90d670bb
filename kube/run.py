#!/usr/bin/env python3
"""Plays carnet against a real Kubernetes API server.

    python3 kube/run.py --carnet PATH              everything
    python3 kube/run.py --carnet PATH tutorial     only what has this in its name

Needs root (namespaces of the kernel), Go for the first build, kubectl or Go, curl. KUBE_TUTORIAL may
name folders with the tutorial's own files, which are then played too. Exit code 1: something failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

import charts
import container
import guarded
import ingress
import install
import newer
import peer
import readiness
import refused
import rights
import rolling
import scale
import stage
import tutorial
from carnet import Carnet
from cluster import Cluster

Scene = Callable[[Cluster, Carnet], str | None]
NAMES = {
    "hydra.hydra.svc": f"{stage.POD_NETWORK}.10",
    "hydra.hydra": f"{stage.POD_NETWORK}.10",
    "whoami.docker.localhost": "127.0.0.1",
    newer.HOST: "127.0.0.1",
}


def scenes(options: argparse.Namespace) -> dict[str, Scene]:
    """By name, in the order in which they are played."""
    found: dict[str, Scene] = {}
    for edition in tutorial.editions():
        found[f"tutorial {edition.name}"] = lambda cluster, carnet, it=edition: _tutorial(cluster, carnet, it)
    for folder in [None, *newer.folders()]:
        name = f"newer tutorial {folder or ''}".strip()
        found[name] = lambda cluster, carnet, it=folder: newer.play(cluster, carnet, it)
    found["ingress"] = ingress.play
    found["traefik"] = peer.play
    found["refused"] = refused.play
    found["container"] = container.play
    found["readiness"] = readiness.play
    found["rights"] = rights.play
    found["deletions"] = lambda cluster, carnet: guarded.deletions(cluster, carnet, options.probes)
    found["outages"] = lambda cluster, carnet: guarded.outages(cluster, carnet, options.outages)
    found["rolling"] = lambda cluster, carnet: rolling.play(cluster, carnet, options.pods)
    found["chart"] = charts.play
    size = scale.Size(options.routes, options.routes // 5, options.routes // 10, options.changes)
    found["scale"] = lambda cluster, carnet: scale.play(cluster, carnet, size)
    return found


def _tutorial(cluster: Cluster, carnet: Carnet, edition: tutorial.Manifests) -> None:
    carnet.gateway(cluster)
    tutorial.play(cluster, carnet, edition)


def main() -> int:
    options = _options()
    tools = install.tools()
    # Behind the stage's door there is no network to fetch it from.
    if options.name in "chart" and "chart" not in options.without:
        charts.helm()
    stage.enter()
    program = str(Path(options.carnet).resolve())
    failed = 0
    with tempfile.TemporaryDirectory(prefix="carnet-kube-") as folder:
        stage.name(Path(folder) / "hosts", NAMES)
        for number, (name, scene) in enumerate(scenes(options).items()):
            if options.name in name and name not in options.without:
                failed += not _play(name, scene, tools, program, Path(folder) / str(number))
    return 1 if failed else 0


def _play(name: str, scene: Scene, tools: install.Tools, program: str, folder: Path) -> bool:
    """In a cluster of its own."""
    began = time.monotonic()
    with Cluster(tools, folder) as cluster, Carnet(program, folder / "carnet") as carnet:
        try:
            cluster.kubectl("apply", "-f", "-", given=carnet.run(["install", "crds"]))
            told = scene(cluster, carnet)
        except AssertionError as problem:
            print(f"{name}: FAILED: {problem}", flush=True)
            if (log := carnet.log("gateway")).exists():
                print(log.read_text(errors="replace")[-3000:])
            return False
    print(f"{name}: passed in {time.monotonic() - began:.0f} s" + (f": {told}" if told else ""), flush=True)
    return True


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", default="", help="part of a scene's name")
    parser.add_argument("--carnet", metavar="PATH", required=True, help="the binary")
    parser.add_argument("--without", action="append", default=[], metavar="SCENE", help="scenes to leave out")
    parser.add_argument("--probes", type=int, default=10_000, help="of deletions (10000)")
    parser.add_argument("--routes", type=int, default=500, help="of scale, with a fifth as many services (500)")
    parser.add_argument("--changes", type=int, default=10, help="of scale, one after the other (10)")
    parser.add_argument("--pods", type=int, default=6, help="of rolling, one after the other (6)")
    parser.add_argument("--outages", type=int, default=3, help="of the API server (3)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
