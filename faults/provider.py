"""A provider of tokens that does as it is told, well or badly: a program of its own, so that it can be killed.

    python3 provider.py PORT

`POST /token` is its token endpoint, `POST /introspect` vouches for tokens, `GET /jwks` has its keys, and
`GET /.well-known/openid-configuration` its metadata. `POST /mood` says how it is from now on, `GET /seen`, `GET /vouched`
and `GET /fetched` what it was asked for, each with its time. Tokens are JWTs about their client, with a signature that
nobody made.
"""

from __future__ import annotations

import base64
import json
import socket
import sys
import threading
import time
from urllib.parse import parse_qs

MOOD = {"life": 300, "revoked": []}
METADATA = "/.well-known/openid-configuration"


def token(client: str, life: float) -> str:
    """A JWT about a client."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    now = time.time()
    claims = {"sub": client, "iat": int(now), "exp": int(now + life)}
    return f"{part({'alg': 'ES256', 'typ': 'JWT'})}.{part(claims)}.c2lnbmF0dXJl"


class Provider:
    """The server."""

    def __init__(self, port: int) -> None:
        self.mood: dict = dict(MOOD)
        self.seen: list[tuple[float, str]] = []
        self.vouched: list[tuple[float, str]] = []
        self.fetched: list[float] = []
        self.url = f"http://127.0.0.1:{port}"
        self.listener = socket.create_server(("127.0.0.1", port), backlog=1024)

    def serve(self) -> None:
        """For ever."""
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as reader:
            try:
                while self._answer(connection, reader):
                    pass
            except (OSError, ValueError):
                pass

    def _answer(self, connection: socket.socket, reader) -> bool:
        line = reader.readline().decode("latin-1").split(" ")
        if len(line) < 2:
            return False
        length = 0
        while (field := reader.readline().strip()) != b"":
            name, _, value = field.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = reader.read(length)
        path, form = line[1].partition("?")[0], body.decode()
        if path == "/mood":
            self.mood = {**MOOD, **json.loads(body)}
            return _send(connection, 200, b"{}")
        asked = {"/seen": self.seen, "/vouched": self.vouched, "/fetched": self.fetched}
        if path in asked:
            return _send(connection, 200, json.dumps(asked[path]).encode())
        if path == "/jwks":
            self.fetched.append(time.time())
            return self._publish(connection, "jwks", {})
        if path == METADATA:
            return self._publish(connection, "metadata", self._metadata())
        if path == "/introspect":
            return self._vouch(connection, form)
        return self._give(connection, form)

    def _metadata(self) -> dict[str, str]:
        places = {"jwks_uri": "/jwks", "authorization_endpoint": "/login", "token_endpoint": "/token"}
        return {"issuer": self.url, **{name: self.url + path for name, path in places.items()}}

    def _publish(self, connection: socket.socket, what: str, otherwise: dict) -> bool:
        """What a mood says of a document; status 0 is an end without an answer."""
        status = self.mood.get(f"{what}_status", 200)
        return status > 0 and _send(connection, status, json.dumps(self.mood.get(what, otherwise)).encode())

    def _is_troubled(self, connection: socket.socket) -> bool | None:
        """What a mood answers to whatever is sent: whether the connection goes on. Nothing: it is well."""
        mood = self.mood
        time.sleep(mood.get("delay", 0))
        if "bytes" in mood:
            # The end of a connection may be the end of an answer.
            connection.sendall(base64.b64decode(mood["bytes"]))
            for _ in range(mood.get("more", 0)):
                connection.sendall(b"x" * 65536)
            return False
        if "status" in mood:
            return _send(connection, mood["status"], b"{}", mood.get("fields", ""))
        return None

    def _vouch(self, connection: socket.socket, form: str) -> bool:
        """A token is the name of whom it is about."""
        token = parse_qs(form).get("token", [""])[0]
        self.vouched.append((time.time(), token))
        goes_on = self._is_troubled(connection)
        if goes_on is not None:
            return goes_on
        answer = {"active": False} if token in self.mood["revoked"] else {"active": True, "sub": token}
        return _send(connection, 200, json.dumps(answer).encode())

    def _give(self, connection: socket.socket, form: str) -> bool:
        fields = parse_qs(form)
        client = fields.get("client_id", [""])[0]
        self.seen.append((time.time(), client))
        goes_on = self._is_troubled(connection)
        if goes_on is not None:
            return goes_on
        mood = self.mood
        # All clients are registered to show themselves in the form.
        if not client or client in mood["revoked"]:
            return _send(connection, 401, b'{"error": "invalid_client"}')
        if "answer" in mood:
            return _send(connection, 200, json.dumps(mood["answer"]).encode())
        life = mood["life"]
        signed = mood.get("tokens")
        text = signed[len(self.seen) % len(signed)] if signed else token(client, life)
        answer = {"access_token": text, "token_type": "bearer", "expires_in": life}
        return _send(connection, 200, json.dumps(answer).encode())


def _send(connection: socket.socket, status: int, body: bytes, fields: str = "") -> bool:
    head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return True


if __name__ == "__main__":
    Provider(int(sys.argv[1])).serve()
