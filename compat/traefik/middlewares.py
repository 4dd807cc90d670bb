"""Frames about middlewares: each option with several values, alone and in chains."""

from __future__ import annotations

import base64
import itertools
from random import Random

from frames import Frame, Options
from request import Request

# user:test in every kind of hash, and what is none of his.
USERS = [
    "user:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/",
    "sha:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=",
    "crypt:$1$abcdefgh$irWbblnpmw.5z7wgBnprh0",
    "star:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
]
PATHS = ["", "/", "/a", "/a/b", "/a%2Fb", "//c", "/a%20b", "/%C3%A9", "/..%2Fx", "/a;b", "/A"]

KINDS: dict[str, list[Options]] = {
    "addPrefix": [{"prefix": "/new"}, {"prefix": "new"}, {"prefix": "/new/"}, {"prefix": "/a b"}],
    "stripPrefix": [
        {"prefixes": ["/{n}"]},
        {"prefixes": ["/none", "/{n}/a"]},
        {"prefixes": ["/{n}/"]},
        {"prefixes": ["/{n}/a b", "/{n}/é"]},
        {"prefixes": ["/"]},
    ],
    "stripPrefixRegex": [
        {"regex": ["/{n}/[a-z]"]},
        {"regex": ["^/none", "^/[0-9]+"]},
        {"regex": ["[a-z]"]},
        {"regex": ["/{n}(/a)?"]},
    ],
    "replacePath": [{"path": "/new"}, {"path": "/a%2Fb"}, {"path": "/a b"}],
    "replacePathRegex": [
        {"regex": "^/{n}/(.*)", "replacement": "/new/$1"},
        {"regex": "/(a)/(b)", "replacement": "/${2}x/$1"},
        {"regex": "[a-z]", "replacement": "z"},
        {"regex": "^/(?P<all>.*)$", "replacement": "/x/${all}/$2"},
    ],
    "redirectScheme": [
        {"scheme": "https"},
        {"scheme": "https", "port": "8443", "permanent": True},
        {"scheme": "https", "port": "443"},
        {"scheme": "http"},
        {"scheme": "http", "port": "81"},
    ],
    "redirectRegex": [
        {"regex": "^http://([^/]+)/(.*)", "replacement": "https://$1/x/$2"},
        {"regex": "a.test", "replacement": "b.test", "permanent": True},
        {"regex": "^https://", "replacement": "http://"},
        {"regex": "b=1", "replacement": "c=${0}"},
    ],
    "ipAllowList": [
        {"sourceRange": ["127.0.0.1"]},
        {"sourceRange": ["127.0.0.2/32", "10.0.0.0/8"]},
        {"sourceRange": ["10.0.0.0/8"], "rejectStatusCode": 404},
        {"sourceRange": ["10.0.0.0/8"], "ipStrategy": {"depth": 1}},
        {"sourceRange": ["10.0.0.0/8"], "ipStrategy": {"depth": 2}},
        {"sourceRange": ["10.0.0.0/8", "2001:db8::/64"], "ipStrategy": {"excludedIPs": ["10.0.0.1", "127.0.0.1"]}},
        {"sourceRange": ["2001:db8::/64"], "ipStrategy": {"depth": 1, "ipv6Subnet": 64}},
    ],
    "ipWhiteList": [
        {"sourceRange": ["127.0.0.1"]},
        {"sourceRange": ["127.0.0.2/32", "10.0.0.0/8"]},
        {"sourceRange": ["10.0.0.0/8"], "ipStrategy": {"depth": 1}},
    ],
    "encodedCharacters": [
        {"allowEncodedSlash": False},
        {"allowEncodedSlash": True},
        {"allowEncodedSlash": True, "allowEncodedSemicolon": True, "allowEncodedHash": True},
        {"allowEncodedPercent": True, "allowEncodedQuestionMark": True, "allowEncodedNullCharacter": True},
    ],
    "digestAuth": [
        {"users": ["user:traefik:0123456789abcdef0123456789abcdef"]},
        {"users": ["user:here:0123456789abcdef0123456789abcdef"], "realm": "here", "removeHeader": True},
        {"users": ["user:traefik:0123456789abcdef0123456789abcdef"], "headerField": "X-User"},
    ],
    "basicAuth": [
        {"users": USERS},
        {"users": USERS, "realm": "a b", "headerField": "X-User", "removeHeader": True},
        {"users": USERS[1:], "headerField": "X-WebAuth-User"},
    ],
    "inFlightReq": [
        {"amount": 0},
        {"amount": 5},
        {"amount": 0, "sourceCriterion": {"requestHeaderName": "X-A"}},
        {"amount": 5, "sourceCriterion": {"ipStrategy": {"depth": 1}}},
    ],
    "headers": [
        {"customRequestHeaders": {"X-A": "mine", "X-B": ""}},
        {"customRequestHeaders": {"Host": "other.test", "X-Forwarded-For": ""}},
        {"customResponseHeaders": {"X-A": "mine", "X-Nobody": "", "Server": "s"}},
        {"accessControlAllowOriginList": ["https://a.test"], "accessControlAllowMethods": ["GET", "PUT"], "addVaryHeader": True},
        {"accessControlAllowOriginListRegex": ["^https://[a-c]\\.test$"], "accessControlAllowCredentials": True, "accessControlAllowHeaders": ["*"], "accessControlMaxAge": 60},
        {"accessControlAllowOriginList": ["*"], "accessControlExposeHeaders": ["X-A", "X-B"]},
        {"accessControlAllowOriginList": ["*"], "accessControlAllowCredentials": True, "accessControlAllowHeaders": ["X-C", "*"], "accessControlAllowMethods": ["*"], "accessControlExposeHeaders": ["*"]},
        {"stsSeconds": 60, "stsIncludeSubdomains": True, "stsPreload": True, "forceSTSHeader": True},
        {"stsSeconds": 60, "sslProxyHeaders": {"X-Forwarded-Proto": "https"}},
        {"frameDeny": True, "contentTypeNosniff": True, "browserXssFilter": True},
        {"customFrameOptionsValue": "SAMEORIGIN", "customBrowserXSSValue": "0", "referrerPolicy": "no-referrer", "permissionsPolicy": "camera=()"},
        {"contentSecurityPolicy": "default-src 'self'", "contentSecurityPolicyReportOnly": "default-src 'none'"},
        {"allowedHosts": ["a.test", "b.test"], "hostsProxyHeaders": ["X-B"]},
        {"allowedHosts": ["b.test"], "isDevelopment": True},
    ],
}

