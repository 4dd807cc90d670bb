#!/usr/bin/env python3
"""Model Context Protocol clients that know nothing but an URL find the authorization server of a route.

    python3 compat/mcp/run.py --carnet target/release/carnet
    python3 compat/mcp/run.py --carnet target/debug/carnet --client Node    one of them

Exit code 1: a client got no answer of a tool, or a token that is for somebody else, or another way than
the standards have it; or something reached the server that it must not see.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "bench"), str(HERE.parent / "clients"), str(HERE.parent), str(HERE)]

import judge  # noqa: E402
import people  # noqa: E402
import sdks  # noqa: E402
from processes import Processes  # noqa: E402
from stand import MCP, OPEN, OTHER, WELL_KNOWN, Stand  # noqa: E402


def plans(stand: Stand, folder: Path) -> list[dict[str, Any]]:
    """Who comes by which route."""
    person = {"redirect_uri": people.CALLBACK}
    key, public = _key(folder)
    by_key = stand.machine({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [public]}})
    machine = {"url": f"{stand.base}{MCP}", "issuer": stand.server.issuer}
    by_secret = stand.machine({"client_secret": "of-a-machine"})
    return [
        {"name": "public", "way": "none", "url": f"{stand.base}{MCP}", "steps_up": True, **person},
        {"name": "with a secret", "way": "client_secret_post", "url": f"{stand.base}{OTHER}", **person},
        {"name": "machine by secret", "way": "secret", "id": by_secret, "secret": "of-a-machine", **machine},
        {"name": "machine by key", "way": "key", "id": by_key, "key": key, **machine},
        {"name": "without a token", "way": "open", "url": f"{stand.base}{OPEN}"},
    ]  # fmt: skip


def _key(folder: Path) -> tuple[str, dict[str, str]]:
    """A private key as PEM, and its public half as clients register it."""
    made = subprocess.run(
        [sdks.PYTHON, str(HERE / "python" / "key.py")], check=True, capture_output=True, text=True
    )
    return judge.key(made.stdout)


def play(carnet: str, wanted: str) -> int:
    """Everything; how much of it is not as it must be."""
    missed = 0
    with tempfile.TemporaryDirectory(prefix="carnet-mcp-") as name, Processes(Path(name)) as processes:
        stand = Stand(carnet, Path(name), processes)
        with stand.server:
            stand.start()
            for client, command in sdks.CLIENTS.items():
                if wanted not in client:
                    continue
                asked = plans(stand, Path(name))
                outcomes = sdks.converse(command, asked, people.browse)
                for plan in asked:
                    missed += _judged(stand, client, plan, outcomes[plan["name"]])
            missed += _told("no token reached the server", judge.reached(stand.reached()))
    return missed


def _judged(stand: Stand, client: str, plan: dict[str, Any], outcome: dict[str, Any]) -> int:
    path = plan["url"].removeprefix(stand.base)
    faults = judge.answers(outcome)
    if plan["way"] != "open":
        elsewhere = OTHER if path == MCP else MCP
        faults += judge.token(outcome["token"], plan["url"], stand.server.issuer)
        status, challenge, _ = stand.ask(elsewhere, outcome["token"], "POST")
        where = f'resource_metadata="{stand.base}{WELL_KNOWN}{elsewhere}"'
        if status != 401 or 'error="invalid_token"' not in challenge or where not in challenge:
            faults.append(f"another resource says {status}, {challenge}")
        registers = plan["way"] not in ("secret", "key")
        faults += judge.way(outcome["requests"], (stand.base, path), stand.server.issuer, registers)
    if plan["way"] in ("none", "client_secret_post"):
        faults += judge.opened(outcome["opened"][0], plan["url"], people.CALLBACK)
        faults += judge.later(outcome, plan["url"], stand.server.issuer)
    return _told(f"{client}, {plan['name']}", faults)


def _told(what: str, faults: list[str]) -> int:
    print(f"ok: {what}" if not faults else f"MISSED: {what}: {'; '.join(faults)}", flush=True)
    return bool(faults)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--carnet", required=True, metavar="PATH", help="the binary")
    parser.add_argument("--client", default="", metavar="NAME", help="only clients with this in their name")
    options = parser.parse_args()
    sdks.install()
    return 1 if play(options.carnet, options.client) else 0


if __name__ == "__main__":
    sys.exit(main())
