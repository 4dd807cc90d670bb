"""A provider of tokens that does as it is told, well or badly: a program of its own, so that it can be killed.

    python3 provider.py PORT

`POST /token` is its token endpoint, `GET /jwks` has its keys. `POST /mood` says how it is from now on, `GET /seen`
and `GET /fetched` what it was asked for, each with its time. Tokens are JWTs about their client, with a signature that nobody made.
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
        self.fetched: list[float] = []
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
        if line[1] == "/mood":
            self.mood = {**MOOD, **json.loads(body)}
            return _send(connection, 200, b"{}")
        if line[1] == "/seen":
            return _send(connection, 200, json.dumps(self.seen).encode())
        if line[1] == "/fetched":
            return _send(connection, 200, json.dumps(self.fetched).encode())
        if line[1] == "/jwks":
            return self._publish(connection)
        return self._give(connection, body.decode())

    def _publish(self, connection: socket.socket) -> bool:
        self.fetched.append(time.time())
        status = self.mood.get("jwks_status", 200)
        return status > 0 and _send(connection, status, json.dumps(self.mood.get("jwks", {})).encode())

    def _give(self, connection: socket.socket, form: str) -> bool:
        fields = parse_qs(form)
        client = fields.get("client_id", [""])[0]
        self.seen.append((time.time(), client))
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
        # All clients are registered to show themselves in the form.
        if not client or client in mood["revoked"]:
            return _send(connection, 401, b'{"error": "invalid_client"}')
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
