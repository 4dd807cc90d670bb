"""What was measured, for people and for later reading."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path

from figures import Figure, figure, ratios

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"

# Heading, key in the samples, digits.
COLUMNS = [
    ("requests/s", "per_second", 0),
    ("requests per CPU second", "per_cpu_second", 0),
    ("p50 ms", "p50_ms", 2),
    ("p99 ms", "p99_ms", 2),
]
TITLE = ("date", "commit")
NOTE = """\
Median, and the interval that holds the true median with 95 % certainty where there are at least six
samples. A ratio is carnet's figure through the peer's, round by round: above 1 is better for
requests, below 1 for latency."""

Samples = dict[str, list[dict[str, float]]]


def commit() -> str:
    """The commit that was measured; `-dirty` when files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def write_raw(name: str, samples: Samples, facts: dict[str, object]) -> Path:
    """Every sample in the order in which it was taken, out of version control."""
    path = RESULTS / "raw" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"facts": facts, "samples": samples}, indent=1) + "\n", "utf-8")
    return path


def summary(samples: Samples, facts: dict[str, object]) -> str:
    """The figures as a page: absolute ones first, then carnet beside each peer."""
    lines = [f"# Beside its peers, {facts['date']}, commit {facts['commit']}", ""]
    lines += [f"- {name}: {fact}" for name, fact in facts.items() if name not in TITLE]
    lines += ["", *_row(["program", *(column for column, _, _ in COLUMNS)]), *_rule()]
    for program, taken in samples.items():
        figures = [figure([sample[key] for sample in taken]) for _, key, _ in COLUMNS]
        cells = [_cell(found, digits) for found, (_, _, digits) in zip(figures, COLUMNS)]
        lines += _row([program, *cells])
    if "carnet" in samples and len(samples) > 1:
        lines += ["", *_row(["carnet beside", *(column for column, _, _ in COLUMNS)]), *_rule()]
        for program in (name for name in samples if name != "carnet"):
            cells = [_cell(_ratio(samples, program, key), 3) for _, key, _ in COLUMNS]
            lines += _row([program, *cells])
    return "\n".join([*lines, "", NOTE]) + "\n"


def machine() -> str:
    """What it ran on."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}"


def _ratio(samples: Samples, program: str, key: str) -> Figure:
    ours = [sample[key] for sample in samples["carnet"]]
    return figure(ratios(ours, [sample[key] for sample in samples[program]]))


def _row(cells: list[str]) -> list[str]:
    return [f"| {' | '.join(cells)} |"]


def _rule() -> list[str]:
    return _row(["---"] * (len(COLUMNS) + 1))


def _cell(found: Figure, digits: int) -> str:
    low, high = f"{found.low:.{digits}f}", f"{found.high:.{digits}f}"
    return f"{found.median:.{digits}f} ({low} to {high})"
