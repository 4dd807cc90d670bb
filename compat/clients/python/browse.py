"""A plan comes on standard input. An address on standard output is opened by a browser, and the
next line of input is where it ended; other lines are outcomes."""

import json
import sys
from collections.abc import Callable


def play(log_in: Callable[[dict, dict, dict], None]) -> None:
    """Logs in for each client of the plan, and writes what came of it."""
    plan = json.loads(sys.stdin.readline())
    for client in plan["clients"]:
        outcome = {"name": client["name"]}
        try:
            log_in(plan, client, outcome)
        except Exception as error:  # noqa: BLE001: whatever it is, it is the outcome
            outcome["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(outcome), flush=True)


def browse(address: str) -> str:
    """Where a browser ends that is sent to an address."""
    print(json.dumps({"open": address}), flush=True)
    return json.loads(sys.stdin.readline())
