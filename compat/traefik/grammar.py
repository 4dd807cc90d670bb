"""Rules at random, over the whole grammar, and requests that come close to matching them.

A condition is written here once with the change that makes a request fulfil it, so that most
requests meet some rule and those with a negative in them meet it for a reason.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Callable

from request import Request

Change = Callable[[Request], None]


@dataclass(frozen=True)
class Condition:
    """One matcher with its arguments, and what makes a request fulfil it."""

    name: str
    arguments: tuple[str, ...]
    fulfil: Change


@dataclass(frozen=True)
class Rule:
    """A rule as it is written, with the conditions that must hold, and those that must not."""

    text: str
    wanted: tuple[Condition, ...]
    unwanted: tuple[Condition, ...]


def rule(random: Random, depth: int = 2) -> Rule:
    """A rule, or now and then one with more below it."""
    if depth == 0 or random.random() < 0.3:
        condition = random.choice(CONDITIONS)
        return Rule(_written(random, condition), (condition,), ())
    kind = random.choice(["and", "and", "or", "or", "not"])
    if kind == "not":
        inner = rule(random, depth - 1)
        return Rule(f"!{_member(inner)}", inner.unwanted, inner.wanted)
    members = [rule(random, depth - 1) for _ in range(random.choice([2, 2, 3]))]
    sign = "&&" if kind == "and" else "||"
    operator = random.choice([*[f" {sign} "] * 40, *[sign] * 4, f" {sign}\n  ", f"\n{sign} "])
    # `&&` binds tighter than `||`: sometimes the parentheses are left to that.
    shown = members if random.random() < 0.2 else [Rule(_member(m), (), ()) for m in members]
    text = operator.join(member.text for member in shown)
    chosen = members if kind == "and" else [random.choice(members)]
    wanted = tuple(condition for member in chosen for condition in member.wanted)
    unwanted = tuple(condition for member in chosen for condition in member.unwanted)
    return Rule(text, wanted, unwanted)


def odd(random: Random) -> str:
    """A text at the edge of the grammar, or beyond it: both have to see it on the same side."""
    return random.choice(ODD)


def _member(inner: Rule) -> str:
    is_single = "&&" not in inner.text and "||" not in inner.text
    return inner.text if is_single else f"({inner.text})"


def _written(random: Random, condition: Condition) -> str:
    name = condition.name
    if random.random() < 0.15:
        name = random.choice([name.lower(), name.upper(), name[0] + name[1:].lower()])
    quoted = random.random() < 0.15
    arguments = [_literal(argument, quoted) for argument in condition.arguments]
    comma = random.choice([",", ", "])
    return f"{name}({comma.join(arguments)})"


def _literal(text: str, quoted: bool) -> str:
    return json.dumps(text, ensure_ascii=False) if quoted else f"`{text}`"


def _host(host: str) -> Change:
    return lambda request: setattr(request, "host", host)


def _path(path: str) -> Change:
    return lambda request: setattr(request, "path", path)


def _method(method: str) -> Change:
    return lambda request: setattr(request, "method", method)


def _header(name: str, value: str) -> Change:
    return lambda request: request.headers.append((name, value))


def _query(parameter: str) -> Change:
    return lambda request: request.query.append(parameter)


def _source(address: str) -> Change:
    return lambda request: setattr(request, "source", address)


def _nothing(_: Request) -> None:
    """No request of ours can fulfil it, or each does."""


def _conditions() -> list[Condition]:
    table: list[tuple[str, tuple[str, ...], Change]] = [
        ("Host", ("a.test",), _host("a.test")),
        ("Host", ("A.Test",), _host("a.TEST")),
        ("Host", ("b.test",), _host("b.test:8000")),
        ("Host", ("b.test.",), _host("b.test")),
        ("Host", ("*.a.test",), _host("x.a.test")),
        ("Host", ("*",), _host("anything.test")),
        ("Host", ("x_y.test",), _host("x_y.test")),
        ("Host", ("127.0.0.1",), _host("127.0.0.1:80")),
        ("Host", ("*.test",), _host("c.test")),
        ("Host", ("::1",), _host("[::1]")),
        ("Host", ("[::1]",), _host("[::1]")),
        ("HostRegexp", (r"^A\.TEST$",), _host("a.test")),
        ("HostRegexp", (r"^(?P<name>[[:alpha:]]+)\.\Qtest\E\.?$",), _host("q.test")),
        ("HostRegexp", (r"^[a-z]+\.test$",), _host("b.test.")),
        ("HostRegexp", (r"a\.test",), _host("X.A.Test")),
        ("HostRegexp", (r"^(a|b)\.test$",), _host("B.TEST")),
        ("HostRegexp", (r"^.+\.a\.test\.?$",), _host("y.x.a.test.")),
        ("Path", ("/",), _path("/")),
        ("Path", ("/a",), _path("/%61")),
        ("Path", ("/a/b",), _path("/a//b")),
        ("Path", ("/a/",), _path("/a/")),
        ("Path", ("/foo bar",), _path("/foo%20bar")),
        ("Path", ("/a%2Fb",), _path("/a%2fb")),
        ("Path", ("/é",), _path("/%c3%a9")),
        ("Path", ("/a;b",), _path("/a;b")),
        ("Path", ("/foo%20bar",), _path("/foo%20bar")),
        ("Path", ("/%41",), _path("/%41")),
        ("Path", ("/a%2fb",), _path("/a%2fb")),
        ("Path", ("/a/../b",), _path("/a/../b")),
        ("Path", ("/a//b",), _path("/a//b")),
        ("PathPrefix", ("/a%2F",), _path("/a%2fb")),
        ("PathPrefix", ("/a|",), _path("/a|b")),
        ("PathPrefix", ("/",), _path("/z")),
        ("PathPrefix", ("/a",), _path("/ab/c")),
        ("PathPrefix", ("/a/",), _path("/x/../a/y")),
        ("PathPrefix", ("/serv",), _path("/service/%3Fx")),
        ("PathRegexp", (r"^/a/[0-9]+$",), _path("/a/42")),
        ("PathRegexp", (r"/b",), _path("/a/./b")),
        ("PathRegexp", (r"\.js$",), _path("/a/b.js")),
        ("PathRegexp", (r"^/[^/]+/b(/|$)",), _path("/%7Eq/b")),
        ("PathRegexp", (r"(?i)%2f",), _path("/a%2Fb%2fc")),
        ("PathRegexp", (r"^/\w+$",), _path("/service")),
        ("PathRegexp", (r"^/\pL+$",), _path("/%C3%A9")),
        ("PathRegexp", (r"^/[^\s/]{1,2}\z",), _path("/%20")),
        ("PathRegexp", (r"\x{e9}|\bb\b",), _path("/a/b")),
        ("PathRegexp", (r"a\\b",), _path("/a%5Cb")),
        ("PathRegexp", (r"^/a.b$",), _path("/a%0Ab")),
        ("Method", ("GET",), _method("GET")),
        ("Method", ("POST",), _method("POST")),
        ("Method", ("delete",), _method("DELETE")),
        ("Method", ("HEAD",), _method("HEAD")),
        ("Method", ("OPTIONS",), _method("OPTIONS")),
        ("Method", ("PATCH",), _method("PATCH")),
        ("Header", ("X-Role", "admin"), _header("X-Role", "admin")),
        ("Header", ("x-role", "user"), _header("X-ROLE", "user")),
        ("Header", ("X-Role", "admin, user"), _header("x-role", "admin, user")),
        ("Header", ("Host", "a.test"), _host("a.test")),
        ("Header", ("X-Forwarded-Host", "a.test"), _host("a.test")),
        ("Header", ("X-Real-Ip", "9.9.9.9"), _header("X-Real-Ip", "9.9.9.9")),
        ("Header", ("Content-Length", "5"), _method("POST")),
        ("HeaderRegexp", ("X-Role", "^ad"), _header("X-Role", "administrator")),
        ("HeaderRegexp", ("User-Agent", "^test/[0-9.]+$"), _header("User-Agent", "test/1.0")),
        ("HeaderRegexp", ("X-Forwarded-For", "."), _header("X-Forwarded-For", "9.9.9.9")),
        ("HeaderRegexp", ("X-Forwarded-Proto", "^http$"), _nothing),
        ("HeaderRegexp", ("Accept", "json"), _header("Accept", "application/json")),
        ("Query", ("q",), _query("q")),
        ("Query", ("q", "1"), _query("q=1")),
        ("Query", ("q", "a b"), _query("q=a+b")),
        ("Query", ("q", "é"), _query("q=%C3%A9")),
        ("Query", ("q", "a/b?c"), _query("q=a/b?c")),
        ("Query", ("x y", "2"), _query("x%20y=2")),
        ("QueryRegexp", ("q", "^[0-9]+$"), _query("q=17")),
        ("QueryRegexp", ("r", "a.c"), _query("r=xa%20cx")),
        ("ClientIP", ("127.0.0.1",), _source("127.0.0.1")),
        ("ClientIP", ("127.0.0.0/30",), _source("127.0.0.2")),
        ("ClientIP", ("127.0.0.7/32",), _source("127.0.0.7")),
        ("ClientIP", ("10.0.0.0/8",), _header("X-Forwarded-For", "10.0.0.1")),
        ("ClientIP", ("::1",), _nothing),
    ]
    return [Condition(*row) for row in table]


CONDITIONS = _conditions()

ODD = [
    "",
    " ",
    "true",
    "Host(`a.test`",
    "Host(`a.test`) &&",
    "Host(`a.test`) & Path(`/`)",
    "Host(`a.test`) and Path(`/`)",
    "Host(`a.test`, `b.test`)",
    "Host()",
    "Host(``)",
    "Host(a.test)",
    "Host('a.test')",
    "Host(`é.test`)",
    "Hosts(`a.test`)",
    "HOst(`a.test`)",
    "HostRegexp(`{sub:[a-z]+}.test`)",
    "HostRegexp(`(`)",
    "Path(`a`)",
    "Path(``)",
    "PathPrefix(`a`)",
    "PathPrefix(`/{x:[a-z]+}`)",
    "PathRegexp(`[`)",
    "PathRegexp(`(?=a)`)",
    "Method(``)",
    "Method(`GET`, `POST`)",
    "Header(`X-Role`)",
    "Header(`X-Role`, ``)",
    "Host(`a.test`) && !Header(`X-Role`, ``)",
    "Headers(`X-Role`, `admin`)",
    "HeaderRegexp(`X-Role`, `*`)",
    "Query()",
    "Query(`a`, `b`, `c`)",
    "QueryRegexp(`q`, `+`)",
    "ClientIP(`300.1.1.1`)",
    "ClientIP(`10.0.0.0/33`)",
    "!!(",
    "(Host(`a.test`)",
    " Host(`a.test`) ",
    "Host(`a.test`)\n&& PathPrefix(`/`)",
    "Host(`a.test`) &&\n\tPathPrefix(`/`)",
    "Host (`a.test`)",
    "Host(`a.test`,)",
    "Host(`a.test`) // of ours",
    "Host(`a.test`) /* of ours */ || Path(`/a`)",
    "((Host(`a.test`)))",
    "!!Host(`a.test`)",
    "!(!Host(`a.test`))",
    "! Host(`a.test`)",
    "!(Host(`a.test`) || Path(`/a`)) && !(Method(`POST`) && Path(`/`))",
    "Host(`a.test`) || Path(`/a`) && Method(`POST`)",
    "Host(`a.test`) && true",
    "Host(`a.test`) == Host(`a.test`)",
    "Host(`a.test`) | Path(`/`)",
    "Host(`a.test`); Path(`/`)",
    "Host(\"a\" + \".test\")",
    "Host(1)",
    "Host(\"a.test\")",
    "Host(\"\\u0061.test\")",
    "Host(\"\\x61.test\")",
    "Host(\"a.test)",
    "PathPrefix(\"/\\t\")",
    "PathPrefix(\"/\\q\")",
    "PathPrefix(\"\\u002fa\")",
    "PathPrefix('/')",
    "Host(`a.test:80`)",
    "Host(`a.test:8000`)",
    "Host(`a.*`)",
    "Host(`*a.test`)",
    "Host(`*.*.test`)",
    "Host(`**.test`)",
    "Host(` a.test`)",
    "Host(`xn--bcher-kva.test`)",
    "host(`a.test`) && PATHPREFIX(`/`) && Pathprefix(`/`)",
    "pathPrefix(`/`)",
    "Query(`q`, ``)",
    "Query(``, `1`)",
    "Query(``)",
    "QueryRegexp(`q`)",
    "QueryRegexp(`q`, ``)",
    "Header(``, `1`)",
    "Header(`X Role`, `1`)",
    "HeaderRegexp(`X-Case`, `^[0-9]+$`)",
    "Method(`G T`)",
    "Method(`*`)",
    "ClientIP(``)",
    "ClientIP(`127.0.0.1`, `10.0.0.0/8`)",
    "ClientIP(`127.0.0.1/8`)",
    "ClientIP(`::ffff:127.0.0.1`)",
    "ClientIP(`::/0`)",
    "ClientIP(`127.0.0.01`)",
    "PathRegexp(`^/(?<name>a)`)",
    "PathRegexp(`\\C`)",
    "PathRegexp(`a{1001}`)",
    "PathRegexp(`a{2,1}`)",
    "PathRegexp(`/{id}`)",
    "PathRegexp(`^/[[:word:]]`)",
    "PathRegexp(`^/[a-\\d]`)",
    "PathRegexp(`(?x) / a`)",
    "PathRegexp(`(?U)^/.*b`)",
    "PathRegexp(`\\/a`)",
    "PathRegexp(`\\_`)",
    "PathRegexp(`\\<a`)",
    "PathRegexp(`\\Z`)",
    "PathRegexp(`[a&&b]`)",
    "PathRegexp(`(?i:/A)`)",
    "PathRegexp(`\\141`)",
    "PathRegexp(`\\1`)",
    "PathRegexp(`**`)",
    "PathRegexp(`x*+`)",
    "PathRegexp(`\\p{Latin}|\\p{Lu}`)",
    "PathRegexp(`\\p{Script=Latin}`)",
    "PathRegexp(`\\p{Alphabetic}`)",
    "PathRegexp(`\\p{Letter}`)",
    "PathRegexp(`\\d--`)",
    "PathRegexp(`[\\w--a]`)",
    "PathRegexp(`\\u0061`)",
    "PathRegexp(`\\a|\\f|/`)",
    "HostRegexp(`^a.test$`) && HostRegexp(`TEST`)",
    "HostSNI(`a.test`)",
    "HostHeader(`a.test`)",
]
