#!/usr/bin/env python3
"""Measures carnet beside nginx, HAProxy and Traefik: same machine, same minute, same answers.

    python3 bench/run.py            the long form: 15 rounds, a summary to commit
    python3 bench/run.py --short    under a minute: does it all work, without a figure to quote

Python and nothing but its standard library: it starts programs and counts, the load program and
the proxies do the work, and pip is needed for one of them anyway.
"""

from __future__ import annotations

import argparse
import datetime
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import install
import load
import report
from servers import Server, Servers, check_headers

TOOLS = Path(__file__).parent / "tools"
PROGRAMS = ["carnet", "nginx", "haproxy", "traefik"]


def main() -> None:
    options = _options()
    wanted = [name for name in PROGRAMS if name not in options.without]
    others = [name for name in wanted if name != "carnet"]
    programs = install.programs([*others, *({"nginx", "wrk"} - set(others))], TOOLS)
    if "carnet" in wanted:
        programs["carnet"] = options.carnet or _build()
    rounds, seconds = (2, 1) if options.short else (options.rounds, options.seconds)
    facts = _facts(programs, rounds, seconds)
    with tempfile.TemporaryDirectory(prefix="carnet-bench-") as directory:
        with Servers(Path(directory)) as servers:
            started = _start(servers, wanted, programs)
            samples = _measure(started, rounds, seconds)
    _check(samples)
    page = report.summary(samples, facts)
    print(page)
    if not options.short:
        name = f"{facts['date']}-{facts['commit']}"
        raw = report.write_raw(name, samples, facts)
        kept = report.RESULTS / f"{name}.md"
        kept.write_text(page, encoding="utf-8")
        print(f"bench: summary in {kept}, raw samples in {raw}", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="2 rounds of 1 s: a check, no figures")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of the long form (15)")
    parser.add_argument("--seconds", type=int, default=5, help="length of a burst (5)")
    parser.add_argument("--carnet", metavar="PATH", help="the binary (default: a release build)")
    parser.add_argument("--without", action="append", default=[], choices=PROGRAMS)
    options = parser.parse_args()
    if not options.short and options.rounds < 15:
        parser.error("fewer than 15 rounds give no figure; use --short for a check")
    return options


def _build() -> str:
    command = ["cargo", "build", "--release", "--package", "carnet"]
    subprocess.run(command, cwd=report.ROOT, check=True, stdout=sys.stderr)
    return str(report.ROOT / "target" / "release" / "carnet")


def _start(servers: Servers, wanted: list[str], programs: dict[str, str]) -> list[Server]:
    """Backend and load share a core, the proxies have the other: each is measured on one core."""
    backend = servers.serve("backend", programs["nginx"], 0, _pin(1))
    started = []
    for name in wanted:
        server = servers.serve(name, programs[name], backend.port, _pin(0))
        check_headers(server)
        load.burst(server.port, 1, _pin(1))
        started.append(server)
    return started


def _measure(started: list[Server], rounds: int, seconds: int) -> report.Samples:
    """In each round every program once, in an order of its own: what drifts hits all alike."""
    samples: report.Samples = {server.name: [] for server in started}
    order = random.Random(42)
    for number in range(rounds):
        for server in order.sample(started, len(started)):
            before = server.cpu_seconds()
            sample = load.burst(server.port, seconds, _pin(1))
            used = max(server.cpu_seconds() - before, 0.01)
            figures = {**asdict(sample), "per_cpu_second": sample.requests / used}
            samples[server.name].append({"round": number, **figures})
            progress = f"round {number + 1} of {rounds}, {server.name}"
            result = f"{sample.per_second:.0f}/s, {sample.failed} failed"
            print(f"bench: {progress}: {result}", file=sys.stderr)
    return samples


def _check(samples: report.Samples) -> None:
    for name, taken in samples.items():
        if any(sample["failed"] or not sample["requests"] for sample in taken):
            raise SystemExit(f"bench: requests through {name} failed; no figure counts")


def _pin(core: int) -> list[str]:
    return ["taskset", "--cpu-list", str(core)] if shutil.which("taskset") else []


def _facts(programs: dict[str, str], rounds: int, seconds: int) -> dict[str, object]:
    flags = {"nginx": "-v", "haproxy": "-v", "traefik": "version", "carnet": "version"}
    versions = []
    for name, flag in flags.items():
        if name in programs:
            command = [programs[name], flag]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            said = (done.stdout + done.stderr).strip().splitlines()
            versions.append(f"{name}: {said[0].strip() if said else 'unknown'}")
    return {
        "date": datetime.date.today().isoformat(),
        "commit": report.commit(),
        "machine": report.machine(),
        "load": f"wrk, {load.CONNECTIONS} kept connections, {rounds} rounds of {seconds} s",
        "load average before": f"{os.getloadavg()[0]:.1f} (above 1 the machine had other work)",
        "cores": "proxies on one, load and backend on another" if _pin(0) else "shared",
        "programs": "; ".join(versions),
    }


if __name__ == "__main__":
    main()
