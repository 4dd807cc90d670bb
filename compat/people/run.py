#!/usr/bin/env python3
"""Logs people in and out with a real browser and with curl: carnet's server, consent application
and gateway from manifests under `carnet up`, on port 80.

    python3 compat/people/run.py --carnet target/debug/carnet
    python3 compat/people/run.py --carnet PATH --manifests FILE --oidc DIR    instead of our own

Pictures of what people see go below target/people. Exit code 1 when something is not as it must be.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OIDC = [HERE / "manifests" / "oidc", HERE / "manifests" / "oidc-secrets"]
sys.path.append(str(ROOT / "bench"))

import provider  # noqa: E402
import stand as place  # noqa: E402
import with_chromium  # noqa: E402
import with_curl  # noqa: E402
import with_oidc  # noqa: E402
from processes import Processes  # noqa: E402


def main() -> int:
    options = _options()
    provider.install()
    place.enter()
    pictures = ROOT / "target" / "people"
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="carnet-people-") as name:
        folder = Path(name)
        with Processes(folder) as processes:
            stand = place.Stand(options.carnet, folder, processes)
            stand.start(options.manifests)
            for client, play in (
                ("curl", lambda: with_curl.play(stand)),
                ("chromium", lambda: with_chromium.play(stand, pictures)),
                ("oidc", lambda: _oidc(stand, pictures, options.oidc)),
            ):
                began = time.monotonic()
                count = play()
                print(f"{client}: {count} scenes, {time.monotonic() - began:.1f} s", flush=True)
        if "panicked" in stand.said():
            raise SystemExit(f"something panicked:\n{stand.said()}")
    print(f"pictures: {', '.join(sorted(file.name for file in pictures.glob('*.png')))}")
    return 0


def _oidc(stand: place.Stand, pictures: Path, given: list[Path] | None) -> int:
    """All scenes with our manifests, those of the manifests alone with others."""
    return with_oidc.play(stand, pictures, given or OIDC, more=not given)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--carnet", required=True, metavar="PATH", help="the binary")
    parser.add_argument(
        "--manifests",
        type=Path,
        default=HERE / "manifests" / "hydra.yaml",
        metavar="FILE",
        help="server and consent application, with routes (default: ours)",
    )
    parser.add_argument(
        "--oidc",
        type=Path,
        action="append",
        metavar="DIR",
        help="where routes with oidc are, whoami-app-oidc*.yaml; may be repeated (default: ours)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
