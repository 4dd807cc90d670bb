"""Frames about what becomes of answers: `compress` and `contentType`, over whoami's `/data`."""

from __future__ import annotations

from random import Random

from frames import Frame, Options
from request import Request

VARIANTS: list[tuple[str, Options]] = [
    ("compress", {}),
    ("compress", {"minResponseBodyBytes": 100}),
    ("compress", {"encodings": ["br", "gzip"]}),
    ("compress", {"encodings": ["zstd"], "defaultEncoding": "zstd"}),
    ("compress", {"encodings": ["gzip", "br"], "defaultEncoding": "br"}),
    ("compress", {"excludedContentTypes": ["text/plain"]}),
    ("compress", {"excludedContentTypes": ["application/octet-stream; a=b"]}),
    ("compress", {"includedContentTypes": ["text/plain"]}),
    ("contentType", {}),
    ("contentType", {"autoDetect": False}),
]
ACCEPTED = ["gzip", "br", "zstd", "gzip, br, zstd", "br;q=0.5, gzip;q=0.2", "identity", "deflate", "*"]
ACCEPTED += ["gzip;q=0, br", "", "identity;q=0.5, zstd;q=0.1", "gzip; q=0.3, zstd;q=0.9", "*;q=0.1, br"]


def frames(random: Random, per_frame: int) -> list[Frame]:
    """One, with a router for each set of options."""
    frame = Frame("answers")
    for which, (kind, options) in enumerate(VARIANTS):
        name = f"{frame.scene}-{which}"
        frame.middlewares[name] = {kind: options}
        frame.route(str(which), f"Header(`X-Route`, `{which}`)", middlewares=[name])
        for _ in range(per_frame):
            _ask(random, frame, which)
    return [frame]


def _ask(random: Random, frame: Frame, which: int) -> None:
    request = Request(
        path=random.choice(["/", "/data", "/data", "/bench"]),
        method=random.choice(["GET", "GET", "GET", "POST", "HEAD"]),
        headers=[("X-Route", str(which))],
    )
    if request.path == "/data":
        request.query.append(f"size={random.choice([10, 200, 1023, 1024, 5000, 60000])}&unit=b")
    if random.random() < 0.85:
        request.headers.append(("Accept-Encoding", random.choice(ACCEPTED)))
    if random.random() < 0.2:
        request.headers.append(("Content-Type", random.choice(["text/plain", "application/grpc"])))
    if request.path == "/bench" and request.method == "POST":
        # It ends the connection of a body that it does not read, and Traefik may meet that.
        request.method = "GET"
    if request.method == "POST":
        request.body = b"hello"
    accepted = dict(request.headers).get("Accept-Encoding", "")
    frame.ask(request, "answers", *(["accept-encoding-empty"] if accepted == "" else []))
