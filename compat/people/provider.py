"""Another server than ours: node-oidc-provider, as `compat/providers` installs it."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from processes import Processes

HERE = Path(__file__).resolve().parent
LOCKED = HERE.parent / "providers" / "oidc-provider"
HOME = HERE.parents[1] / "target" / "people" / "oidc-provider"
PORT = 9012
ISSUER = f"http://127.0.0.1:{PORT}"
# How long its access tokens live.
SECONDS = 2


def install() -> None:
    """Needs the registry, once."""
    HOME.mkdir(parents=True, exist_ok=True)
    wanted, there = LOCKED / "package-lock.json", HOME / "installed.json"
    if not there.exists() or there.read_bytes() != wanted.read_bytes():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(LOCKED / name, HOME / name)
        flags = ["--ignore-scripts", "--no-audit", "--no-fund"]
        command = ["npm", "ci", "--prefix", str(HOME), *flags]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if ended.returncode:
            raise SystemExit(f"node-oidc-provider cannot be installed:\n{ended.stderr}")
        shutil.copy(wanted, there)
    # Node looks for libraries beside the program.
    shutil.copy(HERE / "provider.js", HOME / "provider.js")


def start(processes: Processes, client: dict[str, Any]) -> None:
    """The server with one client."""
    plan = json.dumps({"port": PORT, "client": client, "seconds": SECONDS})
    processes.start("provider", ["node", str(HOME / "provider.js"), plan], _answers)


def _answers() -> bool:
    urllib.request.urlopen(f"{ISSUER}/.well-known/openid-configuration", timeout=2).close()
    return True
