"""Where the tests play: a network and a mount namespace of their own, in which any port is free, the
names of the cluster are known, and pods have addresses that are not loopback."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

INSIDE = "CARNET_KUBE_STAGE"
# Pods live here: an API object may not name a loopback address.
POD_NETWORK = "10.111.0"


def enter() -> None:
    """Starts this program again inside, unless it is there already."""
    if os.environ.get(INSIDE):
        _run("ip", "link", "set", "lo", "up")
        _run("mount", "--make-rprivate", "/")
        # As container runtimes have it.
        Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0", encoding="ascii")
        # What has no parent any more is still ours to end.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
        return
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, *sys.argv])


def pod_address(last: int) -> str:
    """An address for a pod."""
    return address(f"{POD_NETWORK}.{last}")


def address(text: str) -> str:
    """An address of this machine from now on."""
    _run("ip", "address", "replace", f"{text}/32", "dev", "lo")
    return text


def name(hosts: Path, names: dict[str, str]) -> None:
    """For the rest of this run these names mean these addresses, as cluster DNS would have it."""
    lines = ["127.0.0.1 localhost", *(f"{address} {host}" for host, address in names.items())]
    hosts.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _run("mount", "--bind", str(hosts), "/etc/hosts")


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
