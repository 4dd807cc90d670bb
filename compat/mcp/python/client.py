"""Clients of the package `mcp`. Reads plans, a line each; tells `open` and is told where the browser ended;
tells an outcome of each plan."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)


class Memory:
    """What a client keeps."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Person:
    """Who opens addresses, by way of whoever runs this program."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.ended = ""

    async def go(self, address: str) -> None:
        self.opened.append(address)
        tell({"open": address})
        self.ended = json.loads(sys.stdin.readline())

    async def come(self) -> AuthorizationCodeResult:
        told = {name: values[0] for name, values in parse_qs(urlsplit(self.ended).query).items()}
        return AuthorizationCodeResult(code=told["code"], state=told["state"], iss=told.get("iss"))


def provider(plan: dict[str, Any], memory: Memory, person: Person) -> httpx2.Auth | None:
    """How a client gets its tokens."""
    url, issuer = plan["url"], plan.get("issuer")
    match plan["way"]:
        case "open":
            return None
        case "secret":
            return ClientCredentialsOAuthProvider(
                url, memory, plan["id"], plan["secret"], scope="tools", issuer=issuer
            )
        case "key":
            signed = SignedJWTParameters(issuer=plan["id"], subject=plan["id"], signing_key=plan["key"])
            return PrivateKeyJWTOAuthProvider(
                url, memory, plan["id"], signed.create_assertion_provider(), "tools", issuer
            )
    metadata = OAuthClientMetadata(
        client_name="a client in Python",
        redirect_uris=[plan["redirect_uri"]],
        token_endpoint_auth_method=plan["way"],
        grant_types=["authorization_code", "refresh_token"],
    )
    return OAuthClientProvider(url, metadata, memory, person.go, person.come)


async def play(plan: dict[str, Any]) -> dict[str, Any]:
    """Connects, calls tools, refreshes, steps up."""
    memory, person, seen = Memory(), Person(), []
    auth = provider(plan, memory, person)

    async def note(response: httpx2.Response) -> None:
        request = response.request
        challenge = response.headers.get("www-authenticate", "")
        seen.append([request.method, str(request.url), response.status_code, challenge])

    hooks = {"response": [note]}
    outcome: dict[str, Any] = {"name": plan["name"], "requests": seen, "opened": person.opened}
    async with httpx2.AsyncClient(auth=auth, event_hooks=hooks, timeout=30) as http:
        async with Client(streamable_http_client(plan["url"], http_client=http)) as client:
            outcome["sum"] = text(await client.call_tool("add", {"a": 2, "b": 3}))
            outcome["streamed"] = await streamed(client)
            if memory.tokens:
                outcome["token"] = memory.tokens.access_token
            if isinstance(auth, OAuthClientProvider) and plan["way"] not in ("secret", "key"):
                outcome["begun"] = len(seen)
                # As if its time were over.
                auth.context.token_expiry_time = 1.0
                outcome["refreshed_sum"] = text(await client.call_tool("add", {"a": 3, "b": 4}))
                outcome["refreshed"] = memory.tokens.access_token if memory.tokens else ""
                outcome["refreshed_at"] = len(seen)
                outcome["deleted"] = text(await client.call_tool("delete", {"name": "x"}))
                outcome["stepped_up"] = memory.tokens.access_token if memory.tokens else ""
    return outcome


async def streamed(client: Client) -> str:
    """A tool that waits for what comes only when its begin was seen."""
    await client.call_tool("again", {})
    begun = asyncio.Event()

    async def progress(*_: object) -> None:
        begun.set()

    async def answer() -> None:
        await begun.wait()
        await client.call_tool("say", {})

    speaker = asyncio.create_task(answer())
    said = text(await client.call_tool("wait", {}, progress_callback=progress))
    await speaker
    return said


def text(result: Any) -> str:
    return str(result.content[0].text)


def tell(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


def main() -> None:
    for line in sys.stdin:
        tell(asyncio.run(play(json.loads(line))))


if __name__ == "__main__":
    main()
