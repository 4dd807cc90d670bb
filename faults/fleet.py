"""Several gateways that share a store of tokens, with one provider and one service."""

from __future__ import annotations

import asyncio
import base64
import collections
import dataclasses
import resource
from contextlib import ExitStack

from redis_servers import PASSWORD
from stage import Stage
from tokens import Provider, Room, Service, Visits, visits

SECRET = "0123456789abcdef0123456789abcdef"


def store(endpoints: list[int], more: str = "", secret: str = SECRET) -> str:
    """The option `store` for Redis servers at these ports."""
    addresses = ", ".join(f"'127.0.0.1:{port}'" for port in endpoints)
    redis = f"redis: {{endpoints: [{addresses}]{', ' if more else ''}{more}}}"
    return f"store: {{keyPrefix: 'gw:', secret: '{secret}', {redis}}}"


class Fleet:
    """Gateways with the same options."""

    def __init__(self, stage: Stage, options: str, size: int = 2) -> None:
        self.stage, self.options, self.size = stage, options, size
        self.rooms: list[Room] = []
        self.stack = ExitStack()

    def __enter__(self) -> Fleet:
        self.provider = self.stack.enter_context(Provider(self.stage.folder))
        self.service = self.stack.enter_context(Service())
        for _ in range(self.size):
            self.add(self.options)
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def add(self, options: str) -> Room:
        """One more gateway."""
        folder = self.stage.folder / f"gateway-{len(self.rooms)}"
        folder.mkdir()
        stage = dataclasses.replace(self.stage, folder=folder)
        room = Room(stage, self.provider.port, self.service.port, options)
        self.rooms.append(self.stack.enter_context(room))
        return room

    def visits(self, clients: list[str], per_s: float) -> Visits:
        """Each client once at each gateway, at an even pace."""
        seen = Visits()
        for room in self.rooms:
            seen.all.extend(visits(room.port, clients, per_s, len(clients) / per_s).all)
        return seen

    def calls(self, clients: list[str]) -> list[int]:
        """How often the provider was asked for each."""
        counts = collections.Counter(who for _, who in self.provider.seen())
        return [counts[client] for client in clients]

    def judged(self) -> dict[str, float]:
        """What no fault may bring about."""
        said = "".join(room.said() for room in self.rooms)
        secrets = ("c2lnbmF0dXJl", ":secret", SECRET, PASSWORD)
        return {
            "served": self.service.answered,
            "wrong_identity": self.service.wrong,
            "expired": self.service.expired,
            "panics": said.count("panicked"),
            "secrets_in_log": sum(said.count(secret) for secret in secrets),
        }

    def lines_about_the_store(self) -> int:
        """Lines of all logs."""
        return sum(room.said().count("store of tokens") for room in self.rooms)


def at_once(ports: list[int], client: str, count: int) -> list[int]:
    """The statuses of so many requests of one client, all under way before the first answer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * count + 512)), hard))
    return asyncio.run(_at_once(ports, client, count))


async def _at_once(ports: list[int], client: str, count: int) -> list[int]:
    pair = base64.b64encode(f"{client}:secret".encode()).decode()
    request = f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {pair}\r\nX-Client: {client}\r\n\r\n".encode()
    # Connections first: what is measured is the crowd, not its way in.
    opened = [await asyncio.open_connection("127.0.0.1", ports[at % len(ports)]) for at in range(count)]

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        try:
            writer.write(request)
            line = await asyncio.wait_for(reader.readline(), 30)
            return int(line.split(b" ")[1])
        except (OSError, IndexError, asyncio.TimeoutError):
            return 0
        finally:
            writer.close()

    return await asyncio.gather(*(ask(*one) for one in opened))
