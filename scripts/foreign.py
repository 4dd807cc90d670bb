"""Tokens of both scenes, verified by implementations that are not ours: PyJWT and openssl, with
the keys that the authorization server publishes. A token with one bit flipped does not verify.

Usage: foreign.py CARNET
"""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AUDIENCE = "https://traefik.io"
SERVER = "The authorization server is at "


def main(carnet: str) -> None:
    demo = subprocess.Popen([carnet, "demo"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        calls, server = announced(demo)
        keys = jwt.PyJWKSet.from_dict(fetched(f"{server}/.well-known/jwks.json"))
        for scene, call in enumerate(calls, start=1):
            check(f"scene {scene}", token_of(call), keys)
    finally:
        demo.terminate()
        demo.wait(timeout=30)


def announced(demo: subprocess.Popen[str]) -> tuple[list[list[str]], str]:
    """The two curl lines that the demo prints, and where its authorization server is."""
    calls = []
    for line in demo.stdout:
        if line.strip().startswith("curl "):
            calls.append(shlex.split(line))
        if line.startswith(SERVER):
            assert len(calls) == 2, calls
            return calls, line.removeprefix(SERVER).split(". ")[0].strip()
    raise SystemExit("foreign: the demo ended before it was ready")


def fetched(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def token_of(call: list[str]) -> str:
    """The token that arrived at the application."""
    done = subprocess.run([*call, "-sS", "--fail", "--max-time", "20"], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    return next(line.split()[2] for line in lines if line.startswith("Authorization: Bearer "))


def check(scene: str, token: str, keys: jwt.PyJWKSet) -> None:
    key = keys[jwt.get_unverified_header(token)["kid"]]
    for name, verifies in (("PyJWT", pyjwt), ("openssl", openssl)):
        assert verifies(token, key), f"{scene}: {name} refuses the token"
        broken = list(flipped(token))
        for forged in broken:
            assert not verifies(forged, key), f"{scene}: {name} takes a token with a flipped bit"
        print(f"{scene}: {name} verifies the token, and none of {len(broken)} with a flipped bit")


def flipped(token: str):
    """The token with one bit of one part flipped, several times over."""
    parts = token.split(".")
    for index, part in enumerate(parts):
        octets = bytearray(decoded(part))
        for at in (0, len(octets) // 2, len(octets) - 1):
            changed = bytearray(octets)
            changed[at] ^= 1
            yield ".".join([*parts[:index], encoded(changed), *parts[index + 1 :]])


def pyjwt(token: str, key: jwt.PyJWK) -> bool:
    try:
        jwt.decode(token, key.key, algorithms=["RS256"], audience=AUDIENCE)
    except jwt.InvalidTokenError:
        return False
    return True


def openssl(token: str, key: jwt.PyJWK) -> bool:
    signed, _, signature = token.rpartition(".")
    with tempfile.TemporaryDirectory() as folder:
        pem, sig = Path(folder, "key.pem"), Path(folder, "signature")
        pem.write_bytes(key.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        sig.write_bytes(decoded(signature))
        command = ["openssl", "dgst", "-sha256", "-verify", str(pem), "-signature", str(sig)]
        done = subprocess.run(command, input=signed.encode(), capture_output=True, check=False)
    return done.returncode == 0


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


if __name__ == "__main__":
    main(*sys.argv[1:])
