"""Frames about what is behind a router: services of each kind, and their options."""

from __future__ import annotations

from random import Random

from frames import Frame, Options
from request import Request

# `{alpha}` and its like become the address of that backend, `{nobody}` one where none is.
SERVERS: Options = {"servers": [{"url": "{alpha}"}]}
STICKY = [
    {},
    {"name": "which"},
    {"name": "which", "secure": True, "httpOnly": True, "sameSite": "strict"},
    {"maxAge": 60, "path": "/a", "domain": "a.test"},
    {"sameSite": "none", "maxAge": -1},
    {"sameSite": "Lax"},
]


def balancer(**more: object) -> Options:
    """A load balancer with one server and some options."""
    return {"loadBalancer": {**SERVERS, **more}}


def servers(*urls: str, **more: object) -> Options:
    """A load balancer with these servers."""
    return {"loadBalancer": {"servers": [{"url": url} for url in urls], **more}}


def weighted(*names: tuple[str, int | None], **more: object) -> Options:
    """A service of services."""
    members = [
        {"name": name, **({} if weight is None else {"weight": weight})} for name, weight in names
    ]
    return {"weighted": {"services": members, **more}}


def mirroring(*mirrors: tuple[str, int], **more: object) -> Options:
    """A service whose requests others get, too. Their answers go nowhere."""
    copies = [{"name": name, "percent": percent} for name, percent in mirrors]
    return {"mirroring": {"service": "alpha", "mirrors": copies, **more}}


VARIANTS: list[list[Options]] = [
    [balancer(passHostHeader=False), balancer(passHostHeader=True)],
    [servers("{alpha}/base"), servers("{alpha}/base/", "{alpha}/base/")],
    [
        {"loadBalancer": {"servers": [{"url": "{alpha}/base", "preservePath": True}]}},
        {"loadBalancer": {"servers": [{"url": "{alpha}/base?x=1", "preservePath": True}]}},
    ],
    [servers(), servers("{nobody}")],
    [balancer(sticky={"cookie": cookie}) for cookie in STICKY[:3]],
    [balancer(sticky={"cookie": cookie}) for cookie in STICKY[3:]],
    [
        {"loadBalancer": {"servers": [{"url": "{alpha}", "weight": 1}, {"url": "{beta}", "weight": 0}]}},
        {"loadBalancer": {"servers": [{"url": "{alpha}", "weight": 3}]}},
    ],
    [weighted(("alpha", 1), ("beta", 0)), weighted(("alpha", 0), ("beta", 0)), weighted(("beta", None))],
    [
        weighted(("alpha", 1), sticky={"cookie": {"name": "outer"}}),
        weighted(("beta", 1), sticky={"cookie": {}}),
    ],
    [balancer(strategy=strategy) for strategy in ("wrr", "p2c", "hrw", "leasttime")],
    [
        balancer(responseForwarding={"flushInterval": "1ms"}),
        balancer(responseForwarding={"flushInterval": "-1ms"}),
    ],
    [{"highestRandomWeight": {"services": [{"name": "alpha", "weight": 1}]}}],
    [mirroring(("beta", 100)), mirroring(("beta", 50), ("gamma", 100)), mirroring()],
    [
        mirroring(("beta", 100), mirrorBody=False),
        mirroring(("beta", 100), maxBodySize=3),
    ],
    [
        {**balancer(), "middlewares": ["guard"]},
        {**weighted(("alpha", 1)), "middlewares": ["guard", "guard-too"]},
    ],
]

# What services may have before them.
GUARDS: dict[str, Options] = {
    "guard": {"headers": {"customRequestHeaders": {"X-Guard": "1"}}},
    "guard-too": {"addPrefix": {"prefix": "/too"}},
}


def frames(random: Random, per_frame: int) -> list[Frame]:
    """One for each set of variants, a router for each of them."""
    made = []
    for number, variants in enumerate(VARIANTS):
        frame = Frame(f"services-{number:02}")
        if any("middlewares" in variant for variant in variants):
            frame.middlewares.update(GUARDS)
        for which, variant in enumerate(variants):
            name = f"{frame.scene}-{which}"
            frame.services[name] = variant
            frame.route(str(which), f"PathPrefix(`/{which}`)", name)
        for asked in range(per_frame):
            _ask(random, frame, asked % len(variants))
        made.append(frame)
    return made


def _ask(random: Random, frame: Frame, which: int) -> None:
    request = Request(
        host=random.choice(["a.test", "a.test:8000", "A.test"]),
        path=random.choice([f"/{which}", f"/{which}/", f"/{which}/a%2Fb", f"/{which}//c"]),
        method=random.choice(["GET", "GET", "POST", "HEAD"]),
    )
    if random.random() < 0.3:
        request.query.append(random.choice(["q=1", "q"]))
    if random.random() < 0.4:
        cookie = random.choice(["which=nobody", "outer=x; other=1", "a=1"])
        request.headers.append(("Cookie", cookie))
    if request.method == "POST":
        request.body = b"hello"
    frame.ask(request)
