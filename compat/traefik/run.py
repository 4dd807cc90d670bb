#!/usr/bin/env python3
"""Gives Traefik and carnet the same configuration and the same requests, and tells what differs.

    python3 compat/traefik/run.py                 2110 requests from seed 42
    python3 compat/traefik/run.py --seed 7        others
    python3 compat/traefik/run.py --case 123      what both answered to one of them

Python and nothing but its standard library: it shares the installation of Traefik with the bench.
Exit code 1: something differs that `differences.json` does not list.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
sys.path.append(str(BENCH))

import compare  # noqa: E402
import differences  # noqa: E402
import gateways  # noqa: E402
import install  # noqa: E402
import scenes  # noqa: E402
from compare import Finding, Parts  # noqa: E402
from processes import Processes  # noqa: E402
from request import send  # noqa: E402
from scenes import Case, Play  # noqa: E402

SEED, REQUESTS = 42, 300  # for rules; those of the frames come on top
# Places of a difference that are told.
SHOWN = 3

Results = list[tuple[Case, Parts, Parts]]


def main() -> int:
    options = _options()
    programs = install.programs(["traefik"], BENCH / "tools")
    programs["carnet"] = options.carnet or _build()
    play = scenes.play(options.seed, options.requests)
    with tempfile.TemporaryDirectory(prefix="carnet-compat-") as directory:
        results = _play(play, programs, Path(directory))
    if options.case is not None:
        return _show(play, results[options.case])
    is_whole = (options.seed, options.requests) == (SEED, REQUESTS)
    return _judge(play, results, is_whole)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=SEED, help=f"what to make up ({SEED})")
    parser.add_argument("--requests", type=int, default=REQUESTS, help=f"how many ({REQUESTS})")
    parser.add_argument("--carnet", metavar="PATH", help="the binary (default: a debug build)")
    parser.add_argument("--case", type=int, metavar="NUMBER", help="shows one request and answers")
    return parser.parse_args()


def _build() -> str:
    command = ["cargo", "build", "--package", "carnet"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    return str(ROOT / "target" / "debug" / "carnet")


def _play(play: Play, programs: dict[str, str], directory: Path) -> Results:
    """Every request to both, one after the other."""
    with Processes(directory) as processes:
        behind = gateways.start_behind(processes, programs["carnet"])
        answered = []
        for name in ("traefik", "carnet"):
            gateway = gateways.start(processes, name, programs[name], play, behind)
            folder = behind.certificates.folder
            answers = [send(case.request, gateway.ports[case.scene], folder) for case in play.cases]
            lines = gateway.lines(len(play.cases))
            per_run = compare.PerRun(gateway.ports, behind.certificates.names)
            pairs = zip(play.cases, answers)
            answered.append(
                [compare.parts(got, lines.get(case.number, {}), per_run) for case, got in pairs]
            )
    return list(zip(play.cases, *answered))


def _judge(play: Play, results: Results, is_whole: bool) -> int:
    listed = differences.read()
    seen: Counter[str] = Counter()
    unlisted = 0
    for case, traefik, carnet in results:
        tags = case.tags | differences.earned(play, traefik, carnet)
        unexplained = []
        for finding in compare.findings(traefik, carnet):
            by = [known for known in listed if known.explains(tags, carnet["status"], finding)]
            if by:
                seen[by[0].id] += 1
            else:
                unexplained.append(finding)
        if unexplained:
            unlisted += 1
            _tell(case, unexplained)
    statuses = Counter(traefik["status"] for _, traefik, _ in results)
    routed = sum(1 for _, traefik, _ in results if traefik.get("log RouterName"))
    print(f"{len(results)} requests to {len(play.routers)} routers, {routed} of them routed by Traefik")
    print("answers of Traefik: " + ", ".join(f"{n} x {s}" for s, n in statuses.most_common()))
    for known in listed:
        print(f"listed: {known.id}: {seen[known.id]} places")
    print(f"not listed: {unlisted} requests")
    unseen = []
    if is_whole:
        unseen = [known.id for known in listed if not known.by_chance and not seen[known.id]]
    for name in unseen:
        print(f"the listed difference `{name}` shows nowhere: remove it")
    return 1 if unlisted or unseen else 0


def _tell(case: Case, findings: list[Finding]) -> None:
    """The first places only: where another router answers, everything behind it differs."""
    first = case.request.wire().split(b"\r\n", 1)[0].decode("utf-8", "replace")
    print(f"case {case.number}, {case.scene}: {first}")
    for finding in findings[:SHOWN]:
        print(f"  {finding.at}: traefik {finding.traefik!r}, carnet {finding.carnet!r}")
    if len(findings) > SHOWN:
        print(f"  and {len(findings) - SHOWN} places more; see --case {case.number}")


def _show(play: Play, result: tuple[Case, Parts, Parts]) -> int:
    case, traefik, carnet = result
    print(f"{case.scene}, tags {sorted(case.tags)}")
    for name, router in play.routers.items():
        if name.startswith(case.scene):
            print(f"  {name}: {router}")
    print(case.request.secured or case.request.before or "")
    print(case.request.wire().decode("utf-8", "replace"))
    for name, parts in [("traefik", traefik), ("carnet", carnet)]:
        print(name)
        for at, value in parts.items():
            print(f"  {at}: {value!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
