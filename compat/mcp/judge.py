"""What must come of what clients tell; each function gives what is wrong."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

WELL_KNOWN = "/.well-known/oauth-protected-resource"
# A request as clients tell of it: method, address, status, challenge.
Told = list[Any]


def key(made: str) -> tuple[str, dict[str, str]]:
    """A key as `key.py` makes it."""
    both = json.loads(made)
    return both["private"], both["public"]


def claims(token: str) -> dict[str, Any]:
    """Those of a token, unverified: the gateway verifies it."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def scopes(token: str) -> list[str]:
    """Those of a token."""
    return sorted(claims(token)["scp"])


def answers(outcome: dict[str, Any]) -> list[str]:
    """Tools answer, and a stream is seen while it goes on."""
    faults = []
    if outcome.get("sum") != "5":
        faults.append(f"the sum is {outcome.get('sum')}")
    if outcome.get("streamed") != "heard":
        faults.append(f"the stream ends with {outcome.get('streamed')}")
    return faults


def token(token: str, resource: str, issuer: str) -> list[str]:
    """It is for the resource, and for nobody else."""
    told = claims(token)
    faults = []
    if told["aud"] != [resource]:
        faults.append(f"the token is for {told['aud']}")
    if told["iss"] != issuer:
        faults.append(f"the token is of {told['iss']}")
    if "tools" not in told["scp"]:
        faults.append(f"the token has {told['scp']}")
    return faults


def way(
    requests: list[Told], route: tuple[str, str], issuer: str, registers: bool
) -> list[str]:
    """From a refusal by the documents of the resource and of the server to a token, and back."""
    base, path = route
    document = f"{base}{WELL_KNOWN}{path}"
    wanted = [
        ("POST", f"{base}{path}", 401),
        ("GET", document, 200),
        ("GET", f"{issuer}/.well-known/oauth-authorization-server", 200),
        *([("POST", f"{issuer}/oauth2/register", 201)] if registers else []),
        ("POST", f"{issuer}/oauth2/token", 200),
        ("POST", f"{base}{path}", 200),
    ]
    # A client that waits for a person begins anew; what it asks again is no other way.
    way = [tuple(one[:3]) for one in requests]
    firsts = [one for at, one in enumerate(way) if one not in way[:at]][: len(wanted)]
    faults = [] if firsts == wanted else [f"the way is {firsts}"]
    challenge = requests[0][3]
    if not challenge.startswith("Bearer ") or f'resource_metadata="{document}"' not in challenge:
        faults.append(f"the challenge is {challenge}")
    return faults


def opened(address: str, resource: str, callback: str) -> list[str]:
    """What a browser is sent to the authorization server with."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    wanted = {"response_type": "code", "code_challenge_method": "S256", "resource": resource,
              "redirect_uri": callback}  # fmt: skip
    return [f"{name} is {query.get(name)}" for name, value in wanted.items() if query.get(name) != value]


def later(outcome: dict[str, Any], resource: str, issuer: str) -> list[str]:
    """Tokens are refreshed without a person, and a tool that wants more gets a token that has more."""
    faults = []
    if "refreshed" in outcome:
        if outcome["refreshed"] == outcome["token"] or outcome["refreshed_sum"] != "7":
            faults.append("the token was not refreshed")
        faults += token(outcome["refreshed"], resource, issuer)
        between = outcome["requests"][outcome["begun"] : outcome["refreshed_at"]]
        calls = [one[1] for one in between if one[1].startswith(issuer) and one[0] == "POST"]
        if calls != [f"{issuer}/oauth2/token"]:
            faults.append(f"a refresh calls {calls}")
    if "stepped_up" in outcome and resource.endswith("/mcp") and "/other" not in resource:
        if outcome["deleted"] != "x is gone":
            faults.append(f"the tool says {outcome['deleted']}")
        challenges = [one[3] for one in outcome["requests"] if one[2] == 403]
        if len(challenges) != 1 or 'scope="tools tools:write"' not in challenges[0]:
            faults.append(f"the challenges are {challenges}")
        if not {"tools", "tools:write"} <= set(scopes(outcome["stepped_up"])):
            faults.append(f"the token has {scopes(outcome['stepped_up'])}")
    if "refreshed" not in outcome and "stepped_up" not in outcome:
        faults.append("it neither refreshed nor stepped up")
    return faults


def reached(seen: list[dict[str, Any]]) -> list[str]:
    """No token, and whose request it is."""
    faults = [] if seen else ["nothing came"]
    for one in seen:
        names = [name for name, _ in one["headers"]]
        if "authorization" in names:
            faults.append(f"{one['method']} {one['path']} brought a token")
        if not [value for name, value in one["headers"] if name == "x-user" and value]:
            faults.append(f"{one['method']} {one['path']} is of nobody")
        if one["path"] != "/mcp":
            faults.append(f"it came at {one['path']}")
    return faults