# Asked by whoever comes last, so the second request of a source is refused.
SELDOM = {"average": 1, "period": "1h"}
KINDS |= {
    "rateLimit": [
        {"average": 0},
        SELDOM,
        {**SELDOM, "burst": 5},
        {**SELDOM, "burst": 0, "sourceCriterion": {"requestHost": True}},
        {**SELDOM, "burst": 2, "sourceCriterion": {"requestHeaderName": "X-A"}},
        {**SELDOM, "burst": 2, "sourceCriterion": {"ipStrategy": {"depth": 1}}},
        {"average": 1, "period": 3600, "burst": 3, "sourceCriterion": {"ipStrategy": {"excludedIPs": ["10.0.0.1"]}}},
    ],
    "buffering": [
        {"maxRequestBodyBytes": 0},
        {"maxRequestBodyBytes": 4},
        {"maxRequestBodyBytes": 5, "memRequestBodyBytes": 2},
        {"maxRequestBodyBytes": 4, "disableRequestBuffer": True},
        {"maxResponseBodyBytes": 10},
        {"maxResponseBodyBytes": 10, "disableResponseBuffer": True},
        {"retryExpression": "IsNetworkError() && Attempts() <= 2"},
        {"retryExpression": "ResponseCode() == 200 && Attempts() < 3"},
    ],
    "retry": [
        {"attempts": 1},
        {"attempts": 3},
        {"attempts": 3, "initialInterval": "1ms", "timeout": "10s"},
        {"attempts": 3, "status": ["500-599"]},
        {"attempts": 2, "status": ["200-299"], "retryNonIdempotentMethod": True},
        {"attempts": 2, "status": ["502"], "disableRetryOnNetworkError": True, "maxRequestBodyBytes": 4},
    ],
    "circuitBreaker": [
        {"expression": "NetworkErrorRatio() > 0.5"},
        {"expression": "ResponseCodeRatio(500, 600, 0, 600) > 0.5", "fallbackDuration": "1h"},
        {"expression": "ResponseCodeRatio(200, 300, 0, 600) >= 0.0", "fallbackDuration": 3600, "responseCode": 429},
        {"expression": "LatencyAtQuantileMS(50.0) > 60000 || NetworkErrorRatio() == 2.0", "checkPeriod": "1ms"},
    ],
    "errors": [
        {"status": ["500-599"], "service": "beta"},
        {"status": ["502"], "service": "beta", "query": "/{status}.html?u={url}"},
        {"status": ["404", "200"], "service": "gamma", "query": "{status}/{originalStatus}", "statusRewrites": {"200-299": 418}},
        {"status": ["200-599"], "service": "beta", "query": "/page", "errorRequestHeaders": ["X-A", "x-b"]},
        {"status": ["200-599"], "service": "dead", "query": "/page"},
    ],
}
# They have more options than there are requests for a frame.
TIMES, CHAINS = 2, 10

# What these are for needs somebody who does not answer.
FAILING = {"buffering", "retry", "circuitBreaker", "errors"}

# Tags of requests: what differs there is listed by them.
TELL_TALE = {"buffering", "errors"}

# Guards outside, then what changes paths and headers.
ORDER = ["ipAllowList", "encodedCharacters", "basicAuth", "rateLimit", "inFlightReq", "errors", "retry", "buffering", "redirectRegex", "headers", "stripPrefix", "addPrefix", "replacePathRegex"]


