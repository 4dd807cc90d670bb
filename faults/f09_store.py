"""F09: the store of tokens is killed, stopped, emptied, full, exchanged for another, and lied in; nobody notices."""

from __future__ import annotations

import random
import signal
import time
from typing import Callable

from fleet import Fleet, store
from redis_servers import PASSWORD, Redis
from stage import Stage, wait_until
from tokens import Visits, beside, names, visits

CLIENTS = {"short": 20, "long": 150}
WARM = 40
PER_S = 100


class Trouble:
    """Two gateways under load, while something happens to their store."""

    def __init__(self, stage: Stage, fleet: Fleet, redis: Redis) -> None:
        self.clients, self.fleet, self.redis = CLIENTS[stage.form], fleet, redis
        self.warm = names("warm", WARM)
        self.lost = self.phase = 0
        self.p99_ms: list[float] = []

    def during(self, happens: Callable[[], object]) -> list[str]:
        """New clients at both gateways at the same time, beside others that are known there."""
        self.phase += 1
        clients = names(f"phase{self.phase}", self.clients)
        # Of ten requests, one is a new client's.
        order = [name for at, new in enumerate(clients) for name in [new, *self._warm(at)]]
        seen: list[Visits] = []

        def load(port: int) -> None:
            seen.append(visits(port, order, PER_S, len(order) / PER_S))

        loads = [beside(lambda port=room.port: load(port)) for room in self.fleet.rooms]
        time.sleep(len(order) / PER_S / 4)
        happens()
        for one in loads:
            one.join()
        self.lost += sum(one.lost() for one in seen)
        self.p99_ms.append(max(one.p99_ms() for one in seen))
        return clients

    def calls(self, clients: list[str]) -> int:
        """The most that the provider was asked for one of these."""
        return max(self.fleet.calls(clients))

    def reconnects_s(self) -> float:
        """Until both gateways are back."""
        return wait_until(lambda: self.redis.ask("CLIENT", "LIST").count(b"\n") > len(self.fleet.rooms))

    def _warm(self, at: int) -> list[str]:
        return [self.warm[(9 * at + other) % WARM] for other in range(9)]


def play(stage: Stage) -> dict[str, float]:
    """One trouble after the other."""
    with Redis(stage.folder, f"requirepass {PASSWORD}") as redis:
        with Fleet(stage, store([redis.port], f"password: {PASSWORD}")) as fleet:
            fleet.visits(names("warm", WARM), PER_S)
            trouble = Trouble(stage, fleet, redis)
            figures = {"calls_when_well": trouble.calls(trouble.during(lambda: None))}
            said = fleet.lines_about_the_store()
            figures["calls_when_killed"] = trouble.calls(trouble.during(redis.kill))
            redis.start()
            figures["back_after_kill_s"] = trouble.reconnects_s()
            figures["calls_after_kill"] = trouble.calls(trouble.during(lambda: None))
            figures["calls_when_stopped"] = trouble.calls(trouble.during(lambda: redis.signal(signal.SIGSTOP)))
            redis.signal(signal.SIGCONT)
            figures["back_after_stop_s"] = trouble.reconnects_s()
            figures["calls_after_stop"] = trouble.calls(trouble.during(lambda: None))
            figures["calls_when_emptied"] = trouble.calls(trouble.during(lambda: redis.ask("FLUSHALL")))
            redis.ask("CONFIG", "SET", "maxmemory", "1mb")
            figures["calls_when_full"] = trouble.calls(trouble.during(lambda: None))
            redis.ask("CONFIG", "SET", "maxmemory", "0")
            figures["calls_when_exchanged"] = trouble.calls(trouble.during(lambda: _exchange(redis)))
            figures["lines_in_the_log"] = fleet.lines_about_the_store() - said
            figures["shown_by_the_store"] = _shown(redis)
            figures |= _lied_to(trouble, stage.seed)
            first, *others = trouble.p99_ms
            return {
                "lost": trouble.lost,
                "added_p99_ms": max(others) - first,
                **figures,
                **fleet.judged(),
            }


def _exchange(redis: Redis) -> None:
    """Another, empty one at the same address."""
    redis.kill()
    redis.start()


def _lied_to(trouble: Trouble, seed: int) -> dict[str, float]:
    """Values that were moved, changed or made up are not used by a gateway that knows nothing else."""
    redis, fleet, dice = trouble.redis, trouble.fleet, random.Random(seed)
    clients = names("lied", trouble.clients)
    fleet.visits(clients, PER_S)
    keys = [key for key in redis.ask("KEYS", "gw:carnet:token:*")]
    values = {key: redis.ask("GET", key) for key in keys}
    for at, key in enumerate(keys):
        value = bytearray(values[key])
        if at % 3 == 0:
            value = values[keys[at - 1]]
        elif at % 3 == 1:
            value[dice.randrange(len(value))] ^= 1 << dice.randrange(8)
        else:
            value = b'{"access_token": "e30.e30.c2lnbmF0dXJl", "asked_at": 0, "life": 300000, "usable": 300000}'
        redis.ask("SET", key, bytes(value), "KEEPTTL")
    before = sum(fleet.calls(clients))
    fresh = fleet.add(fleet.options)
    seen = visits(fresh.port, clients, PER_S, len(clients) / PER_S)
    trouble.lost += seen.lost()
    return {"lies": len(keys), "lies_believed": len(clients) - (sum(fleet.calls(clients)) - before)}


def _shown(redis: Redis) -> int:
    """Clients, secrets and tokens in what the store writes to its disk, and in its keys."""
    redis.ask("SAVE")
    dump = (redis.folder / "dump.rdb").read_bytes() + b"".join(redis.ask("KEYS", "*"))
    words = (b"warm-", b"phase", b"secret", b"c2lnbmF0dXJl", b"access_token")
    return sum(dump.count(word) for word in words)
