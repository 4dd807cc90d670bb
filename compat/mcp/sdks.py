"""The clients, each around an SDK that others wrote, and the server: how they are installed and spoken with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from programs import call

HERE = Path(__file__).resolve().parent
TARGET = HERE.parents[1] / "target" / "mcp"
VENV, NODE = TARGET / "venv", TARGET / "node"
PYTHON = str(VENV / "bin" / "python")
SERVER = HERE / "python" / "server.py"
# Who is asked, and by which name.
CLIENTS = {
    "Python mcp": (PYTHON, str(HERE / "python" / "client.py")),
    "Node @modelcontextprotocol/sdk": ("node", str(NODE / "client.js")),
}
# Seconds for all plans of a program, and for an installation from cold.
PATIENCE = 120


def install() -> None:
    """Installs both, with the versions that are written down here."""
    TARGET.mkdir(parents=True, exist_ok=True)
    if not Path(PYTHON).exists():
        call(sys.executable, "-m", "venv", str(VENV))
    requirements = str(HERE / "python" / "requirements.txt")
    call(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--requirement", requirements)  # fmt: skip
    # Modules are looked up beside the program.
    shutil.copytree(HERE / "node", NODE, dirs_exist_ok=True)
    call("npm", "ci", "--prefix", str(NODE), "--ignore-scripts", "--no-audit", "--no-fund")


def converse(
    command: tuple[str, ...], plans: list[dict[str, Any]], browse: Callable[[str], str]
) -> dict[str, dict[str, Any]]:
    """Gives a program its plans, opens what it has opened, and takes its outcomes by their names."""
    outcomes: dict[str, dict[str, Any]] = {}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as program:
        assert program.stdin and program.stdout
        watch = threading.Timer(PATIENCE, program.kill)
        watch.start()
        for plan in plans:
            _say(program, plan)
            for line in program.stdout:
                told = json.loads(line)
                if "open" not in told:
                    outcomes[told.pop("name")] = told
                    break
                _say(program, browse(told["open"]))
            else:
                break
        watch.cancel()
    if program.returncode != 0:
        sys.exit(f"error: {' '.join(command)} ended with {program.returncode}")
    return outcomes


def _say(program: subprocess.Popen[str], what: object) -> None:
    assert program.stdin
    try:
        program.stdin.write(json.dumps(what) + "\n")
        program.stdin.flush()
    except BrokenPipeError:
        sys.exit("error: a client ended; it has said why")
