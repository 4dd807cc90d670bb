"""Which library asks in which way, and what must come of it."""

from __future__ import annotations

from typing import Any, Iterable

import programs
from case import Case
from forge import forgeries
from programs import Library
from server import Server

PLAIN, NASTY = "traefiklabs", "p:w+1 %/\u00e9"
# No colon: a user name of Basic authentication has none (RFC 7617, section 2).
NASTY_ID = "svc+1 %/\u00e9"
AUDIENCE, SCOPE = "https://api.example", "read"
# Of the keys that clients sign assertions with.
CLIENT_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
# Of access tokens beside RS256, in the profile of RFC 9068.
TOKEN_ALGORITHMS = ("PS256", "ES256", "ES384", "EdDSA")
PRIVATE = ("d", "p", "q", "dp", "dq", "qi")

Key = dict[str, Any]


def play(carnet: str, libraries: list[Library]) -> list[Case]:
    """All of it, each kind against a server of its own."""
    cases = _signed(carnet, libraries) + _opaque(carnet, libraries)
    for algorithm in TOKEN_ALGORITHMS:
        cases.append(_algorithm(carnet, libraries[0], algorithm))
    return cases


def _signed(carnet: str, libraries: list[Library]) -> list[Case]:
    """Every way to a token, each token verified by everybody."""
    with Server(carnet, {"STRATEGIES_ACCESS_TOKEN": "jwt"}) as server:
        keys = {name: server.create_key(f"clients-{name}", name) for name in CLIENT_ALGORITHMS}
        stranger = server.create_key("clients-stranger", "RS256")
        cases = []
        for library in libraries:
            asked = list(_secrets(server, library))
            if programs.ASSERTION in library.methods:
                asked += _assertions(server, library, keys, stranger)
            _obtain(server, library, asked)
            cases += asked
        _verify(server, "JWT", "RS256", cases)
    return cases


def _opaque(carnet: str, libraries: list[Library]) -> list[Case]:
    """The default: tokens that introspection alone can read."""
    cases = []
    with Server(carnet, {}) as server:
        for library in libraries:
            asked = [_secret(server, library, method, "opaque", {}) for method in programs.SECRETS]
            _obtain(server, library, asked)
            cases += asked
        for case in cases:
            is_ours = str(case.token).startswith("ory_at_") and server.is_active(case.token)
            case.judge("introspection", is_ours, "inactive")
    return cases


def _algorithm(carnet: str, library: Library, algorithm: str) -> Case:
    """A token of RFC 9068 that is signed with this algorithm."""
    settings = {
        "STRATEGIES_ACCESS_TOKEN": "jwt",
        "STRATEGIES_JWT_PROFILE": "rfc9068",
        "JWKS_ALGORITHM": algorithm,
    }
    with Server(carnet, settings) as server:
        case = _secret(server, library, programs.SECRETS[0], f"at+jwt {algorithm}", {})
        _obtain(server, library, [case])
        _verify(server, "at+jwt", algorithm, [case])
    return case


# Holds TE-09, TE-10, TE-15.
def _secrets(server: Server, library: Library) -> Iterable[Case]:
    for method in programs.SECRETS:
        nasty_id = {"client_id": f"{NASTY_ID} {library.name} {method}"}
        yield _secret(server, library, method, "plain", {})
        yield _secret(server, library, method, "nasty", {"client_secret": NASTY})
        yield _secret(server, library, method, "nasty id", {"client_secret": NASTY, **nasty_id})
        wrong = _secret(server, library, method, "wrong", {})
        wrong.client["secret"] = "another"
        wrong.refusal = "invalid_client"
        yield wrong


def _secret(server: Server, library: Library, method: str, name: str, more: Key) -> Case:
    """A registered client with the plain secret, unless `more` says otherwise."""
    client = {"client_secret": PLAIN, **more}
    made = _register(server, method, client)
    entry = {"id": made, "method": method, "secret": client["client_secret"]}
    return Case(library.name, method, name, entry)


def _assertions(
    server: Server, library: Library, keys: dict[str, Key], stranger: Key
) -> Iterable[Case]:
    method = programs.ASSERTION
    for algorithm, key in keys.items():
        if algorithm in library.lacks:
            continue
        public = {name: key[name] for name in key if name not in PRIVATE}
        more = {"jwks": {"keys": [public]}, "token_endpoint_auth_signing_alg": algorithm}
        entry = {"id": _register(server, method, more), "method": method, "key": key}
        yield Case(library.name, method, algorithm, entry)
        if algorithm == stranger["alg"]:
            forged = {**entry, "key": {**stranger, "kid": key["kid"]}}
            yield Case(library.name, method, "another key", forged, "invalid_client")


def _register(server: Server, method: str, more: Key) -> str:
    client = {
        "grant_types": ["client_credentials"],
        "audience": [AUDIENCE],
        "scope": SCOPE,
        "token_endpoint_auth_method": method,
        **more,
    }
    return server.create_client(client)["client_id"]


def _obtain(server: Server, library: Library, cases: list[Case]) -> None:
    """Runs the library for all of these clients."""
    plan = {
        "issuer": server.issuer,
        "token_url": server.token_url,
        "audience": AUDIENCE,
        "scope": SCOPE,
        "clients": [{"name": str(at), **case.client} for at, case in enumerate(cases)],
    }
    outcomes = programs.run(library.command, plan)
    for at, case in enumerate(cases):
        case.take(outcomes.get(str(at), {}))


def _verify(server: Server, kind: str, algorithm: str, cases: list[Case]) -> None:
    """Gives every verifier every token, and its forgeries."""
    wanted: dict[str, tuple[Case, str, bool]] = {}
    for at, case in enumerate(cases):
        if case.token:
            wanted[str(at)] = (case, case.token, True)
            for name, forged in forgeries(case.token).items():
                wanted[f"{at} {name}"] = (case, forged, False)
    tokens = [{"name": name, "token": token} for name, (_, token, _) in wanted.items()]
    plan = {"issuer": server.issuer, "audience": AUDIENCE, "type": kind, "tokens": tokens}
    for verifier in programs.VERIFIERS:
        if algorithm in verifier.lacks:
            continue
        outcomes = programs.run(verifier.command, plan)
        for name, (case, _, is_genuine) in wanted.items():
            outcome = outcomes.get(name, {})
            subject = case.client["id"] if is_genuine else None
            is_right = outcome.get("subject") == subject and bool(outcome)
            case.judge(verifier.name, is_right, f"{name}: {outcome}")
