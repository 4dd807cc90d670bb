"""What differs between two answers, place by place."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, field

from request import Answer

# Fields of the log that say what was chosen.
LOGGED = ["RouterName", "ServiceName", "ServiceURL", "OriginStatus"]

# Differ from one run of the same program to the next.
NOT_COMPARED = {"date"}
# How long to wait, which depends on how quickly the requests came.
WAITS = {"retry-after", "x-retry-in"}
# What a challenge of `digestAuth` has anew each time.
MADE_UP = re.compile(r'(nonce|opaque)="[^"]*"')
# whoami's lines about itself and its peer; the rest is what it received.
ABOUT_ITSELF = ("Hostname: ", "IP: ", "RemoteAddr: ")

Parts = dict[str, object]


@dataclass(frozen=True)
class Finding:
    """A place where two answers differ, and what each has there."""

    at: str
    traefik: object
    carnet: object


def findings(traefik: Parts, carnet: Parts) -> list[Finding]:
    """All places that differ; what one lacks is `None` there."""
    traefik, carnet = _in_common(traefik, carnet), _in_common(carnet, traefik)
    places = [*traefik, *(at for at in carnet if at not in traefik)]
    return [
        Finding(at, traefik.get(at), carnet.get(at))
        for at in places
        if traefik.get(at) != carnet.get(at)
    ]


@dataclass(frozen=True)
class PerRun:
    """What has another value each time, with the name that it is told by."""

    ports: dict[str, int] = field(default_factory=dict)
    certificates: dict[str, str] = field(default_factory=dict)

    def location(self, url: str) -> str:
        """The target of a redirection."""
        for name, port in self.ports.items():
            url = url.replace(f":{port}/", f":<{name}>/")
        return url


def parts(answer: Answer | None, line: dict[str, object], per_run: PerRun = PerRun()) -> Parts:
    """An answer, with its line in the log, taken apart."""
    if answer is None:
        return {"status": "closed"}
    found: Parts = {"status": answer.status}
    for name, value in answer.agreed.items():
        known = per_run.certificates.get(str(value), "generated")
        found[f"tls {name}"] = known if name == "certificate" else value
    for field in LOGGED:
        found[f"log {field}"] = line.get(field) or None
    for name, value in answer.headers:
        if name.lower() == "location":
            value = per_run.location(value)
        if name.lower() in WAITS:
            value = _about(value)
        if name.lower() == "www-authenticate":
            value = MADE_UP.sub(r'\1="..."', value)
        if name.lower() not in NOT_COMPARED:
            found.setdefault(f"header {name.lower()}", []).append(value)
    if line.get("OriginStatus") == 200:
        # It counts whoami's lines about itself, too.
        found.pop("header content-length", None)
    text = _unpacked(answer, found).decode("utf-8", "replace")
    return found | (_echo(text) if text.startswith("Name: ") else {"body": text})


def _about(wait: str) -> str:
    """A wait in whole hundreds of seconds; of another form, that there is one."""
    return str(round(int(wait), -2)) if wait.isdecimal() else "<a time>"
def _unpacked(answer: Answer, found: Parts) -> bytes:
    """The body as it was before a gateway packed it. What nothing here unpacks is not compared."""
    coding = found.get("header content-encoding")
    if not coding:
        return answer.body
    for name in ("content-length", "transfer-encoding"):
        found.pop(f"header {name}", None)
    return gzip.decompress(answer.body) if coding == ["gzip"] else b""


def _echo(text: str) -> Parts:
    """What whoami says that it received."""
    head, _, body = text.partition("\r\n\r\n")
    about, _, rest = head.partition("\r\n")
    *about, request_line = about.split("\n")
    kept = [line for line in about if not line.startswith(ABOUT_ITSELF)]
    found: Parts = {"backend": kept, "sent line": request_line}
    order: list[str] = []
    for line in rest.split("\r\n"):
        name, _, value = line.partition(": ")
        if f"sent {name}" not in found:
            order.append(name)
        found.setdefault(f"sent {name}", []).append(value)
    is_chunked = "sent Transfer-Encoding" in found
    return found | {"sent order": order, "sent body": _joined(body) if is_chunked else body}


def _joined(body: str) -> str:
    """Chunks as one text: where they are cut depends on what arrived when."""
    joined = ""
    while body:
        size, _, body = body.partition("\r\n")
        length = int(size, 16)
        joined += body[:length]
        body = body[length + 2 :]
        if length == 0:
            return joined + body
    return joined


def _in_common(one: Parts, other: Parts) -> Parts:
    """With the order of those headers only that both sent: what one lacks is told by itself."""
    order = [name for name in one.get("sent order", []) if f"sent {name}" in other]
    return one | {"sent order": order} if order else one
