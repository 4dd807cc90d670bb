#!/usr/bin/env python3
"""Plays faults of the gateway and the authorization server and holds what happens against the figures asked.

    python3 faults/run.py                    the long form of all faults; a result to commit
    python3 faults/run.py F18 F19 --short    under a minute: does it behave, without a figure to quote

Exit code 1 when something asked is not seen. The figures asked are in `thresholds.json`.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.append(str(ROOT / "bench"))

from stage import Stage  # noqa: E402

FAULTS = {
    # Holds F01.
    "F01": "f01_gone_warm",
    # Holds F02.
    "F02": "f02_gone_cold",
    # Holds F03.
    "F03": "f03_slow",
    # Holds F04, SS-03.
    "F04": "f04_garbage",
    # Holds F05.
    "F05": "f05_patience",
    # Holds F06.
    "F06": "f06_one_refused",
    # Holds F07, JW-20.
    "F07": "f07_keys",
    # Holds F08.
    "F08": "f08_no_keys",
    # Holds F09, CA-03, CA-04.
    "F09": "f09_store",
    # Holds F12, DO-03.
    "F12": "f12_descriptors",
    # Holds F13.
    "F13": "f13_little_memory",
    # Holds F14.
    "F14": "f14_cut",
    # Holds F15.
    "F15": "f15_dead_server",
    # Holds F16, DO-08.
    "F16": "f16_bad_configuration",
    # Holds F17.
    "F17": "f17_upgrade",
    # Holds F18.
    "F18": "f18_kill",
    # Holds F19.
    "F19": "f19_full_disk",
    # Holds F20.
    "F20": "f20_postgres",
    # Holds F21.
    "F21": "f21_clock",
    # Holds F22.
    "F22": "f22_idle",
    # Holds F23, DO-01.
    "F23": "f23_slow_clients",
    # Holds F24.
    "F24": "f24_many_clients",
    # Holds F25.
    "F25": "f25_guesses",
    # Holds F26.
    "F26": "f26_packets",
    # Holds F27.
    "F27": "f27_together",
    # Holds F28.
    "F28": "f28_two_gateways",
    # Holds F29.
    "F29": "f29_panic",
    # Holds RV-04.
    "revocations": "revocations",
    "rotation": "rotation",
    # Holds CA-16.
    "store": "shared_store",
    "sentinel": "store_sentinel",
    "cluster": "store_cluster",
    "log": "full_log",
    # Holds F08.
    "introspection": "introspection",
    "login": "login",
}

# They begin first, so that nobody waits for one of them in the end.
LONGEST = ["sentinel", "F27", "F20", "F25", "rotation", "cluster", "F09", "F07", "F03", "F05", "revocations"]
# They count what a gateway does that waits for its store for some milliseconds: one at a time.
HASTY = {"sentinel", "cluster", "F09", "store", "F28"}
# It may have to be built.
LAST = {"F29"}

Figures = dict[str, float]


def main() -> int:
    options = _options()
    _in_a_room_of_its_own()
    asked = json.loads((HERE / "thresholds.json").read_text(encoding="utf-8"))
    form = "short" if options.short else "long"
    if form == "long":
        _come_first()
    carnet = options.carnet or _build()
    wanted = options.faults or list(FAULTS)
    results = {}
    if options.beside > 1 and len(wanted) > 1:
        results = _beside_each_other(wanted, carnet, options)
    else:
        for name in wanted:
            began = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="carnet-faults-") as folder:
                stage = Stage(str(Path(carnet).resolve()), Path(folder), form, options.seed)
                figures = importlib.import_module(FAULTS[name]).play(stage)
            results[name] = judged(figures, asked[name], form)
            print(page(name, results[name], time.monotonic() - began), flush=True)
    held = all(result["held"] for result in results.values())
    _write(options, {**_facts(form), "held": held, "faults": results})
    return 0 if held else 1


def _beside_each_other(wanted: list[str], carnet: str, options: argparse.Namespace) -> dict[str, dict]:
    """Each in a process of its own, some at a time: most of them wait for most of their time."""
    order = sorted(wanted, key=lambda name: LONGEST.index(name) if name in LONGEST else len(LONGEST))
    with tempfile.TemporaryDirectory(prefix="carnet-faults-") as folder:

        def play(name: str) -> dict:
            kept = Path(folder) / f"{name}.json"
            command = [sys.executable, __file__, name, "--short", "--carnet", carnet]
            command += ["--seed", str(options.seed), "--json", str(kept)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            print(done.stdout + done.stderr, end="", flush=True)
            if not kept.exists():
                return {"held": False, "failed": ["did not end"], "figures": {}, "asked": {}}
            return json.loads(kept.read_text(encoding="utf-8"))["faults"][name]

        hasty = [name for name in order if name in HASTY]
        others = [name for name in order if name not in HASTY | LAST]
        with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(options.beside - 1) as more:
            played = [(hasty, one.map(play, hasty)), (others, more.map(play, others))]
            results = {name: result for names, all_ in played for name, result in zip(names, all_)}
        results |= {name: play(name) for name in order if name in LAST}
    failed = [name for name in wanted if not results[name]["held"]]
    print(f"faults: {len(wanted) - len(failed)} of {len(wanted)} held", *failed, flush=True)
    return {name: results[name] for name in wanted}


def judged(figures: Figures, asked: dict[str, dict], form: str) -> dict:
    """The figures beside what is asked of them. The short form asks for behaviour alone."""
    counted = {
        name: bounds for name, bounds in asked.items() if form == "long" or bounds.get("short")
    }
    failed = []
    for name, bounds in counted.items():
        figure = figures[name]
        low, high = bounds.get("at_least", figure), bounds.get("at_most", figure)
        if not low <= figure <= high:
            failed.append(name)
    figures = {name: round(figure, 4) for name, figure in figures.items()}
    return {"held": not failed, "failed": failed, "figures": figures, "asked": counted}


def page(name: str, result: dict, seconds: float) -> str:
    """What was seen, for people."""
    lines = [f"{name}: {'held' if result['held'] else 'NOT HELD'} ({seconds:.0f} s)"]
    for figure, value in result["figures"].items():
        bounds = result["asked"].get(figure, {})
        words = [
            f"{word.replace('_', ' ')} {bounds[word]}"
            for word in ("at_least", "at_most")
            if word in bounds
        ]
        wrong = " <--" if figure in result["failed"] else ""
        lines.append(f"  {figure:32} {value:>12} {', '.join(words)}{wrong}")
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"of {', '.join(FAULTS)}; all")
    parser.add_argument("--short", action="store_true", help="little of everything, no figures")
    parser.add_argument("--seed", type=int, default=42, help="of everything random (42)")
    parser.add_argument("--carnet", metavar="PATH", help="the binary (default: a release build)")
    parser.add_argument(
        "--beside", type=int, metavar="N", help="so many at a time in the short form (3)"
    )
    parser.add_argument("--json", metavar="FILE", help="where the result goes")
    options = parser.parse_args()
    if options.beside and not options.short:
        parser.error("figures are those of one fault at a time; leave out --beside or add --short")
    options.beside = options.beside or (3 if options.short else 1)
    for name in options.faults:
        if name not in FAULTS:
            parser.error(f"there is no fault {name}; there are {', '.join(FAULTS)}")
    return options


def _in_a_room_of_its_own() -> None:
    """Starts this program again where what it mounts is seen by nobody and ends with it."""
    if os.environ.get("CARNET_FAULTS_ROOM"):
        return
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", *user, "--mount", "--propagation", "private", sys.executable]
    environment = {**os.environ, "CARNET_FAULTS_ROOM": "1"}
    os.execvpe("unshare", [*command, *sys.argv], environment)


def _come_first() -> None:
    """What else the machine does should not be measured; without the right to it, it is."""
    try:
        os.nice(-10)
    except PermissionError:
        print("faults: other programs of this machine are measured too", file=sys.stderr)


def _build() -> str:
    command = ["cargo", "build", "--locked", "--quiet", "--release", "-p", "carnet"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    return f"{target}/release/carnet"


def _facts(form: str) -> dict[str, str]:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return {
        "date": datetime.date.today().isoformat(),
        "commit": done.stdout.strip() or "unknown",
        "form": form,
        "machine": f"{os.cpu_count()} processors, Linux {platform.release()}",
    }


def _write(options: argparse.Namespace, result: dict) -> None:
    """The long form of everything is kept beside its forerunners, to be committed."""
    text = json.dumps(result, indent=1) + "\n"
    if options.json:
        Path(options.json).write_text(text, encoding="utf-8")
    elif result["form"] == "long" and not options.faults:
        kept = HERE / "results" / f"{result['date']}-{result['commit']}.json"
        kept.write_text(text, encoding="utf-8")
        print(f"faults: kept in {kept.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
