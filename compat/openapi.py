"""Throws what fits the served OpenAPI descriptions, and what does not, at both ports of the
authorization server, with schemathesis: no answer may be a 5xx or one that the description does
not have. Exit code 1 when one is."""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

# What an answer is held against. Whether nonsense is refused is not asked: Hydra's API takes much.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
SEED = 7
CLIENT = {
    "client_id": "fuzzed",
    "client_secret": "the-secret-of-the-fuzzed",
    "grant_types": ["client_credentials"],
    "scope": "read write",
    "audience": ["https://api.example"],
}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_ready(server, url):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit("error: the server did not become ready")


def register(admin):
    request = urllib.request.Request(f"{admin}/admin/clients", json.dumps(CLIENT).encode())
    with urllib.request.urlopen(request, timeout=10):
        pass


def fuzz(schemathesis, description, seconds, folder):
    """Runs schemathesis against the server of a description; the credentials are those of a client."""
    credentials = f"{CLIENT['client_id']}:{CLIENT['client_secret']}"
    command = [
        schemathesis, "run", description,
        "--checks", ",".join(CHECKS),
        "--phases", "examples,coverage,fuzzing",
        "--auth", credentials,
        "--seed", str(SEED),
        "--max-time", str(seconds),
        "--suppress-health-check", "all",
        "--warnings", "off",
        "--no-color",
    ]
    ended = subprocess.run(command, cwd=folder, timeout=seconds + 60, check=False)
    return ended.returncode == 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--carnet", required=True, type=pathlib.Path)
    arguments.add_argument("--schemathesis", required=True, type=pathlib.Path)
    arguments.add_argument("--seconds", type=int, default=20, help="for each port")
    arguments = arguments.parse_args()
    carnet = arguments.carnet.resolve()
    schemathesis = str(arguments.schemathesis.absolute())
    ports = {"PUBLIC": free_port(), "ADMIN": free_port()}
    public, admin = (f"http://127.0.0.1:{port}" for port in ports.values())
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "DSN": f"sqlite://{folder}/db.sqlite",
            "SECRETS_SYSTEM": "the-system-secret-of-a-test",
            "URLS_SELF_ISSUER": public,
            **{f"SERVE_{name}_PORT": str(port) for name, port in ports.items()},
            **{f"SERVE_{name}_HOST": "127.0.0.1" for name in ports},
            "LOG_LEVEL": "error",
        }
        subprocess.run([carnet, "migrate", "sql", "-e", "--yes"], env=environment, check=True,
                       stdout=subprocess.DEVNULL)
        server = subprocess.Popen([carnet, "serve", "all", "--dev"], env=environment)
        try:
            wait_until_ready(server, admin)
            register(admin)
            descriptions = [f"{public}/openapi.json", f"{admin}/admin/openapi.json"]
            sound = [fuzz(schemathesis, it, arguments.seconds, folder) for it in descriptions]
            if server.poll() is not None:
                sys.exit("error: the server ended")
        finally:
            server.terminate()
            server.wait(timeout=30)
    sys.exit(0 if all(sound) else 1)


if __name__ == "__main__":
    os.umask(0o077)
    main()
