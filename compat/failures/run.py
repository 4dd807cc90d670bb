#!/usr/bin/env python3
"""Fails to authenticate in four ways and compares the answers: their bytes, and their times.

    python3 compat/failures/run.py                      short: bytes, and that no answer is early
    python3 compat/failures/run.py --rounds 1000 --judge --results FILE     long: the rank test too

Each round sends one request of each cause in an order of its own, over one connection; first to a
server with nothing else to do, then to one that fifty connections keep busy. Exit code 1: the
bytes differ, or an answer was early, or (with --judge) the times can be told apart.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Iterator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent)]

import ranks  # noqa: E402
from causes import Requests  # noqa: E402
from connection import Connection, without_date  # noqa: E402
from server import Server  # noqa: E402

# When a failure is answered, in seconds after its arrival (`failed_authentication_after`).
STEP = 0.05
# Medians may differ by so much.
NEAR = 0.05
SEED = 42
# Seconds that the load may take at most.
PATIENCE = 3600


def main() -> int:
    options = _options()
    carnet = options.carnet or _build()
    settings = {
        "STRATEGIES_ACCESS_TOKEN": "jwt",
        "JWKS_ALGORITHM": "ES256",
        # The failures themselves are compared here, not how many there may be.
        "LIMITS_GUESSES_RATE": "0",
    }
    with Server(carnet, settings) as server:
        requests = Requests(server)
        found = {"quiet": _measure(server, requests, options.rounds)}
        with _load(server, requests):
            found["under load"] = _measure(server, requests, options.rounds)
    faults = [fault for name, each in found.items() for fault in _faults(name, each, options.judge)]
    report = {name: each["times"] for name, each in found.items()}
    if options.results:
        text = json.dumps({"rounds": options.rounds, "seed": SEED, **report}, indent=2)
        Path(options.results).write_text(text + "\n", encoding="utf-8")
    print(_text(report))
    for fault in faults:
        print(f"error: {fault}")
    return 1 if faults else 0


# Holds TE-13.
def _measure(server: Server, requests: Requests, rounds: int) -> dict[str, Any]:
    """The answers and the times of all causes."""
    connection, order = Connection(server.issuer), random.Random(SEED)
    answers: set[bytes] = set()
    samples: dict[str, list[float]] = {name: [] for name in requests.causes}
    for request in requests.causes.values():
        connection.ask(request)
    for _ in range(rounds):
        for name in order.sample(list(samples), len(samples)):
            # The server's timers tick each millisecond, so that a request right after an answer
            # would lie at the same place between two ticks as the one before it: the test of ranks
            # wants samples that know nothing of each other.
            time.sleep(order.uniform(0, 0.003))
            answer, took = connection.ask(requests.causes[name])
            answers.add(without_date(answer))
            samples[name].append(took)
    times = {
        "median ms": {name: round(median(sample) * 1000, 3) for name, sample in samples.items()},
        "earliest ms": round(min(map(min, samples.values())) * 1000, 3),
        "pairs": ranks.compare(samples),
        "a shift of so many ms would have shown": ranks.smallest_visible_shift(
            [took for sample in samples.values() for took in sample]
        )
        * 1000,
    }
    return {"answers": answers, "times": times}


def _faults(name: str, found: dict[str, Any], judge: bool) -> Iterator[str]:
    answers, times = found["answers"], found["times"]
    if len(answers) != 1:
        yield f"{name}: {len(answers)} different answers: {sorted(answers)}"
    if not all(answer.startswith(b"HTTP/1.1 401 ") for answer in answers):
        yield f"{name}: not all answers are 401"
    if times["earliest ms"] < STEP * 1000:
        yield f"{name}: an answer came after {times['earliest ms']} ms, before its time"
    for pair in times["pairs"] if judge else []:
        if pair["adjusted p"] < ranks.LEVEL or pair["median difference"] > NEAR:
            yield f"{name}: {' and '.join(pair['pair'])} can be told apart: {pair}"


@contextmanager
def _load(server: Server, requests: Requests) -> Iterator[None]:
    command = [sys.executable, str(HERE / "load.py"), server.issuer, str(PATIENCE)]
    load = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        load.stdin.write(json.dumps([request.decode() for request in requests.load]) + "\n")
        load.stdin.flush()
        if load.stdout.readline() != "begun\n":
            raise RuntimeError("the load did not begin")
        yield
        if load.poll() is not None:
            raise RuntimeError(f"the load ended with {load.returncode}")
    finally:
        load.stdin.close()
        load.kill()
        load.wait()


def _text(report: dict[str, Any]) -> str:
    lines = []
    for name, times in report.items():
        least = times["pairs"][0]
        medians = ", ".join(f"{cause} {value}" for cause, value in times["median ms"].items())
        shift = times["a shift of so many ms would have shown"]
        lines.append(f"{name}: median ms: {medians}")
        lines.append(
            f"  least adjusted p {least['adjusted p']:.3f} ({' / '.join(least['pair'])}); "
            f"a shift of {shift:.3f} ms would have shown"
        )
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--carnet", metavar="PATH", help="the binary (default: a debug build)")
    parser.add_argument("--rounds", type=int, default=30, help="of each cause (default: 30)")
    parser.add_argument("--judge", action="store_true", help="times that differ are a fault")
    parser.add_argument("--results", metavar="FILE", help="writes what was found as JSON")
    return parser.parse_args()


def _build() -> str:
    command = ["cargo", "build", "--locked", "--package", "carnet"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    return str(ROOT / "target" / "debug" / "carnet")


if __name__ == "__main__":
    sys.exit(main())
