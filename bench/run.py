#!/usr/bin/env python3
"""Measures carnet: the gateway beside nginx, HAProxy, Envoy and Traefik, the authorization server
against what its libraries can do at best; same machine, same minute.

    python3 bench/run.py            the long form: 15 rounds, a page to commit
    python3 bench/run.py --short    under a minute: does it all work, without a figure to quote

Python and nothing but its standard library: it starts programs and counts, the load programs and
the servers do the work, and pip is needed for one of them anyway.
"""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import alone
import authserver
import gateway
import install
import load
import machine
import middlewares
import plot
import report
import scenes
import tokens
import verification
from authserver import Extent
from load import Yardstick
from processes import Processes
from servers import Servers

TOOLS = Path(__file__).parent / "tools"
PARTS = ["gateway", "scenes", "alone", "middlewares", "verification", "tokens", "authserver"]
PEERS = scenes.PROGRAMS[1:]
LOADS = {"wrk", "h2load", "openssl"}
SHORT = Extent(rounds=1, seconds=0.5, clients=100, tokens=100)


def main() -> None:
    options = _options()
    parts = [part for part in PARTS if part not in options.without]
    carnet, yardstick = options.carnet, options.yardstick
    if not (carnet and yardstick):
        carnet, yardstick = _build()
    if "scenes" in parts:
        scenes.raise_the_file_limit()
    programs = {"carnet": carnet, **_peers(parts, options.without)}
    facts = _facts(options, programs)
    tool = Yardstick(yardstick, machine.LOAD, machine.SERVER)
    results, pages = {}, []
    for part in parts:
        results[part], page = MEASURED[part](programs, tool, options)
        pages.append(page)
    page = report.page(facts, pages)
    print(page)
    if not options.short:
        kept = report.keep(page, results, facts)
        machine.say(f"the page is {kept[0]}, the raw samples are in {kept[1]}")
        _publish(results, pages, facts)


def _peers(parts: list[str], without: list[str]) -> dict[str, str]:
    """The programs beside carnet that the parts need, installed where they are missing."""
    if parts == ["authserver"]:
        return {}
    names = [name for name in PEERS if name not in without]
    return install.programs([*names, *({"nginx", *LOADS} - set(names))], TOOLS)


def _publish(results: dict[str, dict], pages: list[list[str]], facts: dict[str, str]) -> None:
    """The picture, and the tables in the documents."""
    if "scenes" not in results:
        return
    costs = {name: results["scenes"][name] for name in scenes.SCENES}
    picture = report.RESULTS / f"{facts['date']}-{facts['commit']}.svg"
    picture.write_text(plot.bars(costs, facts), encoding="utf-8")
    link = f"![processor time](../{picture.relative_to(machine.ROOT)})"
    tables = [f"{facts['date']}, commit {facts['commit']}, {facts['machine']}.", "", link]
    for page in pages:
        tables += ["", *page]
    report.fill(machine.ROOT / "docs" / "performance.md", tables)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a check, no figures")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of the long form (15)")
    parser.add_argument("--seconds", type=int, default=5, help="length of a burst (5)")
    parser.add_argument("--clients", type=int, default=100_000, help="at the full server (100000)")
    parser.add_argument("--carnet", metavar="PATH", help="the binary (default: a release build)")
    parser.add_argument("--yardstick", metavar="PATH", help="the same of the yardstick")
    parser.add_argument(
        "--without", action="append", default=[], choices=[*PARTS, *PEERS]
    )
    options = parser.parse_args()
    if not options.short and options.rounds < 15:
        parser.error("fewer than 15 rounds give no figure; use --short for a check")
    return options


def _build() -> tuple[str, str]:
    command = ["cargo", "build", "--locked", "--release"]
    command += ["--package", "carnet", "--package", "carnet-yardstick"]
    subprocess.run(command, cwd=machine.ROOT, check=True, stdout=sys.stderr)
    folder = machine.ROOT / "target" / "release"
    return str(folder / "carnet"), str(folder / "yardstick")


Measured = tuple[dict, list[str]]


def _gateway(programs: dict[str, str], _: Yardstick, options: argparse.Namespace) -> Measured:
    rounds, seconds = (1, 1) if options.short else (options.rounds, options.seconds)
    wanted = {name: path for name, path in programs.items() if name not in options.without}
    with tempfile.TemporaryDirectory(prefix="carnet-bench-") as directory:
        with Servers(Path(directory)) as servers:
            samples = gateway.measure(servers, wanted, rounds, seconds)
    return samples, report.gateway(samples)


