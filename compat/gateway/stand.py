"""The gateway under test, plain and encrypted, and what stands behind it."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

from processes import Processes, free_ports

# Name of the host that everybody asks for; its certificate is signed by itself.
HOST = "localhost"
# What some routes have before their service.
STATIONS = {"guarded": ["guard"], "flaky": ["page", "again"], "pages": ["pack"]}


class Stand:
    """A running gateway. Routes lead by prefix; `strict.test` has TLS options of its own."""

    def __init__(self, carnet: str, folder: Path, processes: Processes) -> None:
        self.carnet, self.folder, self.processes = carnet, folder, processes
        self.web, self.secure, self.whoami, self.websocket, self.grpc = free_ports(5)
        self.auth, self.flaky, self.pages = free_ports(3)
        self.ca, self.key = folder / "ca.pem", folder / "ca.key"

    def start(self) -> None:
        """The certificates, the backend that echoes, the gateway."""
        self._certificate(HOST, self.ca, self.key)
        self._certificate("client.test", self.folder / "client.pem", self.folder / "client.key")
        whoami = [self.carnet, "whoami", "--port", str(self.whoami)]
        self.processes.start("whoami", whoami, lambda: listens(self.whoami))
        routes, static = self.folder / "routes.yaml", self.folder / "static.yaml"
        routes.write_text(json.dumps(self._routes()), encoding="utf-8")
        static.write_text(json.dumps(self._static(routes)), encoding="utf-8")
        gateway = [self.carnet, "gateway", f"--configfile={static}"]
        self.processes.start("carnet", gateway, lambda: listens(self.secure) and self._serves())

    def said(self) -> str:
        """The gateway's log."""
        return (self.folder / "carnet.out").read_text(encoding="utf-8", errors="replace")

    def _serves(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.web), timeout=1) as connection:
            connection.sendall(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return b" 200 " in connection.recv(64)

    def _static(self, routes: Path) -> dict[str, object]:
        return {
            "entryPoints": {
                "web": {"address": f"127.0.0.1:{self.web}"},
                "secure": {"address": f"127.0.0.1:{self.secure}", "http": {"tls": {}}},
            },
            "providers": {"file": {"filename": str(routes)}},
            "log": {"level": "INFO"},
        }

    def _routes(self) -> dict[str, object]:
        backends = {
            "whoami": ("PathPrefix(`/`)", f"http://127.0.0.1:{self.whoami}"),
            "websocket": ("PathPrefix(`/websocket`)", f"http://127.0.0.1:{self.websocket}"),
            "grpc": ("PathPrefix(`/calls.Calls/`)", f"h2c://127.0.0.1:{self.grpc}"),
            "flaky": ("PathPrefix(`/flaky`)", f"http://127.0.0.1:{self.flaky}"),
            "pages": ("PathPrefix(`/packed`)", f"http://127.0.0.1:{self.pages}"),
        }
        routers: dict[str, object] = {
            name: {"rule": rule, "service": name} for name, (rule, _) in backends.items()
        }
        routers["guarded"] = {"rule": "PathPrefix(`/guarded`)", "service": "whoami"}
        for name, stations in STATIONS.items():
            routers[name] |= {"middlewares": stations}
        for option in ("modern", "old", "strict", "mutual"):
            routers[option] = {
                "entryPoints": ["secure"],
                "rule": f"Host(`{option}.test`)",
                "service": "whoami",
                "tls": {"options": option},
            }
        services = {
            name: {"loadBalancer": {"servers": [{"url": url}]}}
            for name, (_, url) in backends.items()
        }
        auth = {"address": f"http://127.0.0.1:{self.auth}/auth", "authResponseHeaders": ["X-Auth-User"]}
        page = {"status": ["503"], "service": "whoami", "query": "/page/{originalStatus}", "statusRewrites": {"503": 200}}
        middlewares = {
            "guard": {"forwardAuth": auth},
            "page": {"errors": page},
            "again": {"retry": {"attempts": 3, "status": ["503"]}},
            "pack": {"compress": {}},
        }
        client = str(self.folder / "client.pem")
        tls = {
            "certificates": [{"certFile": str(self.ca), "keyFile": str(self.key)}],
            "options": {
                "modern": {"minVersion": "VersionTLS13"},
                "old": {
                    "maxVersion": "VersionTLS12",
                    "cipherSuites": ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"],
                    "curvePreferences": ["CurveP384"],
                    "alpnProtocols": ["http/1.1"],
                },
                "strict": {"sniStrict": True},
                "mutual": {
                    "clientAuth": {
                        "caFiles": [client],
                        "clientAuthType": "RequireAndVerifyClientCert",
                    }
                },
            },
        }
        http = {"routers": routers, "services": services, "middlewares": middlewares}
        return {"http": http, "tls": tls}

    @staticmethod
    def _certificate(name: str, certificate: Path, key: Path) -> None:
        command = [
            *["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            *["-nodes", "-days", "2", "-subj", f"/CN={name}"],
            *["-addext", f"subjectAltName=DNS:{name}"],
            *["-addext", "basicConstraints=critical,CA:FALSE"],
            *["-keyout", str(key), "-out", str(certificate)],
        ]
        subprocess.run(command, check=True, capture_output=True)


def listens(port: int) -> bool:
    """Whether somebody does at a port of this machine."""
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
