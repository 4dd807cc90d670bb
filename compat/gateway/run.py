#!/usr/bin/env python3
"""Clients that others wrote, through the gateway, plain and encrypted.

    python3 compat/gateway/run.py --carnet target/release/carnet          all of them
    python3 compat/gateway/run.py --carnet target/debug/carnet grpc curl

Exit code 1 when one of them does not get what it should.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent.parent / "bench"))

from processes import Processes  # noqa: E402
from stand import Stand  # noqa: E402

# Name, and what it counts.
CLIENTS = {
    "curl": "calls",
    "openssl": "handshakes",
    "nginx": "requests",
    "readers": "answers",
    "websockets": "messages",
    "grpc": "calls",
    "h2load": "requests",
    "h2spec": "cases",
}


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="carnet-clients-") as name:
        folder = Path(name)
        with Processes(folder) as processes:
            stand = Stand(options.carnet, folder, processes)
            stand.start()
            for client in options.clients or CLIENTS:
                began = time.monotonic()
                count = importlib.import_module(f"with_{client}").play(stand)
                seconds = time.monotonic() - began
                print(f"{client}: {count} {CLIENTS[client]}, {seconds:.1f} s", flush=True)
        if "panicked" in stand.said():
            raise SystemExit(f"the gateway panicked:\n{stand.said()}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=f"of {', '.join(CLIENTS)}")
    parser.add_argument("--carnet", required=True, metavar="PATH", help="the binary")
    options = parser.parse_args()
    for client in options.clients:
        if client not in CLIENTS:
            parser.error(f"there is no client {client}; there are {', '.join(CLIENTS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