def frames(random: Random, per_frame: int) -> list[Frame]:
    """One for each kind, then some for chains."""
    made, per_frame = [], per_frame * TIMES
    for number, (kind, variants) in enumerate(KINDS.items()):
        for trusted in (False, True):
            options = {"forwardedHeaders": {"insecure": True}} if trusted else {}
            frame = Frame(f"middlewares-{number:02}-{int(trusted)}", options)
            frame.services["dead"] = {"loadBalancer": {"servers": [{"url": "{nobody}"}]}}
            for which, variant in enumerate(variants):
                service = "dead" if trusted and kind in FAILING else "alpha"
                _route(frame, which, [(kind, variant)], service)
            for asked in range(per_frame):
                _ask(random, frame, asked % len(variants), [kind])
            made.append(frame)
    for number in range(CHAINS):
        frame = Frame(f"middlewares-chain-{number}", {"forwardedHeaders": {"insecure": True}})
        chains = []
        for which in range(3):
            kinds = sorted(random.sample(ORDER, random.randint(2, 4)), key=ORDER.index)
            chains.append(kinds)
            _route(frame, which, [(kind, random.choice(KINDS[kind])) for kind in kinds])
        for asked in range(per_frame):
            _ask(random, frame, asked % 3, chains[asked % 3])
        made.append(frame)
    return made


def _route(frame: Frame, which: int, stations: list[tuple[str, Options]], service: str = "alpha") -> None:
    names = []
    for place, (kind, options) in enumerate(stations):
        name = f"{frame.scene}-{which}-{place}"
        frame.middlewares[name] = {kind: _placed(options, which)}
        names.append(name)
    if len(names) > 1:
        name = f"{frame.scene}-{which}-chain"
        frame.middlewares[name] = {"chain": {"middlewares": names}}
        names = [name]
    frame.route(str(which), f"PathPrefix(`/{which}`)", service, middlewares=names)


def _placed(value: object, which: int) -> object:
    if isinstance(value, str):
        return value.replace("{n}", str(which))
    if isinstance(value, list):
        return [_placed(item, which) for item in value]
    if isinstance(value, dict):
        return {key: _placed(item, which) for key, item in value.items()}
    return value


def _ask(random: Random, frame: Frame, which: int, kinds: list[str]) -> None:
    request = Request(
        host=random.choice(["a.test", "a.test", "a.test:8000", "a.test:80", "b.test"]),
        path=f"/{which}{random.choice(PATHS)}",
        method=random.choice(["GET", "GET", "GET", "POST", "HEAD", "OPTIONS"]),
    )
    request.source = random.choice(["127.0.0.1", "127.0.0.1", "127.0.0.2"])
    if random.random() < 0.3:
        request.query.append(random.choice(["b=1", "q", "a=%2F"]))
    for name, values in [
        ("X-Forwarded-For", ["10.0.0.1", "10.0.0.9, 127.0.0.1", "1.2.3.4,10.0.0.1", "2001:db8::1", "nobody"]),
        ("X-Forwarded-Proto", ["https", "ws", "wss"]),
        ("X-Forwarded-Prefix", ["/before"]),
        ("X-Replaced-Path", ["/before"]),
        ("X-A", ["1"]),
        ("X-B", ["b.test", "2"]),
        ("X-User", ["forged"]),
        ("Origin", ["https://a.test", "https://b.test", "null"]),
    ]:
        if random.random() < 0.3:
            request.headers.append((name, random.choice(values)))
    if random.random() < 0.7 and "Origin" in dict(request.headers):
        request.headers.append(("Access-Control-Request-Method", "PUT"))
        if random.random() < 0.5:
            request.headers.append(("Access-Control-Request-Headers", "x-a, x-b"))
    if random.random() < 0.7:
        request.headers.append(("Authorization", _authorization(random)))
    if request.method == "POST":
        request.body = b"hello"
    tags = {"..%2F": "encoded-dots", "%2Fb": "encoded-slash"}
    tags = [tag for part, tag in tags.items() if part in request.path]
    tags += ["everybody-as-the-user"] * _opens(frame, which)
    frame.ask(request, *tags, *(kind for kind in kinds if kind in TELL_TALE))


def _opens(frame: Frame, which: int) -> bool:
    """Whether every origin may read, with credentials."""
    stations = [parts for name, parts in frame.middlewares.items() if name.startswith(f"{frame.scene}-{which}-")]
    headers = [parts["headers"] for parts in stations if "headers" in parts]
    return any("*" in h.get("accessControlAllowOriginList", []) and "accessControlAllowCredentials" in h for h in headers)


def _authorization(random: Random) -> str:
    user, password = random.choice(
        list(itertools.product(["user", "sha", "crypt"], ["test", "test", "wrong"]))
        + [("star", "U*U"), ("nobody", "test"), ("user", "")]
    )
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return random.choice(["Basic ", "Basic ", "Basic ", "basic ", "Bearer "]) + pair
