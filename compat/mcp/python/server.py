"""An MCP server without any authentication of its own: `server.py PORT SEEN`. What reaches it goes to
the file `SEEN`, a request a line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.transport_security import TransportSecuritySettings

# Longer than that nobody waits for a word.
PATIENCE = 20

server = MCPServer("tools")
word = anyio.Event()


@server.tool()
def add(a: int, b: int) -> int:
    """The sum."""
    return a + b


@server.tool()
def delete(name: str) -> str:
    """Something that not everybody may do."""
    return f"{name} is gone"


@server.tool()
async def wait(context: Context[Any, Any]) -> str:
    """Tells that it has begun, and goes on when somebody says the word: who sees the first only with the
    last never says it."""
    await context.report_progress(1, 2)
    with anyio.fail_after(PATIENCE):
        await word.wait()
    return "heard"


@server.tool()
def say() -> str:
    """The word."""
    word.set()
    return "said"


@server.tool()
def again() -> str:
    """As before any word."""
    global word
    word = anyio.Event()
    return "quiet"


class Seen:
    """Writes down what comes."""

    def __init__(self, app: Any, file: Path) -> None:
        self.app, self.file = app, file

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = [[name.decode(), value.decode()] for name, value in scope["headers"]]
            seen = {"method": scope["method"], "path": scope["path"], "headers": headers}
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(seen) + "\n")
        await self.app(scope, receive, send)


def main() -> None:
    port, seen = int(sys.argv[1]), Path(sys.argv[2])
    # Whoever comes through a gateway names the gateway's host.
    security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    app = server.streamable_http_app(transport_security=security)
    uvicorn.run(Seen(app, seen), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
