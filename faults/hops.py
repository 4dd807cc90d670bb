"""A network of this process's own, in which packets are lost or met by resets."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
from types import TracebackType

CLONE_NEWNET = 0x4000_0000
TABLE = "table ip faults { chain in { type filter hook input priority 0; }; }"


class Network:
    """Loopback alone. Threads and processes that are started inside are in it."""

    def __enter__(self) -> Network:
        self.before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _called(_LIBC.unshare(CLONE_NEWNET))
        _run("ip", "link", "set", "lo", "up")
        _run("nft", TABLE)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        _called(_LIBC.setns(self.before, CLONE_NEWNET))
        os.close(self.before)

    def loses(self, port: int, percent: int) -> None:
        """From now on so many packets from and to a port are lost, and nothing else happens."""
        self.is_well()
        for side in ("dport", "sport"):
            self._rule(side, port, percent, "drop")

    def resets(self, port: int, percent: int) -> None:
        """From now on so many packets to a port do not arrive, and whoever sent them gets a reset."""
        self.is_well()
        self._rule("dport", port, percent, "reject with tcp reset")

    def is_well(self) -> None:
        """From now on every packet arrives."""
        _run("nft", "flush chain ip faults in")

    def hit(self) -> int:
        """How many packets were met since the last change."""
        rules = _run("nft", "list chain ip faults in")
        return sum(int(count) for count in re.findall(r"counter packets (\d+)", rules))

    @staticmethod
    def _rule(side: str, port: int, percent: int, verdict: str) -> None:
        chance = f"numgen random mod 100 < {percent}"
        _run("nft", f"add rule ip faults in tcp {side} {port} {chance} counter {verdict}")


_LIBC = ctypes.CDLL(None, use_errno=True)


def _called(code: int) -> None:
    if code != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"a network of its own: {os.strerror(number)}")


def _run(*command: str) -> str:
    path = {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=path)
    return done.stdout
