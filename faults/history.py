"""What was asked of the server and what it said, and whether one order of events explains it.

Each client is a key of its own: its operations are searched for an order that respects their times
and that a single server, which does one thing after the other, could have produced (Wing and Gong).
An operation without an answer may have happened at any time after it began, or not at all.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Callable, Iterator

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Operation:
    """One call: `result` is UNKNOWN where no answer came."""

    key: str
    name: str
    argument: str
    result: str
    began: float
    ended: float


@dataclass
class History:
    """Operations as they were seen, from any number of threads."""

    operations: list[Operation] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def record(
        self, key: str, name: str, argument: str | Callable[[], str], call: Callable[[], str]
    ) -> str:
        """Calls, and keeps what came of it. An OSError is no answer. An argument that only the
        answer brings is asked for afterwards."""
        began = time.monotonic()
        try:
            result = call()
        except OSError:
            result = UNKNOWN
        ended = float("inf") if result == UNKNOWN else time.monotonic()
        told = argument if isinstance(argument, str) else argument()
        with self.lock:
            self.operations.append(Operation(key, name, told, result, began, ended))
        return result

    def by_key(self) -> dict[str, list[Operation]]:
        """The operations of each key, in the order in which they began."""
        keys: dict[str, list[Operation]] = defaultdict(list)
        for operation in sorted(self.operations, key=lambda each: each.began):
            keys[operation.key].append(operation)
        return keys


@dataclass(frozen=True)
class Client:
    """What a server knows of one client: whether it is there, its secrets, its revoked tokens."""

    is_there: bool = False
    secrets: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()


def after(client: Client, operation: Operation) -> Iterator[Client]:
    """The states that an operation may lead to; none when it cannot have had its result."""
    done = {"create": _create, "rotate": _rotate, "delete": _delete, "revoke": _revoke}
    if operation.name in done:
        yield from done[operation.name](client, operation)
    elif operation.name == "token":
        secret, _, _ = operation.argument.partition(" ")
        granted = client.is_there and secret in client.secrets
        if operation.result in (UNKNOWN, "granted" if granted else "refused"):
            yield client
    elif operation.name == "introspect":
        active = client.is_there and operation.argument not in client.revoked
        if operation.result in (UNKNOWN, "active" if active else "inactive"):
            yield client
    else:
        raise ValueError(operation.name)


def _create(client: Client, operation: Operation) -> Iterator[Client]:
    if not client.is_there and operation.result in ("done", UNKNOWN):
        yield Client(True, frozenset([operation.argument]))
    if client.is_there and operation.result in ("conflict", UNKNOWN):
        yield client


def _rotate(client: Client, operation: Operation) -> Iterator[Client]:
    if client.is_there and operation.result in ("done", UNKNOWN):
        secrets = client.secrets | {operation.argument}
        yield Client(True, secrets, client.revoked)
    if not client.is_there and operation.result in ("missing", UNKNOWN):
        yield client


def _delete(client: Client, operation: Operation) -> Iterator[Client]:
    if client.is_there and operation.result in ("done", UNKNOWN):
        yield Client()
    if not client.is_there and operation.result in ("missing", UNKNOWN):
        yield client


def _revoke(client: Client, operation: Operation) -> Iterator[Client]:
    if client.is_there and operation.result in ("done", UNKNOWN):
        yield Client(True, client.secrets, client.revoked | {operation.argument})
    if not client.is_there and operation.result in ("refused", UNKNOWN):
        yield client


def is_explained(operations: list[Operation]) -> bool:
    """Whether some order explains all that was answered for one key."""
    seen = set()
    known = [at for at, each in enumerate(operations) if each.result != UNKNOWN]
    stack = [(frozenset(), Client())]
    while stack:
        done, client = stack.pop()
        if all(at in done for at in known):
            return True
        if (done, client) in seen:
            continue
        seen.add((done, client))
        left = [at for at in range(len(operations)) if at not in done]
        # Whoever began after another one had ended comes after it.
        first_end = min(operations[at].ended for at in left)
        for at in left:
            if operations[at].began <= first_end:
                reached = after(client, operations[at])
                stack += [(done | {at}, next_state) for next_state in reached]
    return False


def unexplained(history: History) -> list[str]:
    """The keys for which no order explains what was answered."""
    return [key for key, operations in history.by_key().items() if not is_explained(operations)]