def _scenes(programs: dict[str, str], tool: Yardstick, options: argparse.Namespace) -> Measured:
    extent = scenes.Extent(options.rounds, options.seconds, idle=10_000)
    extent = scenes.Extent(1, 0.5, idle=50, is_short=True) if options.short else extent
    wanted = {name: path for name, path in programs.items() if name not in options.without}
    with tempfile.TemporaryDirectory(prefix="carnet-bench-") as directory:
        with Servers(Path(directory)) as servers:
            results = scenes.measure(servers, wanted, programs, tool, extent)
    held = report.asked("What is asked of the gateway", *scenes.asked(results))
    return results, [*held, "", *report.scenes(results)]


def _alone(programs: dict[str, str], _: Yardstick, options: argparse.Namespace) -> Measured:
    extent = alone.Extent(options.rounds, options.seconds, reloads=60)
    extent = alone.Extent(1, 1, reloads=2) if options.short else extent
    with tempfile.TemporaryDirectory(prefix="carnet-bench-") as directory:
        with Servers(Path(directory)) as servers:
            samples = alone.measure(servers, programs, extent)
    return samples, report.asked("The gateway alone", samples, alone.TARGETS)


def _middlewares(programs: dict[str, str], _: Yardstick, options: argparse.Namespace) -> Measured:
    extent = middlewares.Extent(options.rounds, options.seconds)
    extent = middlewares.Extent(1, 1) if options.short else extent
    with tempfile.TemporaryDirectory(prefix="carnet-bench-") as directory:
        with Servers(Path(directory)) as servers:
            samples = middlewares.measure(servers, programs, extent)
    targets = [target for target in middlewares.TARGETS if target.name in samples]
    return samples, report.asked("What middlewares cost", samples, targets)


def _verification(programs: dict[str, str], tool: Yardstick, options: argparse.Namespace) -> Measured:
    extent = verification.Extent(options.rounds, options.seconds)
    extent = verification.Extent(1, 1) if options.short else extent
    wanted = {name: path for name, path in programs.items() if name not in options.without}
    with tempfile.TemporaryDirectory(prefix="carnet-bench-") as directory:
        with Servers(Path(directory)) as servers:
            samples = verification.measure(servers, {"nginx": programs["nginx"], **wanted}, tool, extent)
    targets = [target for target in verification.TARGETS if target.name in samples]
    return samples, report.asked("What verifying costs", samples, targets)


def _tokens(programs: dict[str, str], _: Yardstick, options: argparse.Namespace) -> Measured:
    scale = tokens.SHORT if options.short else replace(tokens.LONG, rounds=options.rounds)
    wanted = {name: path for name, path in programs.items() if name not in options.without}
    with tempfile.TemporaryDirectory(prefix="carnet-bench-") as directory:
        with Servers(Path(directory)) as servers:
            samples = tokens.measure(servers, {"nginx": programs["nginx"], **wanted}, scale)
    return samples, report.asked("What tokens cost", samples, tokens.TARGETS)


def _authserver(programs: dict[str, str], tool: Yardstick, options: argparse.Namespace) -> Measured:
    extent = Extent(options.rounds, options.seconds, options.clients, tokens=10_000)
    extent = SHORT if options.short else extent
    with tempfile.TemporaryDirectory(prefix="carnet-bench-") as directory:
        with Processes(Path(directory)) as processes:
            samples = authserver.measure(processes, programs["carnet"], tool, extent)
    return samples, report.asked("The authorization server", samples, authserver.TARGETS)


MEASURED = {
    "gateway": _gateway,
    "scenes": _scenes,
    "alone": _alone,
    "middlewares": _middlewares,
    "verification": _verification,
    "tokens": _tokens,
    "authserver": _authserver,
}


def _facts(options: argparse.Namespace, programs: dict[str, str]) -> dict[str, str]:
    extent = "the short form, not to be quoted"
    if not options.short:
        extent = f"{options.rounds} rounds of {options.seconds} s, {options.clients} clients"
    return {
        "date": datetime.date.today().isoformat(),
        "commit": machine.commit(),
        "machine": machine.description(),
        "load": f"{load.CONNECTIONS} kept connections, {extent}",
        "load average before": machine.load_average(),
        "cores": "servers on one, load and backend on another" if machine.SERVER else "shared",
        "programs": machine.versions(programs),
    }


if __name__ == "__main__":
    main()
