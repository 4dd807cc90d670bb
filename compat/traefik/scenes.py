"""Scenes: an entry point with a handful of routers, and the requests that are sent to it.

One configuration holds all scenes. They do not see each other, so that a wide rule in one leaves
the others something to decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import answers
import frames
import grammar
import guards
import middlewares
import secured
import services
from frames import Frame
from grammar import Rule
from request import Request

SERVICES = ["alpha", "beta", "gamma", "delta"]
GREATEST_PRIORITY = 2**63 - 1 - 1000

# What a router can name that makes it unfit to be served, and where.
BROKEN_PARTS: list[tuple[str, object]] = [
    ("middlewares", ["nobody"]),
    ("middlewares", ["nobody@file"]),
    ("middlewares", ["nobody@kubernetescrd"]),
    ("middlewares", ["unfinished"]),
    ("service", "nobody"),
    ("service", ""),
    ("priority", GREATEST_PRIORITY + 1),
]

# No URI holds them (RFC 3986 section 2).
NOT_IN_URIS = "<>`"


@dataclass(frozen=True)
class Case:
    """A request with the scene it is sent to, and what is special in it."""

    number: int
    scene: str
    request: Request
    tags: frozenset[str]


@dataclass(frozen=True)
class Play:
    """Everything that both gateways are given."""

    scenes: list[str]
    routers: dict[str, dict[str, object]]
    broken: frozenset[str]
    cases: list[Case]
    frames: list[Frame]


def play(seed: int, count: int, per_scene: int = 10) -> Play:
    """The same from the same seed, wherever it runs: so many requests for rules, then the frames."""
    random = Random(seed)
    scenes, routers, broken, cases = [], {}, set(), []
    for start in range(0, count, per_scene):
        scene = f"scene-{start // per_scene:02}"
        scenes.append(scene)
        rules = []
        for number in range(random.randint(4, 8)):
            name = f"{scene}-{number}-{random.choice('abcxyz')}"
            written = grammar.rule(random)
            router, is_broken = _router(random, scene, written)
            routers[name] = router
            rules.append(written)
            if is_broken:
                broken.add(name)
        for number in range(start, min(start + per_scene, count)):
            request, tags = _request(random, random.choice(rules))
            if number % SPOILED_EACH == 0:
                kind = SPOILS[number // SPOILED_EACH % len(SPOILS)]
                _spoil(random, request, kind)
                tags.add(kind)
            if any(character in request.target for character in NOT_IN_URIS):
                tags.add("not-in-uris")
            request.headers.append(("X-Case", str(number)))
            cases.append(Case(number, scene, request, frozenset(tags)))
    kinds = (frames, services, secured, middlewares, guards, answers)
    framed = [frame for kind in kinds for frame in kind.frames(random, per_scene)]
    for frame in framed:
        scenes.append(frame.scene)
        routers |= frame.routers
        for request, tags in frame.asked:
            request.headers.append(("X-Case", str(len(cases))))
            cases.append(Case(len(cases), frame.scene, request, frozenset(tags)))
    return Play(scenes, routers, frozenset(broken), cases, framed)


def _router(random: Random, scene: str, rule: Rule) -> tuple[dict[str, object], bool]:
    router: dict[str, object] = {
        "entryPoints": [scene],
        "rule": rule.text,
        "service": random.choice(SERVICES),
    }
    priority = random.choice([None, None, None, 0, 1, 7, 7, 30, 1000, -1, GREATEST_PRIORITY])
    if priority is not None:
        router["priority"] = priority
    if random.random() < 0.05:
        router["entryPoints"] = [scene, "nowhere"]
    chance = random.random()
    if chance < 0.16:
        router["rule"] = grammar.odd(random)
    elif chance < 0.23:
        key, value = random.choice(BROKEN_PARTS)
        router[key] = value
        return router, True
    return router, False


def _request(random: Random, rule: Rule) -> tuple[Request, set[str]]:
    """A request made for a rule, then changed, mostly in what the rule does not look at."""
    request = Request(
        host=random.choice(HOSTS),
        path=random.choice(PATHS),
        method=random.choice(["GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"]),
    )
    for condition in rule.wanted:
        condition.fulfil(request)
    if rule.unwanted and random.random() < 0.4:
        random.choice(rule.unwanted).fulfil(request)
    if random.random() < 0.25:
        request.path = random.choice(PATHS)
    if random.random() < 0.25:
        request.query.append(random.choice(QUERIES))
    if random.random() < 0.1:
        request.source = random.choice(["127.0.0.2", "127.0.0.7"])
    if request.method in ("POST", "PUT", "PATCH") or random.random() < 0.05:
        _fill(random, request)
    tags = set()
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        tag, headers = random.choice(EXTRAS)
        request.headers += headers
        tags.add(tag)
    return request, tags


def _fill(random: Random, request: Request) -> None:
    # No longer ones: Traefik stops passing a body on once its answer has begun, and whoami begins
    # its answer with the first piece.
    request.body = random.choice([b"", b"hello", b"a=1&b=2", b"x" * 1000])
    request.chunked = random.random() < 0.4


def _spoil(random: Random, request: Request, kind: str) -> None:
    """Makes of it what a server may refuse."""
    if kind == "no-host":
        request.host = None
    elif kind == "empty-host":
        request.host = ""
    elif kind == "two-hosts":
        request.headers.append(("Host", "b.test"))
    elif kind == "bad-host":
        request.host = random.choice(["a b", "a/b", "a.test:x", "a@b.test"])
    elif kind == "bad-path":
        request.path = random.choice(["/%zz", "/a%", "/a#b", "a"])
    elif kind == "star":
        request.path, request.query = "*", []
    elif kind == "old":
        request.version, request.chunked = "HTTP/1.0", False
    elif kind == "old-no-host":
        request.version, request.chunked, request.host = "HTTP/1.0", False, None
    elif kind == "whole-url":
        request.path = f"http://b.test{request.path}"
    elif kind == "user-info":
        request.path = f"http://user@b.test{request.path}"
    elif kind == "other-scheme":
        request.path = f"ftp://b.test{request.path}"
    elif kind == "fragment":
        request.query.append("a#b")
    elif kind == "folded":
        request.headers.append(("X-Folded", "1\r\n 2"))
    elif kind == "line-feed":
        request.headers.append(("X-One", "1\nX-Two: 2"))
    elif kind == "both-lengths":
        request.body, request.chunked = b"", True
        request.headers.append(("Content-Length", "5"))
    elif kind == "blank-line":
        request.method = f"\r\n{request.method}"


SPOILED_EACH = 12
SPOILS = ["no-host", "empty-host", "two-hosts", "bad-host", "bad-path", "star", "old"]
SPOILS += ["old-no-host", "whole-url", "user-info", "other-scheme", "fragment", "folded"]
SPOILS += ["line-feed", "both-lengths", "blank-line"]

HOSTS = ["a.test", "a.test", "A.TEST", "a.test:8000", "a.test.", "b.test", "x.a.test", "y.x.a.test"]
HOSTS += ["other.test", "[::1]:80", "a.test.:80", "127.0.0.1"]

PATHS = ["/", "/a", "/a/b", "/ab", "/a/", "/service", "/a%2Fb", "/a%20b", "/%41", "//a", "/a//b"]
PATHS += ["/a/../b", "/a/./b", "/a/%2e%2e/b", "/..", "/a;b", "/a;x=1/b", "/a%3Bb", "/a%3Fb=1"]
PATHS += ["/%61%2f%62", "/é", "/%C3%A9", "/%ff", "/a%25b", "/a+b", "/a%00b", "/a%5Cb", "/a\\b"]
PATHS += ["/a|b", "/a{b}", "/a^b", '/a"b', "/a<b>", "/a:b@c", "/a,b", "/a!b*('c')", "/a[b]", "/~a"]
PATHS += ["/a/b.js", "/a/b/?", "/a/..%2fb", "/a/42", "/%7Ea/b", "/.", "/a/.", "/a/..", "/a/b/../.."]

QUERIES = ["q=1", "q", "q=", "q=a%20b", "q=2;r=3", "q=a?b", "q=%zz", "q=1&q=2", "&&q=1&", "=", "q==1"]
QUERIES += ["Q=1", "q=%C3%A9", "q=é", "x+y=2", "r=abc", "q=a/../b", "q=%2F", "q=a|b", "q=%00", "q={}"]

# Headers that a gateway changes, must not change, or might trip over.
EXTRAS: list[tuple[str, list[tuple[str, str]]]] = [
    ("forwarded-for", [("X-Forwarded-For", "9.9.9.9"), ("X-Forwarded-For", "8.8.8.8")]),
    ("forwarded-host", [("X-Forwarded-Host", "evil.test"), ("X-Forwarded-Port", "1")]),
    ("forwarded-proto", [("X-Forwarded-Proto", "https"), ("X-Forwarded-Server", "evil")]),
    ("forwarded-rest", [("X-Forwarded-Uri", "/e"), ("X-Forwarded-Method", "E"), ("X-Scheme", "s")]),
    ("forwarded-prefix", [("X-Forwarded-Prefix", "/p"), ("X-Forwarded-Tls-Client-Cert", "c")]),
    ("forwarded-scheme", [("X-Forwarded-Scheme", "https"), ("X-Forwarded-Ssl", "on")]),
    ("forwarded-underscore", [("X_Forwarded_For", "7.7.7.7"), ("x_real_ip", "6.6.6.6")]),
    ("forwarded", [("Forwarded", "for=9.9.9.9;proto=https")]),
    ("real-ip", [("X-Real-Ip", "9.9.9.9")]),
    ("connection", [("Connection", "X-Foo, X-Real-Ip"), ("X-Foo", "1"), ("X-Bar", "2")]),
    ("connection", [("Connection", "close"), ("Keep-Alive", "timeout=5")]),
    ("connection", [("Connection", "keep-alive"), ("Proxy-Connection", "keep-alive")]),
    ("connection", [("Connection", "X-Forwarded-Host"), ("Connection", "x-role")]),
    ("connection-names", [("Connection", "Authorization, Cookie"), ("Authorization", "x")]),
    ("hop-by-hop", [("Proxy-Authorization", "Basic eDp5"), ("Proxy-Authenticate", "Basic")]),
    ("hop-by-hop", [("Te", "trailers"), ("Trailer", "X-End")]),
    ("hop-by-hop", [("TE", "gzip"), ("Connection", "TE")]),
    ("accept-encoding", [("Accept-Encoding", "gzip, br")]),
    ("accept-encoding", [("Accept-Encoding", "identity")]),
    ("accept-encoding-empty", [("Accept-Encoding", "")]),
    ("range", [("Range", "bytes=0-9")]),
    ("several", [("X-Many", "1"), ("x-many", "2"), ("X-MANY", "1, 3"), ("X-Many", "")]),
    ("several", [("Cookie", "a=1"), ("Cookie", "b=2"), ("Accept", "a/b"), ("Accept", "c/d")]),
    ("authorization", [("Authorization", "Basic YTpi")]),
    ("user-agent", [("User-Agent", "test/2.0")]),
    ("user-agent", [("User-Agent", "")]),
    ("odd-name", [("x_under_score", "1"), ("1x", "2"), ("X.Dot", "3"), ("x!bang~", "4")]),
    ("odd-value", [("X-Odd", "  spaces \t inside  "), ("X-Quote", 'a"b\\c'), ("X-Utf", "é")]),
    ("cache", [("Pragma", "no-cache"), ("If-None-Match", '"x"'), ("Via", "1.1 other")]),
    ("expect", [("Expect", "100-continue")]),
    ("origin", [("Origin", "http://a.test"), ("Referer", "http://a.test/x")]),
    ("content", [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]),
]
