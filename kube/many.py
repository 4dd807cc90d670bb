"""Several scenes beside each other: each is a process, with a network and a cluster of its own, so that they
share nothing but the machine. Those that measure are played alone."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# A scene that takes longer hangs.
PATIENCE_S = 1800
ALONE = "scale"


def play(names: list[str], jobs: int, keeps: bool) -> int:
    """The exit code. The long form of everything is kept beside its forerunners, to be committed."""
    beside = [name for name in names if not name.startswith(ALONE)]
    alone = [name for name in names if name.startswith(ALONE)]
    results = {}
    for group, number in [(beside, jobs), (alone, 1)]:
        with ThreadPoolExecutor(number) as many:
            results.update(zip(group, many.map(_play, group)))
    held = all(result["held"] for result in results.values())
    if keeps:
        _keep({**_facts(), "held": held, "scenes": results})
    return 0 if held else 1


def _play(name: str) -> dict[str, object]:
    """One scene, told when it has ended."""
    began = time.monotonic()
    command = [sys.executable, *sys.argv, "--exactly", name]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=PATIENCE_S, check=False,
        )
        code, said = done.returncode, done.stdout.strip()
    except subprocess.TimeoutExpired:
        code, said = 1, f"{name}: FAILED: it does not end"
    print(said or f"{name}: FAILED: {code}", flush=True)
    told = said.splitlines()[-1].partition(": ")[2] if code == 0 else said
    return {"held": code == 0, "seconds": round(time.monotonic() - began), "told": told}


def _facts() -> dict[str, str]:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return {
        "date": datetime.date.today().isoformat(),
        "commit": done.stdout.strip() or "unknown",
        "machine": f"{os.cpu_count()} processors, Linux {platform.release()}",
    }


def _keep(result: dict[str, object]) -> None:
    path = HERE / "results" / f"{result['date']}-{result['commit']}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"kept in {path.relative_to(ROOT)}")
