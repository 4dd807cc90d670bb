"""Routes with `oidc`: what manifests say of them, their clients, and asking them."""

from __future__ import annotations

import http.client
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, urlsplit

from stand import Stand, admin, check

# The tutorial's.
SECRET = "traefiklabs"
REDIRECTS = (302, 303, 307)
# Seconds until a change of manifests is served.
PATIENCE = 20.0


@dataclass(frozen=True)
class Route:
    """A route with `oidc`, as a manifest says."""

    name: str
    text: str
    host: str
    # Paths: of a page, of what logs in and out, and where the server sends people back to.
    page: str
    login: str | None
    logout: str
    callback: str
    cookie: str
    # The Secret with the client, where it does not come from variables.
    secret: str | None

    @classmethod
    def read(cls, file: Path) -> Route:
        """What a manifest says."""
        text = file.read_text(encoding="utf-8")

        def found(pattern: str) -> str | None:
            match = re.search(pattern, text)
            return match and match[1]

        return cls(
            name=f"{file.parent.name}-{file.stem}", text=text,
            host=found(r"Host\(`([^`]+)`\)") or "",
            page=found(r"\(Path\(`([^`]+)`\)") or "/",
            login=found(r"\bloginUrl: *(\S+)"),
            logout=found(r"\blogoutUrl: *(\S+)") or "",
            callback=found(r"\bredirectUrl: *(\S+)") or "",
            cookie=found(r"session:\s+name: *\"?([\w-]+)") or "",
            secret=found(r"urn:k8s:secret:([\w-]+):client_id"),
        )  # fmt: skip

    @property
    def begin(self) -> str:
        """Where people begin to log in."""
        return self.login or self.page

    def url(self, path: str) -> str:
        """An address, as browsers know it."""
        return f"http://{self.host}{path}"

    def client(self) -> dict[str, object]:
        """Its client, as every server wants it registered."""
        return {
            "client_secret": SECRET,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "redirect_uris": [self.url(self.callback)],
            "post_logout_redirect_uris": [self.url(self.page)],
        }

    def apply(self, stand: Stand, folder: str, client_id: str) -> None:
        """Serves it in the place of what had the same `folder`, and waits until it is."""
        variables = {"CLIENT_ID": client_id, "CLIENT_SECRET": SECRET}
        text = Template(self.text).safe_substitute(variables)
        if self.secret:
            text += f"\n---\n{json.dumps(self._secret(client_id))}\n"
        draft = stand.folder / "draft.yaml"
        draft.write_text(text, encoding="utf-8")
        draft.rename(stand.routes / f"{folder}.yaml")
        until = time.monotonic() + PATIENCE
        while self._asks_for() != client_id:
            check(time.monotonic() < until, f"{self.name} is served", stand.said()[-3000:])
            time.sleep(0.1)

    def _secret(self, client_id: str) -> dict[str, object]:
        return {
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": self.secret, "namespace": "apps"},
            "stringData": {"client_id": client_id, "client_secret": SECRET},
        }  # fmt: skip

    def _asks_for(self) -> str | None:
        """The client with which people would be sent to log in now."""
        answer = asked(self, self.begin)
        query = parse_qs(urlsplit(answer.location).query)
        return query.get("client_id", [None])[0]


@dataclass(frozen=True)
class Answer:
    """What a route says to a request."""

    status: int
    location: str
    cookies: list[str]
    text: str


def asked(
    route: Route, path: str, cookies: str = "", method: str = "GET", **more: str
) -> Answer:
    """One request, which follows nothing, with more headers."""
    connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=20)
    # As who shows the answer to a person; others are not sent to log in.
    headers = {"Host": route.host, "Accept": "text/html", **more}
    if cookies:
        headers["Cookie"] = cookies
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        set_cookie = answer.headers.get_all("Set-Cookie") or []
        text = answer.read().decode(errors="replace")
        return Answer(answer.status, answer.headers.get("Location", ""), set_cookie, text)
    finally:
        connection.close()


def registered(route: Route, **lifespans: str) -> str:
    """Registers its client with our server, and gives its id."""
    client = {**route.client(), "scope": "openid offline"}
    client_id = admin("POST", "/admin/clients", client)["client_id"]
    if lifespans:
        admin("PUT", f"/admin/clients/{client_id}/lifespans", lifespans)
    return client_id
