"""Requests of many clients at an even pace, each with credentials of its own.

    python3 tokens_load.py PORT HOST KEYS RATE SECONDS

Rate 0: every client once, as fast as answers come. Prints how many requests ended with which status,
and where their tokens came from as the gateway says (`X-Token`).
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import sys
import time
from collections import Counter
from typing import Iterator

CONNECTIONS = 64


class Load:
    """Connections that share a plan: which client is due when."""

    def __init__(self, port: int, host: str, plan: Iterator[tuple[float, int]]) -> None:
        self.port, self.host, self.plan = port, host, plan
        self.statuses: Counter[str] = Counter()
        self.origins: Counter[str] = Counter()
        # By how much the load itself was late, at worst.
        self.late = 0.0

    async def run(self) -> None:
        await asyncio.gather(*(self.connection() for _ in range(CONNECTIONS)))

    async def connection(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for due, key in self.plan:
            wait = due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            else:
                self.late = max(self.late, -wait)
            writer.write(self.request(key))
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lines = head.lower().split("\r\n")
            fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
            await reader.readexactly(int(fields["content-length"]))
            self.statuses[lines[0].split(" ")[1]] += 1
            self.origins[fields.get("x-token", "none")] += 1
        writer.close()

    def request(self, key: int) -> bytes:
        pair = base64.b64encode(f"client-{key}:bench-secret".encode()).decode()
        return (
            f"GET /bench HTTP/1.1\r\nHost: {self.host}\r\nAccept-Encoding: gzip\r\n"
            f"Authorization: Basic {pair}\r\nX-Client: client-{key}\r\n\r\n"
        ).encode()


def plan(keys: int, rate: float, seconds: float) -> Iterator[tuple[float, int]]:
    """When who is due: each once, or anybody at an even pace."""
    began, dice = time.monotonic(), random.Random(42)
    if not rate:
        yield from ((0.0, key) for key in range(keys))
        return
    for number in range(int(rate * seconds)):
        yield began + number / rate, dice.randrange(keys)


if __name__ == "__main__":
    _, port, host, keys, rate, seconds = sys.argv
    load = Load(int(port), host, plan(int(keys), float(rate), float(seconds)))
    asyncio.run(load.run())
    late = round(load.late, 3) if float(rate) else 0
    print(json.dumps({"statuses": load.statuses, "origins": load.origins, "late_s": late}))
