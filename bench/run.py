#!/usr/bin/env python3
"""Measures carnet: the gateway beside nginx, HAProxy and Traefik, the authorization server against
what its libraries can do at best; same machine, same minute.

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

import authserver
import gateway
import install
import load
import machine
import report
import tokens
from authserver import Extent
from load import Yardstick
from processes import Processes
from servers import Servers

TOOLS = Path(__file__).parent / "tools"
PARTS = ["gateway", "tokens", "authserver"]
SHORT = Extent(rounds=1, seconds=0.5, clients=100, tokens=100)


def main() -> None:
    options = _options()
    parts = [part for part in PARTS if part not in options.without]
    carnet, yardstick = options.carnet, options.yardstick
    if not (carnet and yardstick):
        carnet, yardstick = _build()
    programs = {"carnet": carnet}
    if "gateway" in parts:
        peers = [name for name in gateway.PROGRAMS[1:] if name not in options.without]
        programs |= install.programs([*peers, *({"nginx", "wrk"} - set(peers))], TOOLS)
    if "tokens" in parts:
        programs |= install.programs(tokens.PROGRAMS, TOOLS)
    facts = _facts(options, programs)
    results, pages = {}, []
    if "gateway" in parts:
        peers = {name: program for name, program in programs.items() if name not in options.without}
        results["gateway"] = _gateway(peers, options)
        pages.append(report.gateway(results["gateway"]))
    if "tokens" in parts:
        results["tokens"] = _tokens(programs, options)
        pages.append(report.against("What tokens cost", results["tokens"], tokens.TARGETS))
    if "authserver" in parts:
        results["authserver"] = _authserver(carnet, yardstick, options)
        pages.append(report.against("The authorization server", results["authserver"], authserver.TARGETS))
    page = report.page(facts, pages)
    print(page)
    if not options.short:
        kept = report.keep(page, results, facts)
        machine.say(f"the page is {kept[0]}, the raw samples are in {kept[1]}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a check, no figures")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of the long form (15)")
    parser.add_argument("--seconds", type=int, default=5, help="length of a burst (5)")
    parser.add_argument("--clients", type=int, default=100_000, help="at the full server (100000)")
    parser.add_argument("--carnet", metavar="PATH", help="the binary (default: a release build)")
    parser.add_argument("--yardstick", metavar="PATH", help="the same of the yardstick")
    parser.add_argument(
        "--without", action="append", default=[], choices=[*PARTS, *gateway.PROGRAMS[1:]]
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


def _gateway(programs: dict[str, str], options: argparse.Namespace) -> report.Samples:
    rounds, seconds = (2, 1) if options.short else (options.rounds, options.seconds)
    with tempfile.TemporaryDirectory(prefix="carnet-bench-") as directory:
        with Servers(Path(directory)) as servers:
            return gateway.measure(servers, programs, rounds, seconds)


def _tokens(programs: dict[str, str], options: argparse.Namespace) -> dict[str, list[float]]:
    scale = tokens.SHORT if options.short else replace(tokens.LONG, rounds=options.rounds)
    with tempfile.TemporaryDirectory(prefix="carnet-bench-") as directory:
        with Servers(Path(directory)) as servers:
            return tokens.measure(servers, programs, scale)


def _authserver(
    carnet: str, yardstick: str, options: argparse.Namespace
) -> dict[str, list[float]]:
    extent = Extent(options.rounds, options.seconds, options.clients, tokens=10_000)
    with tempfile.TemporaryDirectory(prefix="carnet-bench-") as directory:
        with Processes(Path(directory)) as processes:
            tool = Yardstick(yardstick, machine.LOAD, machine.SERVER)
            return authserver.measure(processes, carnet, tool, SHORT if options.short else extent)


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
