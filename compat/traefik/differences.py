"""The deliberate differences of `differences.json`: where they show, and why they are there.

Since requests are made up, a `scenario` is what is special in one: a tag that it got when it was
made, or one that its answers earn here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from compare import Finding, Parts
from scenes import Play

FILE = Path(__file__).parent / "differences.json"
# Where Go's grammar ends a statement.
BREAK = re.compile(r"\n\s*(&&|\|\||\))")


@dataclass(frozen=True)
class Difference:
    """What is different, and why."""

    id: str
    what: str
    other: str
    ours: str
    why: str
    shows: list[dict[str, object]]
    # Traefik shows it in some runs only.
    by_chance: bool = False

    def explains(self, tags: set[str], status: object, finding: Finding) -> bool:
        """Whether a finding is this difference, where carnet answered with this status."""
        return any(
            place["scenario"] in tags
            and place.get("status", status) == status
            and any(fnmatchcase(finding.at, glob) for glob in place["at"])
            for place in self.shows
        )

    def row(self) -> str:
        """Its line in the reference."""
        cells = [self.what, self.other, self.ours, self.why]
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def read() -> list[Difference]:
    """All of them."""
    return [Difference(**entry) for entry in json.loads(FILE.read_text(encoding="utf-8"))]


def earned(play: Play, traefik: Parts, carnet: Parts) -> set[str]:
    """What two answers say about their request."""
    tags = set()
    routers = [_router(answer) for answer in (traefik, carnet)]
    if routers[1] in play.broken:
        tags.add("broken")
    if routers[1] in play.routers and BREAK.search(str(play.routers[routers[1]]["rule"])):
        tags.add("line-break")
    if all(name in play.routers for name in routers) and routers[0] != routers[1]:
        if len({_priority(play, name) for name in routers}) == 1:
            tags.add("tie")
    if traefik["status"] == carnet["status"] == 400:
        tags.add("malformed")
    if traefik["status"] == carnet["status"] == 421:
        tags.add("misdirected")
    if traefik["status"] == carnet["status"] == 502:
        tags.add("unanswered")
    return tags


def _router(answer: Parts) -> str:
    return str(answer.get("log RouterName")).removesuffix("@file")


def _priority(play: Play, name: str) -> object:
    router = play.routers[name]
    return router.get("priority") or len(str(router["rule"]).encode())
