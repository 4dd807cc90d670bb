"""Load, bounded in time and on this machine only: wrk for the gateway, the yardstick for forms."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 32
HOST = "bench.localhost"
# The load names what it accepts, so that no proxy adds or undoes an encoding.
HEADERS = {"Host": HOST, "Accept-Encoding": "gzip", "User-Agent": "bench"}

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class LoadError(Exception):
    """The load program did not do its work."""


@dataclass(frozen=True)
class Sample:
    """What one burst came to."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int


@dataclass(frozen=True)
class Posted:
    """What posting forms came to. Any answer but 200 is a LoadError."""

    requests: int
    per_second: float
    bytes_each: int
    # How long the load had to wait for its own core; what fell into that time does not count.
    away_ms: float
    p50_us: float
    p99_us: float
    p999_us: float
    max_us: float


def burst(
    port: int,
    seconds: float,
    pin: list[str],
    url: str = "http://127.0.0.1:{port}/bench",
    connections: int = CONNECTIONS,
    headers: dict[str, str] | None = None,
) -> Sample:
    """Asks for a URL over and over, without pause, for some seconds."""
    command = [*pin, "wrk", "--threads", "1", "--connections", str(connections)]
    command += ["--duration", f"{max(1, round(seconds))}s", "--timeout", "5s", "--latency"]
    for name, value in {**HEADERS, **(headers or {})}.items():
        command += ["--header", f"{name}: {value}"]
    command.append(url.format(port=port))
    return parse(_said(command, seconds + 30))


def http2(port: int, seconds: float, pin: list[str]) -> Sample:
    """The same over TLS with HTTP/2: eight streams at once on each of eight connections."""
    command = [*pin, "h2load", "--threads", "1", "--clients", "8", "--max-concurrent-streams", "8"]
    command += ["--duration", str(max(1, round(seconds))), "--connect-to", f"127.0.0.1:{port}"]
    for name, value in HEADERS.items():
        command += [] if name == "Host" else ["--header", f"{name}: {value}"]
    return parse_http2(_said([*command, f"https://{HOST}/bench"], seconds + 30))


def write_forms(file: Path, lines: list[tuple[str, str]]) -> Path:
    """A file of forms: pairs of the value of the Authorization header, or nothing, and a body."""
    text = "".join(f"{authorization}\t{body}\n" for authorization, body in lines)
    file.write_text(text, encoding="utf-8")
    return file


@dataclass(frozen=True)
class Yardstick:
    """The program of that name, and the cores that it uses."""

    program: str
    load: list[str]
    server: list[str]

    def post(
        self,
        port: int,
        path: str,
        forms: Path,
        seconds: float | None = None,
        rate: float | None = None,
    ) -> Posted:
        """Posts each form once, or all of them over and over for some seconds, evenly or not."""
        command = [*self.load, self.program, "post", str(port), path, str(forms)]
        command += ["--connections", str(CONNECTIONS)]
        command += ["--seconds", str(seconds)] if seconds else []
        command += ["--rate", f"{rate:.1f}"] if rate else []
        return Posted(**json.loads(_said(command, (seconds or 900) + 60)))

    def sign(self, algorithm: str, bits: int, seconds: float) -> float:
        """Signatures per second of processor time, on the server's core."""
        command = [*self.server, self.program, "sign", algorithm]
        command += ["--bits", str(bits), "--seconds", str(seconds)]
        return float(_said(command, seconds + 120))

    def empty(self, port: int) -> list[str]:
        """The command of a server that does nothing."""
        return [*self.server, self.program, "empty", str(port)]


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


def parse_http2(report: str) -> Sample:
    """Reads what h2load prints. It tells no percentiles."""
    done = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", report)
    answers = re.search(r"(\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", report)
    rate = re.search(r"finished in [\d.]+\w+, ([\d.]+) req/s", report)
    if done is None or answers is None or rate is None:
        raise LoadError(f"h2load printed no figures:\n{report}")
    failed = sum(map(int, done.groups()[1:])) + sum(map(int, answers.groups()[1:]))
    return Sample(int(answers.group(1)), float(rate.group(1)), 0.0, 0.0, failed)


def _said(command: list[str], timeout: float) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode != 0:
        raise LoadError(done.stderr.strip() or done.stdout.strip())
    return done.stdout
