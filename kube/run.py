#!/usr/bin/env python3
"""Plays carnet against a real Kubernetes API server.

    python3 kube/run.py --carnet PATH              everything, several scenes beside each other
    python3 kube/run.py --carnet PATH tutorial     only what has this in its name
    python3 kube/run.py --carnet PATH --long       as often as the figures ask: a result to commit

Needs root (namespaces of the kernel), Go for the first build, kubectl or Go, curl. KUBE_TUTORIAL may
name folders with the tutorial's own files, which are then played too. Exit code 1: something failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import charts
import container
import definitions
import guarded
import hardened
import ingress
import install
import many
import newer
import peer
import readiness
import refused
import replicas
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
    hardened.REDIS_HOST: f"{stage.POD_NETWORK}.{hardened.REDIS_LAST}",
}
# What scenes need of the network: behind the stage's door there is none.
FETCHED = {"chart": charts.helm, "traefik": peer.traefik, "definitions": definitions.published}


@dataclass(frozen=True)
class Times:
    """How often things happen."""

    probes: int
    outages: int
    pods: int
    replicas: int
    changes: int
    routes: tuple[int, ...]


SHORT = Times(probes=10_000, outages=3, pods=6, replicas=1, changes=10, routes=(500,))
LONG = Times(probes=10_000, outages=10, pods=200, replicas=5, changes=200, routes=(100, 10_000))


def scenes(times: Times) -> dict[str, Scene]:
    """By name, in the order in which they are begun: long ones first. Those of scale are played alone."""
    found: dict[str, Scene] = {}
    for edition in tutorial.editions():
        found[f"tutorial {edition.name}"] = lambda cluster, carnet, it=edition: _tutorial(cluster, carnet, it)
    for folder in [None, *newer.folders()]:
        name = f"newer tutorial {folder or ''}".strip()
        found[name] = lambda cluster, carnet, it=folder: newer.play(cluster, carnet, it)
    found["rolling"] = lambda cluster, carnet: rolling.play(cluster, carnet, times.pods)
    found["replicas"] = lambda cluster, carnet: replicas.play(cluster, carnet, times.replicas)
    found["container"] = container.play
    found["traefik"] = peer.play
    found["definitions"] = definitions.play
    found["hardened"] = hardened.play
    found["outages"] = lambda cluster, carnet: guarded.outages(cluster, carnet, times.outages)
    found["deletions"] = lambda cluster, carnet: guarded.deletions(cluster, carnet, times.probes)
    found["rights"] = rights.play
    found["readiness"] = readiness.play
    found["chart"] = charts.play
    found["ingress"] = ingress.play
    found["refused"] = refused.play
    for routes in times.routes:
        size = scale.Size(routes, routes // 5, routes // 10, times.changes)
        found[f"scale {routes}"] = lambda cluster, carnet, it=size: scale.play(cluster, carnet, it)
    return found


def _tutorial(cluster: Cluster, carnet: Carnet, edition: tutorial.Manifests) -> None:
    carnet.gateway(cluster)
    tutorial.play(cluster, carnet, edition)


def main() -> int:
    options = _options()
    times = LONG if options.long else SHORT
    if options.routes:
        times = Times(**{**vars(times), "routes": tuple(options.routes)})
    known = scenes(times)
    if options.exactly:
        stage.enter()
        return 0 if _play(options.exactly, known[options.exactly], options) else 1
    names = [name for name in known if options.name in name and name.split()[0] not in options.without]
    install.tools()
    for name in names:
        FETCHED.get(name, lambda: None)()
    jobs = 1 if options.long else options.jobs
    return many.play(names, jobs, keeps=options.long and not options.name)


def _play(name: str, scene: Scene, options: argparse.Namespace) -> bool:
    """In a cluster of its own."""
    program, began = str(Path(options.carnet).resolve()), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="carnet-kube-") as made:
        folder = Path(made)
        stage.name(folder / "hosts", NAMES)
        with Cluster(install.tools(), folder / "c") as cluster, Carnet(program, folder / "c" / "carnet") as carnet:
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
    parser.add_argument("--long", action="store_true", help="as often as the figures ask")
    parser.add_argument("--routes", action="append", type=int, help="of scale, with a fifth as many services (500)")
    parser.add_argument("--jobs", type=int, default=2, help="scenes beside each other (2)")
    parser.add_argument("--exactly", metavar="SCENE", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
