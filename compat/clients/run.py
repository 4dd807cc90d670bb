#!/usr/bin/env python3
"""Gets tokens from carnet with libraries that others wrote, has others verify them; logs people in.

    python3 compat/clients/run.py                 builds carnet, installs the libraries, runs all
    python3 compat/clients/run.py --carnet PATH   uses that binary
    python3 compat/clients/run.py --library NAME  only libraries whose name contains this

Exit code 1: a library got no token, or a wrong answer to a wrong secret, or a verifier refused a
token or took a forged one.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import bound  # noqa: E402
import guarded  # noqa: E402
import matrix  # noqa: E402
import people  # noqa: E402
import programs  # noqa: E402
from case import table  # noqa: E402

ROOT = HERE.parents[1]


def main() -> int:
    options = _options()
    known = (programs.LIBRARIES, programs.RELYING_PARTIES)
    libraries, parties = ([one for one in of if options.library in one.name] for of in known)
    if not libraries and not parties:
        names = ", ".join(one.name for of in known for one in of)
        sys.exit(f"error: no library has {options.library!r} in its name; there are {names}")
    began = time.monotonic()
    programs.install()
    print(f"installed in {time.monotonic() - began:.0f} s")
    carnet = options.carnet or _build()
    parts = ["answer", *(part.name for part in programs.VERIFIERS), "introspection"]
    of_machines = matrix.play(carnet, libraries) if libraries else []
    print(table(of_machines, parts))
    of_people = people.play(carnet, parties) if parties else []
    print(table(of_people, list(people.PARTS)))
    of_owners = bound.play(carnet) if not options.library else []
    print(table(of_owners, list(bound.PARTS)))
    at_gateways = guarded.play(carnet) if not options.library else []
    print(table(at_gateways, list(guarded.PARTS)))
    cases = of_machines + of_people + of_owners + at_gateways
    missed = sum(not case.is_passed() for case in cases)
    print(f"{len(cases) - missed} passed, {missed} failed")
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--carnet", metavar="PATH", help="the binary (default: a debug build)")
    parser.add_argument("--library", metavar="NAME", default="", help="only these libraries")
    return parser.parse_args()


def _build() -> str:
    command = ["cargo", "build", "--locked", "--package", "carnet"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    return str(ROOT / "target" / "debug" / "carnet")


if __name__ == "__main__":
    sys.exit(main())
