"""The machine: which core does what, and what a result must say of it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def _pin(core: int) -> list[str]:
    return ["taskset", "--cpu-list", str(core)] if shutil.which("taskset") else []


# What is measured has a core to itself; whatever loads it has the other.
SERVER = _pin(0)
LOAD = _pin(1)


def say(text: str) -> None:
    """Progress, for people."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def commit() -> str:
    """The commit that is measured; `-dirty` when files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def description() -> str:
    """What it runs on."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}"


def load_average() -> str:
    """How busy it is with other things."""
    return f"{os.getloadavg()[0]:.1f} (above 1 the machine had other work)"


def versions(programs: dict[str, str]) -> str:
    """The programs, as they tell it themselves."""
    flags = {
        "nginx": "-v",
        "haproxy": "-v",
        "envoy": "--version",
        "traefik": "version",
        "carnet": "version",
    }
    told = []
    for name in (name for name in flags if name in programs):
        command = [programs[name], flags[name]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = (done.stdout + done.stderr).strip().splitlines()
        first = next(filter(None, map(str.strip, said))) if said else "unknown"
        # Some say where they are, which is nobody's business.
        told.append(f"{name}: {first.replace(programs[name], name)}")
    return "; ".join(told)
