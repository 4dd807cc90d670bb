#!/usr/bin/env python3
"""Exchanges credentials at authorization servers that others wrote, in both modes and by every method, and
callers' tokens between two trust domains.

    python3 compat/providers/run.py --carnet target/release/carnet
    python3 compat/providers/run.py --carnet target/release/carnet --keycloak    Keycloak too, minutes

Exit code 1: a right client got no token, a wrong one did, or the service saw something that it must not see.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "bench")]

import domains  # noqa: E402
import vendors  # noqa: E402
from clients import AUDIENCE, KEY, POST, SECRET_KEY, Client, clients  # noqa: E402
from processes import Processes  # noqa: E402
from stand import HEADER, Gateway, Service  # noqa: E402
from vendors import Vendor  # noqa: E402

# Callers that come at once with one cold key.
CALLERS = 20
# The route that they ask.
COLD = "cold"


@dataclass(frozen=True)
class Question:
    """A route, who asks there, and what must come of it."""

    route: str
    options: dict[str, Any]
    # Whose token the service sees; None: an opaque one.
    client: str | None
    # What the caller shows; None: nothing.
    pair: tuple[str, str] | None
    status: int = 200
    # For the table.
    what: str = ""
    # What judges the token that the caller's credentials became.
    judge: tuple[dict[str, Any], ...] = ()

    def chain(self) -> list[dict[str, Any]]:
        """The middlewares of the route."""
        return [{"oAuthClientCredentials": self.options}, *self.judge]


def questions(vendor: Vendor, known: list[Client]) -> list[Question]:
    """All of them."""
    asked = []
    for client in known:
        if client.method in (KEY, SECRET_KEY):
            asked.append(_signed(vendor, client))
        else:
            asked += _with_secret(vendor, client)
    first = known[0]
    pair = (first.id, first.secret)
    own = {"clientID": first.id, "clientSecret": first.secret}
    scoped = {**_options(vendor), "scopes": [vendor.scope]}
    never = {**_options(vendor), "claims": f"!Equals(`{vendor.identity}`, `{first.id}`)"}
    asked += [
        Question("scope-a", scoped, first.id, pair, what="mode A, a scope"),
        Question("scope-b", {**scoped, **own}, first.id, None, what="mode B, a scope"),
        *_unknown_scope(vendor, first),
        Question("claims-a", never, "", pair, 403, "mode A, claims that do not hold"),
        Question("claims-b", {**never, **own}, "", None, 403, "mode B, the same"),
        Question("nobody", _options(vendor), "", ("nobody", "x"), 401, "mode A, an unknown client"),
        Question("empty", _options(vendor), "", None, 401, "mode A, no credentials"),
    ]
    asked += _judged(vendor, first)
    if vendor.has_opaque_tokens:
        opaque = {"url": vendor.token_url, "cache": {"header": HEADER}}
        unread = {**opaque, "claims": f"Equals(`{vendor.identity}`, `{first.id}`)"}
        asked += [
            Question("opaque-a", opaque, None, pair, what="mode A, an opaque token"),
            Question("opaque-b", {**opaque, **own}, None, None, what="mode B, the same"),
            Question("opaque-claims", unread, "", pair, 403, "mode A, claims of an opaque token"),
        ]
    return asked


def _unknown_scope(vendor: Vendor, client: Client) -> list[Question]:
    options = {**_options(vendor), "scopes": ["nobody-has-this"]}
    own = {**options, "clientID": client.id, "clientSecret": client.secret}
    statuses = (403, 502) if vendor.refuses_scopes else (200, 200)
    return [
        Question("no-scope-a", options, client.id, (client.id, client.secret), statuses[0],
                 "mode A, a scope that nobody has"),
        Question("no-scope-b", own, client.id, None, statuses[1], "mode B, the same"),
    ]  # fmt: skip


def _judged(vendor: Vendor, client: Client) -> list[Question]:
    """Behind both modes stand those who verify tokens, and those who ask their server about them."""
    pair, own = (client.id, client.secret), {"clientID": client.id, "clientSecret": client.secret}
    keys = {"discovery": vendor.discovery, "audience": [AUDIENCE], "forwardAuthorization": True}
    bearer = {"header": "Authorization", "headerAuthScheme": "Bearer"}
    asks = {"clientConfig": {"url": vendor.introspection}, "tokenSource": bearer, **own}
    asks["forwardAuthorization"] = True
    options = _options(vendor)
    # node-oidc-provider says nothing of tokens that it does not keep.
    unkept = {"url": vendor.token_url, "cache": {"header": HEADER}}
    told, whose = (unkept, None) if vendor.has_opaque_tokens else (options, client.id)
    return [
        Question("keys-a", options, client.id, pair, what="mode A, then jwt", judge=({"jwt": keys},)),
        Question("keys-b", {**options, **own}, client.id, None, what="mode B, then jwt", judge=({"jwt": keys},)),
        Question("asks-a", told, whose, pair, what="mode A, then introspection",
                 judge=({"oAuthIntrospection": asks},)),
        Question("asks-b", {**told, **own}, whose, None, what="mode B, then introspection",
                 judge=({"oAuthIntrospection": asks},)),
    ]  # fmt: skip


def _options(vendor: Vendor) -> dict[str, Any]:
    """What all routes have: signature, issuer and audience of each token are checked."""
    return {
        "url": vendor.token_url,
        **vendor.audience,
        "forwardHeaders": {"X-Client": vendor.identity},
        "verify": {"discovery": vendor.discovery, "audience": AUDIENCE},
        "cache": {"header": HEADER},
    }


def _with_secret(vendor: Vendor, client: Client) -> list[Question]:
    name, pair = f"{client.id}, {client.method}", (client.id, client.secret)
    options = _options(vendor)
    own = {**options, "clientID": client.id}
    right, wrong = {**own, "clientSecret": client.secret}, {**own, "clientSecret": "another"}
    route = client.id
    bad = (client.id, "another")
    return [
        Question(f"{route}-a", options, client.id, pair, what=f"mode A, {name}"),
        Question(f"{route}-a-wrong", options, "", bad, 401, f"mode A, {name}, wrong secret"),
        Question(f"{route}-b", right, client.id, None, what=f"mode B, {name}"),
        Question(f"{route}-b-wrong", wrong, "", None, 502, f"mode B, {name}, wrong secret"),
    ]


def _signed(vendor: Vendor, client: Client) -> Question:
    # Servers disagree about the audience; the issuer is what all of them take.
    assertion: dict[str, Any] = {"audience": vendor.issuer}
    options = {**_options(vendor), "clientID": client.id, "clientAssertion": assertion}
    if client.method == KEY:
        assertion["key"] = client.key
    else:
        options["clientSecret"] = client.secret
    return Question(f"{client.id}-b", options, client.id, None, what=f"mode B, {client.method}")


def play(vendor: Vendor, carnet: str, folder: Path) -> int:
    """Asks everything; how many answers are wrong."""
    known = [client for client in clients(folder, vendor.nasty) if client.method in vendor.methods]
    began = time.monotonic()
    vendor.start(known, folder)
    ready = time.monotonic() - began
    service = Service(vendor)
    try:
        with Processes(folder) as processes:
            gateway = Gateway(carnet, folder, processes)
            asked = questions(vendor, known)
            crowd = next(client for client in known if client.method == POST)
            service.expected = {one.route: one.client for one in asked} | {COLD: crowd.id}
            routes = {one.route: one.chain() for one in asked}
            routes[COLD] = [{"oAuthClientCredentials": _options(vendor)}]
            gateway.start(routes, service.port)
            missed = sum(_ask(gateway, service, one) for one in asked)
            missed += _at_once(gateway, crowd)
            missed += _secrets(gateway, known)
            numbers = [gateway.counted(name) for name in ("requests_total", "calls_total", "saved_total")]
    finally:
        service.close()
        vendor.__exit__()
    for fault in service.faults:
        print(f"MISSED: {fault}")
    print(
        f"{vendor.name}: ready after {ready:.0f} s; {numbers[0]} requests for tokens, {numbers[1]} calls, "
        f"{numbers[2]} calls saved; {service.requests} requests at the service",
        flush=True,
    )
    return missed + len(service.faults)


def _ask(gateway: Gateway, service: Service, one: Question) -> int:
    """Asks twice: the second answer is the first one's, from memory where there is a token."""
    before = service.requests
    answers = [gateway.ask("/", one.route, one.pair)[:2] for _ in range(2)]
    wanted = [(200, "miss"), (200, "hit")] if one.status == 200 else [(one.status, "refused")] * 2
    reached = service.requests - before
    is_right = answers == wanted and reached == (2 if one.status == 200 else 0)
    print(f"{'ok' if is_right else f'MISSED: {answers}, {reached} reached the service'}: {one.what}")
    return not is_right


