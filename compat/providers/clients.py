"""The clients that every provider knows, and what they ask for."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

AUDIENCE = "https://api.example"
# How long a token lives.
SECONDS = 120

BASIC, POST = "client_secret_basic", "client_secret_post"
KEY, SECRET_KEY = "private_key_jwt", "client_secret_jwt"
SECRETS = (BASIC, POST)


@dataclass(frozen=True)
class Client:
    """A client: how it is registered, and what it shows."""

    id: str
    method: str
    secret: str = ""
    # PEM, of a client with a key.
    certificate: str = ""
    key: str = ""
    # Whom its tokens are for, where that belongs to the client.
    audience: str = AUDIENCE


def clients(folder: Path, nasty: str) -> list[Client]:
    """One of each kind; those with secrets also with a secret that needs an encoding."""
    certificate, key = _pair(folder)
    long = "a-secret-of-more-than-32-characters"
    return [
        Client("plain-basic", BASIC, "traefiklabs"),
        Client("plain-post", POST, "traefiklabs"),
        Client("nasty-basic", BASIC, nasty),
        Client("nasty-post", POST, nasty),
        Client("signing", KEY, certificate=certificate, key=key),
        Client("signing-secret", SECRET_KEY, long),
    ]


def _pair(folder: Path) -> tuple[str, str]:
    certificate, key = folder / "client.pem", folder / "client.key"
    command = [
        *["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
        *["-subj", "/CN=signing", "-keyout", str(key), "-out", str(certificate)],
    ]
    subprocess.run(command, check=True, capture_output=True)
    return certificate.read_text(encoding="ascii"), key.read_text(encoding="ascii")
