"""What was measured, for people and for later reading."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from figures import Figure, figure, ratios

RESULTS = Path(__file__).parent / "results"

# Heading, key in the samples, digits.
COLUMNS = [
    ("requests/s", "per_second", 0),
    ("requests per CPU second", "per_cpu_second", 0),
    ("p50 ms", "p50_ms", 2),
    ("p99 ms", "p99_ms", 2),
]
NOTE = """\
Median, and the interval that holds the true median with 95 % certainty where there are at least six
samples. Ratios are taken round by round."""

Samples = dict[str, list[dict[str, float]]]


@dataclass(frozen=True)
class Target:
    """What a figure must reach, and what it is meant to reach."""

    name: str
    direction: str
    must: float
    aim: float

    def verdict(self, value: float) -> str:
        """How far the figure came."""
        for word, bound in (("aim", self.aim), ("must", self.must)):
            if value >= bound if self.direction == ">=" else value <= bound:
                return word
        return "missed"


def page(facts: dict[str, str], parts: list[list[str]]) -> str:
    """A page: what was measured where, then each part."""
    lines = [f"# Speed and size, {facts['date']}, commit {facts['commit']}", ""]
    told = (item for item in facts.items() if item[0] not in ("date", "commit"))
    lines += [f"- {name}: {fact}" for name, fact in told]
    for part in parts:
        lines += ["", *part]
    return "\n".join([*lines, "", NOTE]) + "\n"


def fill(document: Path, tables: list[str]) -> None:
    """Puts the tables of the last run between the marks of a document."""
    text = document.read_text(encoding="utf-8")
    begin, end = (f"<!-- bench: {word} -->" for word in ("begin", "end"))
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    inside = "\n".join(line.replace("## ", "### ", 1) for line in tables)
    document.write_text(f"{before}{begin}\n{inside}\n{end}{after}", encoding="utf-8")


def keep(page: str, results: dict[str, object], facts: dict[str, str]) -> tuple[Path, Path]:
    """Writes the page, to be committed, and every sample in the order in which it was taken."""
    name = f"{facts['date']}-{facts['commit']}"
    kept, raw = RESULTS / f"{name}.md", RESULTS / "raw" / f"{name}.json"
    kept.write_text(page, encoding="utf-8")
    raw.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"facts": facts, "samples": results}, indent=1) + "\n"
    raw.write_text(text, encoding="utf-8")
    return kept, raw


def gateway(samples: Samples) -> list[str]:
    """Absolute figures first, then carnet's through those of each peer: for requests above 1 is
    better, for latency below."""
    headings = [column for column, _, _ in COLUMNS]
    lines = ["## The gateway beside its peers", "", *_head(["program", *headings])]
    for program, taken in samples.items():
        figures = [figure([sample[key] for sample in taken]) for _, key, _ in COLUMNS]
        cells = [_cell(found, digits) for found, (_, _, digits) in zip(figures, COLUMNS)]
        lines.append(_row([program, *cells]))
    peers = [name for name in samples if name != "carnet"]
    if peers:
        lines += ["", *_head(["carnet through", *headings])]
    for program in peers:
        cells = [_cell(_ratio(samples, program, key), 3) for _, key, _ in COLUMNS]
        lines.append(_row([program, *cells]))
    return lines


def scenes(results: dict[str, Samples]) -> list[str]:
    """A table for each scene: every program, and carnet through it by the first figure."""
    lines = ["## The gateway beside its peers, scene by scene"]
    for name, samples in results.items():
        keys = list(next(iter(samples.values()))[0])
        lines += ["", f"### {name}", "", *_head(["program", *keys, f"carnet through it, {keys[0]}"])]
        for program, taken in samples.items():
            figures = [figure([sample[key] for sample in taken]) for key in keys]
            beside = _cell(_ratio(samples, program, keys[0]), 3) if "carnet" in samples else ""
            lines.append(_row([program, *(_cell(found, 1) for found in figures), beside]))
    return lines


def asked(title: str, samples: dict[str, list[float]], targets: list[Target]) -> list[str]:
    """What is asked for beside what was measured, then the rest."""
    lines = [f"## {title}", ""]
    lines += _head(["figure", "must", "aim", "measured", "reached"])
    for target in (target for target in targets if target.name in samples):
        found = figure(samples[target.name])
        bounds = [f"{target.direction} {bound:g}" for bound in (target.must, target.aim)]
        cells = [target.name, *bounds, _cell(found, 3), target.verdict(found.median)]
        lines.append(_row(cells))
    names = {target.name for target in targets}
    beside = sorted(set(samples) - names)
    lines += ["", *_head(["beside", "measured"])] if beside else []
    for name in beside:
        lines.append(_row([name, _cell(figure(samples[name]), 1)]))
    return lines


def _ratio(samples: Samples, program: str, key: str) -> Figure:
    ours = [sample[key] for sample in samples["carnet"]]
    return figure(ratios(ours, [sample[key] for sample in samples[program]]))


def _head(cells: list[str]) -> list[str]:
    return [_row(cells), _row(["---"] * len(cells))]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(found: Figure, digits: int) -> str:
    low, high = f"{found.low:.{digits}f}", f"{found.high:.{digits}f}"
    return f"{found.median:.{digits}f} ({low} to {high})"
