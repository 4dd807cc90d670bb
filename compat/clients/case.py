"""One client with one library: what it presents, what must come of it, and what came."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

OK, NOT_ASKED = "ok", ""


@dataclass
class Case:
    """A row of the table."""

    library: str
    method: str
    name: str
    # The client as the program is told it: `id`, `method`, and `secret` or `key`.
    client: dict[str, Any]
    # The error code with which it must be refused; otherwise it must get a token.
    refusal: str | None = None
    token: str | None = None
    # What each part made of it: `ok`, or what is wrong.
    parts: dict[str, str] = field(default_factory=dict)

    def take(self, outcome: dict[str, str]) -> None:
        """Takes what the library got."""
        self.token = outcome.get("token")
        is_right = outcome.get("error") == self.refusal and bool(self.token) != bool(self.refusal)
        self.parts["answer"] = OK if is_right else f"MISSED: {outcome}"

    def judge(self, part: str, is_right: bool, otherwise: object) -> None:
        """Takes what another part found; the first fault stays."""
        if self.parts.get(part, OK) == OK:
            self.parts[part] = OK if is_right else f"MISSED: {otherwise}"

    def is_passed(self) -> bool:
        return all(text == OK for text in self.parts.values())


def table(cases: list[Case], parts: list[str]) -> str:
    """The cases with a column for each part."""
    rows = [["library", "method", "case", *parts]]
    for case in cases:
        found = [case.parts.get(part, NOT_ASKED) for part in parts]
        rows.append([case.library, case.method, case.name, *found])
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
