"""F04: what the provider says is no token; nobody gets anything of it, and nothing of it is kept."""

from __future__ import annotations

import base64
import json

from stage import Stage
from tokens import Provider, Room, Service, judged, visit

OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
# 64 KiB pieces of the body without an end.
PIECES = {"short": 256, "long": 16384}


def _answer(body: str, head: str = OK) -> bytes:
    return f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def _token(**fields: object) -> bytes:
    return _answer(json.dumps({"access_token": "t", "token_type": "bearer", "expires_in": 300, **fields}))


def garbage() -> list[bytes]:
    """Answers that are none."""
    html = OK.replace("application/json", "text/html")
    chunked = OK + "Transfer-Encoding: chunked\r\n\r\n"
    return [
        *(_answer("<html>It works!</html>", head) for head in (OK, html)),
        *(_answer(text) for text in ("", "{", "[]", "null", "1", '"t"', '{"access_token": "t', "{}" * 2, "\x00", "{}")),
        *(_token(access_token=value) for value in (None, "", [], ["t"], {}, 1, True)),
        *(_token(access_token=value) for value in ("a b", "a\r\nX: y", "a\nb", "a\x00b", "é", "t" * 70000)),
        *(_token(token_type=value) for value in (None, "", "mac", "DPoP", "N_A", 1)),
        *(_answer(_token().decode().split("\r\n\r\n")[1], head) for head in (html, OK.replace("200 OK", "204 -"))),
        *(_answer("", f"HTTP/1.1 {status} -\r\nLocation: /\r\n") for status in (301, 302, 303, 307, 308)),
        (chunked + "zz\r\n{}\r\n0\r\n\r\n").encode(),
        (chunked + '5\r\n{"acc').encode(),
        (OK + "Content-Length: 500\r\n\r\n{").encode(),
        b"HTTP/1.1 100 Continue\r\n\r\n" * 2000,
        b"this is no HTTP\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"",
    ]


def play(stage: Stage) -> dict[str, float]:
    """Each once, by a client of its own that gets its token afterwards."""
    unexpected, cured, cases = [], 0, garbage()
    with Provider(stage.folder) as provider, Service() as service:
        with Room(stage, provider.port, service.port, "clientConfig: {maxRetries: 0}") as room:
            visit(room.port, "warm")
            held = room.memory_mib()
            for number, case in enumerate(cases):
                provider.become(bytes=base64.b64encode(case).decode())
                before = service.answered
                seen = visit(room.port, f"client-{number}")
                if seen.status not in (502, 503) or service.answered != before:
                    unexpected.append((number, seen.status))
                provider.become()
                cured += visit(room.port, f"client-{number}").status == 200
            endless = (OK + "Content-Length: 1073741824\r\n\r\n").encode()
            provider.become(bytes=base64.b64encode(endless).decode(), more=PIECES[stage.form])
            flooded = visit(room.port, "flooded").status
            grown = room.memory_mib() - held
            figures = judged(room, service)
    if unexpected:
        print(f"F04: unexpected: {unexpected}")
    return {
        "cases": len(cases),
        "unexpected": len(unexpected) + (flooded != 502),
        "cured": cured / len(cases),
        "memory_grown_mib": grown,
        **figures,
    }
