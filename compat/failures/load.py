"""Keeps a server busy from a process of its own: right and wrong requests over many connections,
until it is told to stop by the end of its input. `load.py ISSUER SECONDS`, the requests a line."""

from __future__ import annotations

import json
import sys
import threading
import time

from connection import Connection

CONNECTIONS = 50
# Of each connection between two requests: about two hundred requests a second in all.
PAUSE = 0.2


def main() -> None:
    issuer, seconds = sys.argv[1], float(sys.argv[2])
    requests = [request.encode() for request in json.loads(sys.stdin.readline())]
    over = threading.Event()
    threads = [
        threading.Thread(target=_one, args=(issuer, requests, at, over), daemon=True)
        for at in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    print("begun", flush=True)
    threading.Timer(seconds, over.set).start()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    over.wait()


def _one(issuer: str, requests: list[bytes], at: int, over: threading.Event) -> None:
    connection = Connection(issuer)
    while not over.is_set():
        connection.ask(requests[at % len(requests)])
        at += 1
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