def _at_once(gateway: Gateway, client: Client) -> int:
    """Callers who come together, to a route that nobody has asked, make one call."""
    before = gateway.counted("calls_total")
    pair = (client.id, client.secret)
    with ThreadPoolExecutor(CALLERS) as pool:
        statuses = list(pool.map(lambda _: gateway.ask("/", COLD, pair)[0], range(CALLERS)))
    calls = gateway.counted("calls_total") - before
    is_right = statuses == [200] * CALLERS and calls == 1
    print(f"{'ok' if is_right else f'MISSED: {statuses}, {calls} calls'}: {CALLERS} callers at once, one call")
    return not is_right


def _secrets(gateway: Gateway, known: list[Client]) -> int:
    """No secret is in the log at its finest."""
    said = gateway.said()
    shown = [client.id for client in known if client.secret and client.secret in said]
    print(f"{'ok' if not shown else f'MISSED: those of {shown}'}: no secret in the log")
    return len(shown)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--carnet", required=True, metavar="PATH", help="the binary")
    parser.add_argument("--keycloak", action="store_true", help="Keycloak too")
    options = parser.parse_args()
    played: list[Vendor] = [vendors.Ours(options.carnet), vendors.OidcProvider()]
    if options.keycloak:
        played.append(vendors.Keycloak())
    missed = 0
    for vendor in played:
        print(f"== {vendor.name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="carnet-providers-") as name:
            missed += play(vendor, options.carnet, Path(name))
    for cross in domains.crossings(options.keycloak):
        print(f"== {cross.name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="carnet-domains-") as name:
            missed += cross(options.carnet, Path(name)).play()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
