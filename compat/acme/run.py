#!/usr/bin/env python3
"""Gets certificates from a real ACME server, pebble, and gives them to a real Traefik.

    python3 compat/acme/run.py --carnet target/release/carnet --pebble PATH --challtestsrv PATH

Exit code 1 when something is not as it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.append(str(ROOT / "bench"))

import install  # noqa: E402
from processes import Processes, free_ports  # noqa: E402

PATIENCE_S = 30
# By the challenge that proves them. The last has two names.
HOSTS = {"http": ["a.test", "b.test,c.test"], "tls": ["d.test"]}
# Shown for all other names.
DEFAULT = "e.test"
ORDERS = 4


def main() -> int:
    options = _options()
    traefik = install.programs(["traefik"], ROOT / "bench" / "tools")["traefik"]
    with tempfile.TemporaryDirectory(prefix="carnet-acme-") as name:
        folder = Path(name)
        with Processes(folder) as processes:
            play = Play(options, folder, processes)
            play.authority()
            orders = play.gateway_gets_certificates()
            play.next_process_orders_nothing(orders)
            play.traefik_serves_them(traefik)
            play.carnet_serves_traefiks(traefik)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for program in ("carnet", "pebble", "challtestsrv"):
        parser.add_argument(f"--{program}", required=True, metavar="PATH")
    return parser.parse_args()


class Play:
    """An authority, and gateways that ask it."""

    def __init__(self, options: argparse.Namespace, folder: Path, processes: Processes) -> None:
        self.options, self.folder, self.processes = options, folder, processes
        self.web, self.secure, self.directory, dns, management = free_ports(5)
        self.dns, self.management = dns, management

    def authority(self) -> None:
        """pebble, to which every host is this machine. It refuses some nonces, as it does."""
        self._certificate()
        config = {
            "pebble": {
                "listenAddress": f"127.0.0.1:{self.directory}",
                "managementListenAddress": "",
                "certificate": str(self.folder / "pebble.pem"),
                "privateKey": str(self.folder / "pebble.key"),
                "httpPort": self.web,
                "tlsPort": self.secure,
                "ocspResponderURL": "",
                "externalAccountBindingRequired": False,
                "retryAfter": {"authz": 1, "order": 1},
            }
        }
        (self.folder / "pebble.json").write_text(json.dumps(config), encoding="utf-8")
        nothing = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""]
        self.processes.start(
            "challtestsrv",
            [
                self.options.challtestsrv,
                *nothing,
                *["-dnsserver", f"127.0.0.1:{self.dns}", "-management", f"127.0.0.1:{self.management}"],
                *["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""],
            ],
            lambda: _listens(self.management),
        )
        os.environ["PEBBLE_VA_NOSLEEP"] = "1"
        self.processes.start(
            "pebble",
            [
                self.options.pebble,
                *["-config", str(self.folder / "pebble.json")],
                *["-dnsserver", f"127.0.0.1:{self.dns}"],
            ],
            lambda: _listens(self.directory),
        )

    def gateway_gets_certificates(self) -> int:
        """One order for each set of names, by both challenges, past a redirection."""
        self._write(self.folder / "acme.json")
        with Processes(self.folder) as processes:
            self._carnet(processes)
            for host in self._hosts():
                self._until(f"a certificate for {host}", lambda host=host: self._is_pebbles(host))
            what = "the certificate for all other names"
            self._until(what, lambda: self._is_pebbles("nobody.test", DEFAULT))
            _say("certificates by HTTP-01 and TLS-ALPN-01 are served")
        file = self.folder / "acme.json"
        mode = stat.S_IMODE(file.stat().st_mode)
        _must(mode == 0o600, f"acme.json has mode {mode:o}")
        kept = json.loads(file.read_text(encoding="utf-8"))
        _must(len(kept["http"]["Certificates"]) == 2, "two certificates of the resolver `http`")
        _must(len(kept["tls"]["Certificates"]) == 2, "two certificates of the resolver `tls`")
        orders = self._orders()
        _must(orders == ORDERS, f"{orders} orders instead of {ORDERS}")
        _say(f"{orders} orders; acme.json has what it should, for its owner alone")
        return orders

    def next_process_orders_nothing(self, orders: int) -> None:
        """What was kept is served at once."""
        with Processes(self.folder) as processes:
            self._carnet(processes)
            for host in self._hosts():
                _must(self._is_pebbles(host), f"{host} has no certificate after a restart")
        _must(self._orders() == orders, "a restart made an order")
        _say("a restart serves them without an order")

    def traefik_serves_them(self, traefik: str) -> None:
        """Traefik reads our file."""
        with Processes(self.folder) as processes:
            self._traefik(processes, traefik)
            for host in self._hosts():
                what = f"Traefik does not serve our certificate of {host}"
                self._until(what, lambda host=host: self._is_pebbles(host))
        _must(self._orders() == ORDERS, "Traefik made an order")
        _say("Traefik serves them from our acme.json")

    def carnet_serves_traefiks(self, traefik: str) -> None:
        """Traefik gets certificates of its own, and we read its file."""
        file = self.folder / "traefik" / "acme.json"
        file.parent.mkdir()
        self._write(file)
        with Processes(self.folder) as processes:
            self._traefik(processes, traefik)
            for host in self._hosts():
                self._until(f"Traefik: {host}", lambda host=host: self._is_pebbles(host))
            wanted = {"http": 2, "tls": 2}
            self._until("Traefik keeps them", lambda: _counts(file) == wanted)
        theirs, orders = json.loads(file.read_text(encoding="utf-8")), self._orders()
        with Processes(self.folder) as processes:
            self._carnet(processes)
            for host in self._hosts():
                _must(self._is_pebbles(host), f"Traefik's certificate of {host} is not served")
        _must(self._orders() == orders, "Traefik's acme.json did not spare an order")
        ours = json.loads(file.read_text(encoding="utf-8"))
        _must(ours == theirs, "Traefik's acme.json was changed")
        _say("Traefik's acme.json is served without an order, and stays as it is")

    def _hosts(self) -> list[str]:
        return [host for sets in HOSTS.values() for names in sets for host in names.split(",")]

    def _carnet(self, processes: Processes) -> None:
        command = [self.options.carnet, "gateway", f"--configfile={self.folder}/static.json.yaml"]
        processes.start("carnet", command, lambda: _listens(self.secure))

    def _traefik(self, processes: Processes, traefik: str) -> None:
        command = [traefik, f"--configfile={self.folder}/static.json.yaml"]
        # So its ACME library knows whom to trust.
        os.environ["LEGO_CA_CERTIFICATES"] = str(self.folder / "pebble.pem")
        processes.start("traefik", command, lambda: _listens(self.secure))

    def _write(self, storage: Path) -> None:
        """The same configuration for both, in YAML that is JSON."""

        def resolver(challenge: dict[str, object]) -> dict[str, object]:
            acme = {
                "email": "ops@a.test",
                "caServer": f"https://localhost:{self.directory}/dir",
                "caCertificates": [str(self.folder / "pebble.pem")],
                "storage": str(storage),
                "keyType": "EC256",
                **challenge,
            }
            return {"acme": acme}

        redirection = {"entryPoint": {"to": "secure", "scheme": "https"}}
        dynamic = self.folder / "routes.yaml"
        static = {
            "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
            "entryPoints": {
                "web": {
                    "address": f"127.0.0.1:{self.web}",
                    "http": {"redirections": redirection},
                },
                "secure": {"address": f"127.0.0.1:{self.secure}"},
            },
            "certificatesResolvers": {
                "http": resolver({"httpChallenge": {"entryPoint": "web"}}),
                "tls": resolver({"tlsChallenge": {}}),
            },
            "providers": {"file": {"filename": str(dynamic)}},
            "log": {"level": "INFO"},
        }
        routers = {}
        for name, sets in HOSTS.items():
            for names in sets:
                rule = " || ".join(f"Host(`{host}`)" for host in names.split(","))
                routers[names.replace(",", "-").replace(".", "-")] = {
                    "entryPoints": ["secure"],
                    "rule": rule,
                    "service": "noop@internal",
                    "tls": {"certResolver": name},
                }
        (self.folder / "static.json.yaml").write_text(json.dumps(static), encoding="utf-8")
        generated = {"resolver": "tls", "domain": {"main": DEFAULT}}
        tls = {"stores": {"default": {"defaultGeneratedCert": generated}}}
        config = {"http": {"routers": routers}, "tls": tls}
        dynamic.write_text(json.dumps(config), encoding="utf-8")

    def _is_pebbles(self, host: str, of: str | None = None) -> bool:
        """Whether the host's certificate is the authority's. Names are in DER as they are read."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with socket.create_connection(("127.0.0.1", self.secure), timeout=5) as plain:
                with context.wrap_socket(plain, server_hostname=host) as encrypted:
                    certificate = encrypted.getpeercert(binary_form=True) or b""
        except OSError:
            return False
        return b"Pebble" in certificate and (of or host).encode() in certificate

    def _orders(self) -> int:
        said = (self.folder / "pebble.out").read_text(encoding="utf-8", errors="replace")
        return said.count("Issued certificate serial")

    def _certificate(self) -> None:
        """The authority's own, for its HTTPS."""
        command = [
            *["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            *["-nodes", "-days", "2", "-subj", "/CN=localhost"],
            *["-addext", "subjectAltName=DNS:localhost"],
            *["-addext", "basicConstraints=critical,CA:FALSE"],
            *["-keyout", str(self.folder / "pebble.key"), "-out", str(self.folder / "pebble.pem")],
        ]
        subprocess.run(command, check=True, capture_output=True)

    def _until(self, what: str, happens: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not happens():
            if time.monotonic() - began > PATIENCE_S:
                for said in sorted(self.folder.glob("*.out")):
                    print(f"--- {said.name}", said.read_text(errors="replace")[-3000:], sep="\n")
                raise SystemExit(f"acme: not in {PATIENCE_S} s: {what}")
            time.sleep(0.1)


def _counts(file: Path) -> dict[str, int]:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: len(part["Certificates"] or []) for name, part in kept.items()}


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SystemExit(f"acme: {otherwise}")


def _say(line: str) -> None:
    print(f"acme: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
