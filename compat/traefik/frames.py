"""Frames: entry points with options, where the rules are simple and what stands around them is not.

Each is one entry point, its routers and the requests for them, as a scene is; `play` puts them
after the scenes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from ipaddress import ip_address
from random import Random
from typing import Callable

from request import Request

Options = dict[str, object]
Asked = tuple[Request, set[str]]


@dataclass
class Frame:
    """One entry point: its options, what is behind it, and what is asked of it."""

    scene: str
    options: Options = field(default_factory=dict)
    routers: dict[str, Options] = field(default_factory=dict)
    services: dict[str, Options] = field(default_factory=dict)
    middlewares: dict[str, Options] = field(default_factory=dict)
    # What else the configuration gets: `tls` and its parts.
    more: Options = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def route(self, name: str, rule: str, service: str = "alpha", **more: object) -> None:
        """Adds a router of this entry point."""
        router = {"entryPoints": [self.scene], "rule": rule, "service": service, **more}
        self.routers[f"{self.scene}-{name}"] = router

    def ask(self, request: Request, *tags: str) -> None:
        """Adds a request."""
        self.asked.append((request, set(tags)))


def frames(random: Random, per_frame: int) -> list[Frame]:
    """One of each variant of each kind."""
    made: list[Frame] = []
    for kind, variants in KINDS:
        for number, variant in enumerate(variants):
            frame = Frame(f"{kind.__name__}-{number:02}", dict(variant))
            kind(random, frame, per_frame)
            made.append(frame)
    return made


def trusted(random: Random, frame: Frame, count: int) -> None:
    """Who may say for whom a request comes."""
    frame.route("host", "Header(`X-Forwarded-Host`, `evil.test`)", "beta")
    frame.route("all", "PathPrefix(`/`)")
    for _ in range(count):
        request = Request(path=random.choice(["/", "/a", "/a?b=1"]))
        request.source = random.choice(["127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.7"])
        for headers in random.sample(SAID, random.choice([1, 2, 3])):
            request.headers += headers
        frame.ask(request)


def paths(random: Random, frame: Frame, count: int) -> None:
    """What may stand in a path, and what becomes of it."""
    frame.route("slash", "PathPrefix(`/a/`)", "beta")
    frame.route("encoded", "PathPrefix(`/a%2F`)", "gamma")
    frame.route("parent", "PathPrefix(`/b`)", "delta")
    frame.route("all", "PathPrefix(`/`)")
    for _ in range(count):
        frame.ask(Request(path=random.choice(PATHS)), "path")


def proxied(random: Random, frame: Frame, count: int) -> None:
    """The PROXY protocol before the request."""
    frame.route("client", "ClientIP(`10.0.0.0/8`)", "beta")
    frame.route("six", "ClientIP(`2001:db8::/32`)", "gamma")
    frame.route("all", "PathPrefix(`/`)")
    for number in range(count):
        name, before = PREFACES[(number + random.randrange(2)) % len(PREFACES)]
        request = Request(path=f"/{name}", before=before)
        request.source = random.choice(["127.0.0.1", "127.0.0.1", "127.0.0.2"])
        frame.ask(request, *(["preface"] if before else []))


def redirected(random: Random, frame: Frame, count: int) -> None:
    """From one entry point to another."""
    frame.route("high", "Path(`/stays`)", priority=9_000_000_000)
    frame.route("all", "PathPrefix(`/`)")
    for _ in range(count):
        request = Request(
            host=random.choice(["a.test", "A.test", "a.test:8000", "[::1]", "[::1]:80", "b.test."]),
            path=random.choice(["/", "/stays", "/a%2Fb", "/a//b", "/é", "/a%20b"]),
            method=random.choice(["GET", "GET", "POST", "HEAD", "PUT"]),
        )
        if random.random() < 0.4:
            request.query.append(random.choice(["q=1", "q=a;b", "q", "q=%20"]))
        tags = ["redirect-ipv6"] if "[" in str(request.host) else []
        frame.ask(request, *tags, *(["redirect-semicolon"] if ";" in request.target else []))


def sized(random: Random, frame: Frame, count: int) -> None:
    """How long a head may be. Where exactly it ends is nobody's promise."""
    frame.route("all", "PathPrefix(`/`)")
    for number in range(count):
        size = [10, 1_000, 30_000, 200_000][number % 4]
        request = Request(path=random.choice(["/", "/a"]))
        request.headers.append(("X-Long", "x" * size))
        frame.ask(request, *(["long-head"] if size > 1_000 else []))


def default(random: Random, frame: Frame, count: int) -> None:
    """Routers that name no entry point are at those that are marked."""
    frame.routers["nowhere-named"] = {"rule": "Path(`/anywhere`)", "service": "gamma"}
    frame.route("named", "Path(`/here`)", "beta")
    for _ in range(count):
        frame.ask(Request(path=random.choice(["/anywhere", "/here", "/else"])))


def aliased(random: Random, frame: Frame, count: int) -> None:
    """Headers that servers take for others."""
    frame.route("all", "PathPrefix(`/`)")
    for _ in range(count):
        request = Request(headers=random.sample(ALIASES, random.choice([1, 1, 2, 3])))
        frame.ask(request, "aliased")


def preface(client: str, server: str) -> bytes:
    """Version 2 of the protocol (its section 2.2), for a connection over TCP."""
    source, target = ip_address(client), ip_address(server)
    family = 0x11 if source.version == 4 else 0x21
    addresses = source.packed + target.packed + struct.pack("!HH", 1111, 80)
    return SIGNATURE + struct.pack("!BBH", 0x21, family, len(addresses)) + addresses


SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"

PREFACES: list[tuple[str, bytes]] = [
    ("none", b""),
    ("one", b"PROXY TCP4 10.1.2.3 127.0.0.1 1111 80\r\n"),
    ("one-six", b"PROXY TCP6 2001:db8::1 ::1 1111 80\r\n"),
    ("one-unknown", b"PROXY UNKNOWN\r\n"),
    ("two", preface("10.1.2.3", "127.0.0.1")),
    ("two-six", preface("2001:db8::1", "::1")),
    ("two-local", SIGNATURE + b"\x20\x00\x00\x00"),
]

# Several lines of what only a trusted peer may say.
SAID: list[list[tuple[str, str]]] = [
    [("X-Forwarded-For", "9.9.9.9"), ("X-Forwarded-For", "8.8.8.8")],
    [("X-Forwarded-For", "")],
    [("X-Forwarded-Host", "evil.test"), ("X-Forwarded-Port", "1")],
    [("X-Forwarded-Proto", "https"), ("X-Forwarded-Server", "evil")],
    [("X-Forwarded-Uri", "/e"), ("X-Forwarded-Method", "E")],
    [("X-Forwarded-Prefix", "/p"), ("X-Forwarded-Tls-Client-Cert", "c")],
    [("X-Forwarded-Tls-Client-Cert-Info", "i")],
    [("X_Forwarded_For", "7.7.7.7"), ("x_real_ip", "6.6.6.6")],
    [("X-Real-Ip", "9.9.9.9")],
    [("Connection", "X-Foo, X-Real-Ip"), ("X-Foo", "1"), ("X-Bar", "2")],
    [("Connection", "X-Forwarded-For"), ("X-Forwarded-For", "1.1.1.1")],
    [("Connection", "X-Kept"), ("X-Kept", "1")],
]

ALIASES = [("X_Auth_User", "1"), ("x-auth_user", "2"), ("X.Auth.User", "3"), ("X-Auth-User", "4")]
ALIASES += [("X-A1", "5"), ("X~A", "6"), ("X-A|B", "7"), ("_x", "8"), ("X!A", "9"), ("1", "10")]

PATHS = ["/", "/a/b", "/a%2Fb", "/a%2fb", "/a//b", "/a/../b", "/a/%2e%2e/b", "/./b", "/a%5Cb"]
PATHS += ["/a%00b", "/a%3Bb", "/a%3bb", "/a%25b", "/a%252Fb", "/a%3Fb", "/a%23b", "/%61/b", "/a;b"]
PATHS += ["/a/..%2fb", "//a/b", "/a/b/", "/a/.", "/..", "/a%20b"]

STRATEGIES = ["keep", "delete", "reject"]

ALLOWED = ["Slash", "BackSlash", "NullCharacter", "Semicolon", "Percent", "QuestionMark", "Hash"]


def _encoded(allowed: bool, names: list[str]) -> Options:
    characters = {f"allowEncoded{name}": allowed for name in names}
    return {"http": {"encodedCharacters": characters}}


def _lone(option: str, **value: object) -> Options:
    return {option: value}


KINDS: list[tuple[Callable[[Random, Frame, int], None], list[Options]]] = [
    (
        trusted,
        [
            _lone("forwardedHeaders", insecure=True),
            _lone("forwardedHeaders", trustedIPs=["127.0.0.1"]),
            _lone("forwardedHeaders", trustedIPs=["127.0.0.0/30", "10.0.0.0/8"]),
            _lone("forwardedHeaders", trustedIPs=["10.0.0.0/8"], connection=["X-Kept"]),
            _lone("forwardedHeaders", insecure=True, notAppendXForwardedFor=True),
        ],
    ),
    (
        paths,
        [
            {"http": {"sanitizePath": False}},
            _encoded(False, ALLOWED),
            _encoded(False, ["Slash"]),
            _encoded(False, ["Percent", "Hash", "QuestionMark"]),
            _encoded(True, ALLOWED),
        ],
    ),
    (
        proxied,
        [
            _lone("proxyProtocol", insecure=True),
            _lone("proxyProtocol", trustedIPs=["127.0.0.1/32"]),
            _lone("proxyProtocol", trustedIPs=["10.0.0.0/8"]),
            {
                "proxyProtocol": {"trustedIPs": ["127.0.0.0/8"]},
                "forwardedHeaders": {"trustedIPs": ["10.1.2.3"]},
            },
        ],
    ),
    (
        redirected,
        [
            {"http": {"redirections": {"entryPoint": {"to": "ready"}}}},
            {"http": {"redirections": {"entryPoint": {"to": ":8443", "permanent": False}}}},
            {"http": {"redirections": {"entryPoint": {"to": ":443", "scheme": "https"}}}},
            {"http": {"redirections": {"entryPoint": {"to": "ready", "scheme": "http"}}}},
            {"http": {"redirections": {"entryPoint": {"to": ":80", "priority": 10}}}},
        ],
    ),
    (sized, [{"http": {"maxHeaderBytes": 2_000}}, {"http": {"maxHeaderBytes": 60_000}}]),
    (
        aliased,
        [{"http": {"aliasHeadersStrategy": strategy}} for strategy in STRATEGIES]
        + [{"http": {"underscoreHeadersStrategy": strategy}} for strategy in STRATEGIES]
        + [{"http": {f"{kind}HeadersStrategy": "reject" for kind in ("alias", "underscore")}}],
    ),
    (default, [{"asDefault": True}, {"asDefault": True}, {}]),
]
