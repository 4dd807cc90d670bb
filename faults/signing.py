"""Keys and tokens with signatures that count, made by `openssl`."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import time
from pathlib import Path


class Key:
    """A key of ES256, in a file."""

    def __init__(self, folder: Path, kid: str) -> None:
        self.kid, self.path = kid, folder / f"{kid}.pem"
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(self.path))

    def jwk(self) -> dict[str, str]:
        """The public part."""
        der = _openssl("ec", "-in", str(self.path), "-pubout", "-outform", "DER")
        x, y = der[-64:-32], der[-32:]
        return {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.kid, "x": _url(x), "y": _url(y)}

    def token(self, client: str, life: float, **more: object) -> str:
        """A JWT about a client."""
        now = int(time.time())
        signed = f"{_head(self.kid)}.{_part({'sub': client, 'iat': now, 'exp': now + int(life), **more})}"
        return f"{signed}.{_url(_plain(_openssl('dgst', '-sha256', '-sign', str(self.path), said=signed.encode())))}"


def strangers(token: str, count: int) -> list[str]:
    """Tokens like this one, of keys that nobody has."""
    rest = token.split(".", 1)[1]
    return [f"{_head(secrets.token_hex(8))}.{rest}" for _ in range(count)]


def _head(kid: str) -> str:
    return _part({"alg": "ES256", "typ": "JWT", "kid": kid})


def _part(part: dict) -> str:
    return _url(json.dumps(part).encode())


def _openssl(*words: str, said: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], input=said, capture_output=True, check=True).stdout


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _plain(der: bytes) -> bytes:
    """A signature as JOSE writes it: two numbers of 32 bytes each (RFC 7518, section 3.4)."""
    numbers, at = b"", 2
    for _ in range(2):
        length = der[at + 1]
        numbers += der[at + 2 : at + 2 + length][-32:].rjust(32, b"\0")
        at += 2 + length
    return numbers
