"""WebSocket messages, back and forth over some connections, for some seconds: run as a program of its
own, on the core of the load.

    python3 bench/chat.py PORT CONNECTIONS SECONDS
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import load

HANDSHAKE = (
    f"GET /echo HTTP/1.1\r\nHost: {load.HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()
SAID = b"0123456789abcdef" * 7
# A text, masked with zeros; and the same as it comes back.
MESSAGE = bytes([0x81, 0x80 | len(SAID)]) + b"\0\0\0\0" + SAID
ANSWER = bytes([0x81, len(SAID)]) + SAID


async def talk(port: int, until: float) -> tuple[int, int]:
    """How many messages came back, and how many did not as they were."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HANDSHAKE)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101"):
        return 0, 1
    done = 0
    while time.monotonic() < until:
        writer.write(MESSAGE)
        if await reader.readexactly(len(ANSWER)) != ANSWER:
            return done, 1
        done += 1
    writer.close()
    return done, 0


async def main(port: int, connections: int, seconds: float) -> None:
    """Prints the sum."""
    until = time.monotonic() + seconds
    jobs = [talk(port, until) for _ in range(connections)]
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)
    good = [outcome for outcome in outcomes if isinstance(outcome, tuple)]
    failed = len(outcomes) - len(good) + sum(lost for _, lost in good)
    print(json.dumps({"messages": sum(done for done, _ in good), "failed": failed}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
