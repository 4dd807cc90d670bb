"""Tokens that nobody may take."""

from __future__ import annotations

import base64
import json


def forgeries(token: str) -> dict[str, str]:
    """The same token with one bit of its signature flipped, and for another subject."""
    header, payload, signature = token.split(".")
    bits = bytearray(_decode(signature))
    bits[len(bits) // 2] ^= 1
    claims = {**json.loads(_decode(payload)), "sub": "somebody-else"}
    other = _encode(json.dumps(claims).encode())
    return {
        "flipped bit": f"{header}.{payload}.{_encode(bytes(bits))}",
        "other subject": f"{header}.{other}.{signature}",
    }


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
