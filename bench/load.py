"""One burst of load by wrk, bounded in time and on this machine only."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

CONNECTIONS = 32
HOST = "bench.localhost"
# The load names what it accepts, so that no proxy adds or undoes an encoding.
HEADERS = {"Host": HOST, "Accept-Encoding": "gzip", "User-Agent": "bench"}

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class LoadError(Exception):
    """wrk did not do its work."""


@dataclass(frozen=True)
class Sample:
    """What one burst came to."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int


def burst(port: int, seconds: int, pin: list[str]) -> Sample:
    """Asks for /bench over and over, without pause, for some seconds."""
    command = [*pin, "wrk", "--threads", "1", "--connections", str(CONNECTIONS)]
    command += ["--duration", f"{seconds}s", "--timeout", "5s", "--latency"]
    for name, value in HEADERS.items():
        command += ["--header", f"{name}: {value}"]
    command.append(f"http://127.0.0.1:{port}/bench")
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds + 30, check=False
    )
    if done.returncode != 0:
        raise LoadError(done.stderr.strip() or done.stdout.strip())
    return parse(done.stdout)


def parse(report: str) -> Sample:
    """Reads what wrk prints."""

    def found(pattern: str) -> re.Match[str]:
        match = re.search(pattern, report)
        if match is None:
            raise LoadError(f"wrk printed no {pattern!r}:\n{report}")
        return match

    def latency(percentile: str) -> float:
        value, unit = found(rf"\b{percentile}%\s+([\d.]+)(us|ms|s|m)\b").groups()
        return round(float(value) * _UNITS[unit], 3)

    failed = 0
    for pattern in (
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)",
        r"Non-2xx or 3xx responses: (\d+)",
    ):
        if match := re.search(pattern, report):
            failed += sum(map(int, match.groups()))
    return Sample(
        requests=int(found(r"(\d+) requests in").group(1)),
        per_second=float(found(r"Requests/sec:\s+([\d.]+)").group(1)),
        p50_ms=latency("50"),
        p99_ms=latency("99"),
        failed=failed,
    )
