"""Traefik and carnet with the same configuration, before the same backends."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from processes import Processes, free_ports
from request import Request, send
from scenes import SERVICES, Play
from secured import Certificates, tls

READY = Request(path="/ready")


@dataclass(frozen=True)
class Gateway:
    """A running gateway: where each scene listens, and what it logged."""

    name: str
    ports: dict[str, int]
    log: Path

    def lines(self, count: int) -> dict[int, dict[str, object]]:
        """The log's lines by the number of their case. A line is written after its answer: some
        time is given to reach the count."""
        until = time.monotonic() + 2
        while True:
            found = _lines(self.log)
            if len(found) >= count or time.monotonic() > until:
                return found
            time.sleep(0.05)


@dataclass(frozen=True)
class Behind:
    """What both gateways have in common: the backends, and the certificates."""

    ports: dict[str, int]
    certificates: Certificates

    def named(self, value: object) -> object:
        """A part of the configuration with addresses in the place of names."""
        text = json.dumps(value)
        for name, port in self.ports.items():
            text = text.replace(f"{{{name}}}", f"http://127.0.0.1:{port}")
        return json.loads(text)


def start_behind(processes: Processes, carnet: str) -> Behind:
    """A whoami for each service, one that knows who is logged in, and nobody at one port."""
    ports = dict(zip([*SERVICES, "nobody", "auth"], free_ports(len(SERVICES) + 2)))
    for name in SERVICES:
        command = [carnet, "whoami", "--port", str(ports[name]), "--name", name]
        processes.start(name, command, lambda port=ports[name]: _answers(port))
    port = ports["auth"]
    service = [sys.executable, str(Path(__file__).with_name("auth.py")), str(port)]
    processes.start("auth", service, lambda: send(READY, port) is not None)
    return Behind(ports, Certificates(processes.directory / "certificates"))


def start(
    processes: Processes, name: str, program: str, play: Play, behind: Behind
) -> Gateway:
    """One of the two, once its configuration is in force."""
    scenes = ["ready", *play.scenes]
    ports = dict(zip(scenes, free_ports(len(scenes))))
    log = processes.directory / f"{name}-access.json"
    static = processes.directory / f"{name}.yaml"
    dynamic = processes.directory / "dynamic.yaml"
    _write(static, _static(play, ports, log, dynamic))
    _write(dynamic, _dynamic(play, behind))
    command = [program, *(["gateway"] if name == "carnet" else []), f"--configfile={static}"]
    processes.start(name, command, lambda: _answers(ports["ready"]))
    return Gateway(name, ports, log)


def _static(
    play: Play, ports: dict[str, int], log: Path, dynamic: Path
) -> dict[str, object]:
    options = {frame.scene: frame.options for frame in play.frames}
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": {
            name: {"address": f"127.0.0.1:{port}", **options.get(name, {})}
            for name, port in ports.items()
        },
        "accessLog": {
            "filePath": str(log),
            "format": "json",
            "fields": {"headers": {"names": {"X-Case": "keep"}}},
        },
        "log": {"level": "ERROR"},
        "providers": {"file": {"filename": str(dynamic), "watch": False}},
    }


def _dynamic(play: Play, behind: Behind) -> dict[str, object]:
    ready = {"entryPoints": ["ready"], "rule": "Path(`/ready`)", "service": SERVICES[0]}
    services: dict[str, object] = {
        name: {"loadBalancer": {"servers": [{"url": f"{{{name}}}"}]}} for name in SERVICES
    }
    for frame in play.frames:
        services |= frame.services
    # Neither of them can make it: one half of a pair.
    half = {"url": "http://127.0.0.1:1/token", "clientID": "half"}
    middlewares: dict[str, object] = {
        "unfinished": {"plugin": {"oAuthClientCredentials": half}}
    }
    for frame in play.frames:
        middlewares |= frame.middlewares
    http = {
        "routers": {"ready": ready, **play.routers},
        "services": behind.named(services),
        "middlewares": behind.named(middlewares),
    }
    return {"http": http, "tls": tls(behind.certificates.folder)}


def _write(path: Path, content: dict[str, object]) -> None:
    """As JSON, which is YAML."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _answers(port: int) -> bool:
    answer = send(READY, port)
    return answer is not None and answer.status == 200


def _lines(log: Path) -> dict[int, dict[str, object]]:
    found = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)
        if number := fields.get("request_X-Case"):
            found[int(number)] = fields
    return found
