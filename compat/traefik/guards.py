"""Frames about `forwardAuth`, in front of the service of `auth.py`."""

from __future__ import annotations

from random import Random

from auth import session
from frames import Frame, Options
from request import Request

VARIANTS: list[Options] = [
    {},
    {"trustForwardHeader": False},
    {"trustForwardHeader": True},
    {"authResponseHeaders": ["X-Auth-User", "x-auth-group", "X-Nobody"]},
    {"authResponseHeadersRegex": "^X-Auth-"},
    {"authResponseHeaders": ["X-Auth-User"], "authRequestHeaders": ["Cookie", "X-Want"]},
    {"trustForwardHeader": True, "authRequestHeaders": ["Cookie"]},
    {"trustForwardHeader": False, "authRequestHeaders": ["Cookie", "X-Forwarded-Port"]},
    {"addAuthCookiesToResponse": ["renewed"], "headerField": "X-Auth-User"},
    {"forwardBody": True, "maxBodySize": 100},
    {"forwardBody": True, "maxBodySize": 3},
    {"preserveRequestMethod": True, "trustForwardHeader": False},
    {"preserveLocationHeader": True, "trustForwardHeader": False},
    {"maxResponseBodySize": 2},
    {"maxResponseBodySize": 100, "trustForwardHeader": False},
]


def frames(random: Random, per_frame: int) -> list[Frame]:
    """One for strangers, one for proxies that are trusted."""
    made = []
    for trusted in (False, True):
        options = {"forwardedHeaders": {"insecure": True}} if trusted else {}
        frame = Frame(f"guards-{int(trusted)}", options)
        for which, variant in enumerate(VARIANTS):
            name = f"{frame.scene}-{which}"
            address = {"address": "{auth}/auth?q=1", **variant}
            frame.middlewares[name] = {"forwardAuth": address}
            frame.route(str(which), f"PathPrefix(`/{which}`)", middlewares=[name])
            for _ in range(per_frame // 2):
                _ask(random, frame, which)
        made.append(frame)
    return made


def _ask(random: Random, frame: Frame, which: int) -> None:
    request = Request(
        host=random.choice(["a.test", "a.test:8000"]),
        path=f"/{which}{random.choice(['', '/a', '/a%2Fb', '//c'])}",
        method=random.choice(["GET", "GET", "POST", "HEAD", "OPTIONS"]),
        source=random.choice(["127.0.0.1", "127.0.0.2"]),
    )
    if random.random() < 0.3:
        request.query.append("b=1")
    for name, values in [
        ("Cookie", [f"session={session('alice')}", f"a=1; session={session('bob')}", "session=alice.0"]),
        ("Cookie", [f"session={session('alice')}"]),
        ("X-Want", ["302", "403", "307", "500"]),
        ("X-Place", ["https://login.test/a?b", "/a", "b"]),
        ("User-Agent", ["test/1"]),
        ("User-Agent", ["test/1"]),
        ("Authorization", ["Bearer x"]),
        ("X-Auth-User", ["forged"]),
        ("X-Auth-Group", ["forged"]),
        ("X-Auth-Rest", ["forged"]),
        ("X-Forwarded-For", ["10.0.0.1", "10.0.0.9, 127.0.0.1"]),
        ("X-Forwarded-Proto", ["https", "wss"]),
        ("X-Forwarded-Host", ["b.test"]),
        ("X-Forwarded-Port", ["44"]),
        ("X-Forwarded-Uri", ["/forged"]),
        ("X-Forwarded-Method", ["PUT"]),
        ("X-Forwarded-Prefix", ["/p"]),
        ("X-Real-Ip", ["10.0.0.7"]),
        ("Proxy-Authorization", ["Basic eDp5"]),
        ("Accept-Encoding", ["gzip", "br"]),
    ]:
        has_name = name in dict(request.headers)
        if random.random() < 0.35 and not has_name:
            request.headers.append((name, random.choice(values)))
    if request.method == "POST":
        request.body = random.choice([b"hello", b"", b"x" * 50])
        request.chunked = random.random() < 0.3
    tags = ["guard-chunks"] if request.chunked else []
    if request.chunked and not request.body:
        tags.append("guard-no-chunk")
    frame.ask(request, "guard", *tags)
