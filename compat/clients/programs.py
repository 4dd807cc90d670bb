"""The programs, each around a library that others wrote: how they are installed and run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TARGET = HERE.parents[1] / "target" / "clients"
VENV, NODE, JAVA = TARGET / "venv", TARGET / "node", TARGET / "java"
PYTHON = str(VENV / "bin" / "python")

SECRETS = ("client_secret_basic", "client_secret_post")
ASSERTION = "private_key_jwt"
ALL = (*SECRETS, ASSERTION)
# Of applications that people use; `none` is a public client.
OF_PEOPLE = (*SECRETS, "none")
# What the server is told of the application that says yes.
PAGES = ("login", "consent", "logout")
# Seconds for one program, and for an installation from cold.
PATIENCE, PATIENCE_TO_INSTALL = 120, 600
# Libraries that insist on TLS are told that this is a trial.
TRIAL = {"OAUTHLIB_INSECURE_TRANSPORT": "1", "AUTHLIB_INSECURE_TRANSPORT": "1"}


@dataclass(frozen=True)
class Library:
    """A library that gets tokens, the methods that it has and algorithms that it does not have."""

    name: str
    command: tuple[str, ...]
    methods: tuple[str, ...]
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verifier:
    """A library that verifies tokens, and algorithms that it does not have."""

    name: str
    command: tuple[str, ...]
    lacks: tuple[str, ...] = ()


def _java(program: str) -> tuple[str, ...]:
    quick = ("-XX:TieredStopAtLevel=1", "-Xshare:auto")
    return ("java", *quick, "-cp", f"{JAVA}/*", str(HERE / "java" / program))


LIBRARIES = (
    Library("Go x/oauth2", (str(TARGET / "go" / "client"),), SECRETS),
    Library("Python Authlib", (PYTHON, str(HERE / "python" / "authlib_client.py")), ALL),
    Library(
        "Python requests-oauthlib",
        (PYTHON, str(HERE / "python" / "requests_oauthlib_client.py")),
        SECRETS,
    ),
    Library("Node openid-client", ("node", str(NODE / "client.js")), ALL),
    Library("Java Nimbus", _java("Client.java"), ALL, lacks=("EdDSA",)),
    Library("Rust oauth2", (str(TARGET / "rust" / "debug" / "carnet-clients"),), SECRETS),
)
# They log people in.
RELYING_PARTIES = (
    Library("Go oauth2 and go-oidc", (str(TARGET / "go" / "relying_party"),), OF_PEOPLE),
    Library(
        "Python Authlib", (PYTHON, str(HERE / "python" / "authlib_relying_party.py")), OF_PEOPLE
    ),
    Library("Node openid-client", ("node", str(NODE / "relying_party.js")), OF_PEOPLE),
    Library("Java Nimbus", _java("RelyingParty.java"), OF_PEOPLE),
)
VERIFIERS = (
    Verifier("PyJWT", (PYTHON, str(HERE / "python" / "resource_server.py"))),
    Verifier("jose", ("node", str(NODE / "resource_server.js"))),
    Verifier("Nimbus", _java("ResourceServer.java"), lacks=("EdDSA",)),
)


def install() -> None:
    """Installs all of them, with the versions that are written down here; fails with the first."""
    TARGET.mkdir(parents=True, exist_ok=True)
    parts = (_install_go, _install_python, _install_node, _install_java, _install_rust)
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(part) for part in parts]:
            done.result()


def run(command: tuple[str, ...], plan: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Gives a program its plan, and its outcomes by the names in the plan."""
    ended = subprocess.run(
        command,
        input=json.dumps(plan),
        env={**os.environ, **TRIAL},
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    if ended.returncode != 0:
        sys.exit(f"error: {' '.join(command)} ended with {ended.returncode}\n{ended.stderr}")
    return {outcome.pop("name"): outcome for outcome in map(json.loads, ended.stdout.splitlines())}


def converse(
    command: tuple[str, ...], plan: dict[str, Any], browse: Callable[[str], str]
) -> dict[str, dict[str, str]]:
    """The same for a program that has a browser open addresses, and is told where each ended."""
    outcomes = {}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **TRIAL},
        encoding="utf-8",
    ) as program:
        watch = threading.Timer(PATIENCE, program.kill)
        watch.start()
        _say(program, plan)
        for line in program.stdout or ():
            told = json.loads(line)
            if "open" in told:
                _say(program, browse(told["open"]))
            else:
                outcomes[told.pop("name")] = told
        watch.cancel()
    if program.returncode != 0:
        sys.exit(f"error: {' '.join(command)} ended with {program.returncode}")
    return outcomes


def _say(program: subprocess.Popen[str], what: object) -> None:
    if program.stdin:
        program.stdin.write(json.dumps(what) + "\n")
        program.stdin.flush()


def _install_go() -> None:
    for program, folder in (("client", "."), ("relying_party", "./relying_party")):
        output = str(TARGET / "go" / program)
        call("go", "build", "-C", str(HERE / "go"), "-o", output, folder)


def _install_python() -> None:
    if not Path(PYTHON).exists():
        call(sys.executable, "-m", "venv", str(VENV))
    requirements = str(HERE / "python" / "requirements.txt")
    call(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--requirement", requirements)  # fmt: skip


def _install_node() -> None:
    # Modules are looked up beside the program.
    shutil.copytree(HERE / "node", NODE, dirs_exist_ok=True)
    call("npm", "ci", "--prefix", str(NODE), "--ignore-scripts", "--no-audit", "--no-fund")


def _install_java() -> None:
    goal = "dependency:copy-dependencies"
    call("mvn", "-q", "-B", "-f", str(HERE / "java"), goal, f"-DoutputDirectory={JAVA}")


def _install_rust() -> None:
    manifest = str(HERE / "rust" / "Cargo.toml")
    call("cargo", "build", "--locked", "--quiet", "--manifest-path", manifest,
         "--target-dir", str(TARGET / "rust"))  # fmt: skip


def call(*command: str) -> None:
    """Runs a command that installs something, and ends with what it said when it fails."""
    ended = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=PATIENCE_TO_INSTALL,
    )  # fmt: skip
    if ended.returncode != 0:
        sys.exit(f"error: {' '.join(command)} ended with {ended.returncode}\n{ended.stdout}")
