"""Frames over TLS: which certificate is shown, which options count, who may come in."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from pathlib import Path
from random import Random

from frames import Frame, Options
from request import Request, Secured

# Which names each certificate is for, and who signs it: itself where nobody is named.
CERTIFICATES: dict[str, tuple[str, str | None]] = {
    "a": ("DNS:a.test", None),
    "wild": ("DNS:*.a.test", None),
    "b": ("DNS:b.test,DNS:also.test", None),
    "ca": ("DNS:ca", None),
    "client": ("DNS:client", "ca"),
    "stranger": ("DNS:stranger", None),
    "named": (
        "DNS:named,DNS:other,email:a@a.test,IP:127.0.0.1,IP:2001:db8::1,URI:https://a.test/x?y=z",
        "ca",
    ),
}


SUBJECTS = {
    "named": "/DC=org/DC=a/C=FR/ST=Some State/L=A, B~*/O=O-1/O=O 2/OU=\u00dcnit/serialNumber=77/CN=named",
}
DISTINGUISHED = ["domainComponent", "country", "province", "locality", "organization", "serialNumber"]
DISTINGUISHED += ["commonName"]
# What the middleware `passTLSClientCert` can tell.
TOLD: list[Options] = [
    {"pem": True},
    {"info": {"subject": {name: True for name in [*DISTINGUISHED, "organizationalUnit"]}}},
    {"info": {"issuer": {name: True for name in DISTINGUISHED}, "sans": True}},
    {"info": {"serialNumber": True, "notBefore": True, "notAfter": True}},
    {"pem": True, "info": {"subject": {"commonName": True}, "issuer": {"commonName": True}, "sans": True}},
    {"info": {"subject": {"commonName": False}}},
]


class Certificates:
    """Those of one run, each with its key in a file `NAME.pem`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, str] = {}
        folder.mkdir()
        for name, (names, issuer) in CERTIFICATES.items():
            self._make(name, names, issuer)
            text = (folder / f"{name}.crt").read_text(encoding="utf-8")
            digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()
            self.names[digest] = name
            (folder / f"{name}.pem").write_text(
                text + (folder / f"{name}.key").read_text(encoding="utf-8"), encoding="utf-8"
            )

    def _make(self, name: str, names: str, issuer: str | None) -> None:
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        command += ["-nodes", "-days", "2", "-utf8", "-subj", SUBJECTS.get(name, f"/CN={name}")]
        command += ["-addext", f"subjectAltName={names}", "-keyout", f"{name}.key", "-out", f"{name}.crt"]
        if issuer:
            command += ["-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key"]
            command += ["-addext", "basicConstraints=critical,CA:FALSE"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)


def tls(folder: Path) -> Options:
    """The part of the configuration that all frames share."""
    shown = [
        {"certFile": str(folder / f"{name}.crt"), "keyFile": str(folder / f"{name}.key")}
        for name in ("a", "wild", "b")
    ]
    ca = [str(folder / "ca.crt")]
    asking = {
        kind: {"clientAuth": {"caFiles": ca, "clientAuthType": kind}}
        for kind in ("VerifyClientCertIfGiven", "RequireAndVerifyClientCert")
    }
    asking |= {
        kind: {"clientAuth": {"clientAuthType": kind}}
        for kind in ("NoClientCert", "RequestClientCert", "RequireAnyClientCert")
    }
    return {
        "certificates": shown,
        "options": {
            "strict": {"sniStrict": True},
            "old": {"maxVersion": "VersionTLS12"},
            "new": {"minVersion": "VersionTLS13"},
            "one-protocol": {"alpnProtocols": ["http/1.1"]},
            **asking,
        },
    }


def frames(random: Random, per_frame: int) -> list[Frame]:
    """One for each set of options, at a router or at the entry point."""
    made = []
    for number, options in enumerate([None, *tls(Path())["options"], "nobody"]):
        frame = Frame(f"secured-{number:02}")
        named = {"options": options} if options else {}
        if number % 2:
            frame.options = {"http": {"tls": named}}
            frame.route("a", "Host(`a.test`)")
        else:
            frame.route("a", "Host(`a.test`)", tls=named)
        frame.route("wild", "Host(`x.a.test`)", "beta", tls={})
        frame.route("b", "Host(`b.test`) && PathPrefix(`/`)", "gamma", tls={"options": "default"})
        if number % 2 == 0:
            frame.route("plain", "PathPrefix(`/plain`)", "delta")
        for _ in range(per_frame):
            _ask(random, frame)
        made.append(frame)
    return [*made, _told(random, per_frame)]


def _told(random: Random, per_frame: int) -> Frame:
    """What services get to know of certificates."""
    frame = Frame("secured-told", {"forwardedHeaders": {"trustedIPs": ["127.0.0.2"]}})
    for which, options in enumerate(TOLD):
        name = f"{frame.scene}-{which}"
        frame.middlewares[name] = {"passTLSClientCert": options}
        tls = {"options": "RequestClientCert"}
        frame.route(str(which), f"Host(`a.test`) && PathPrefix(`/{which}`)", middlewares=[name], tls=tls)
    for asked in range(per_frame * 3):
        shows = random.choice([None, "client", "stranger", "named", "named"])
        secured = Secured(name="a.test", shows=shows)
        request = Request(path=f"/{asked % len(TOLD)}", secured=secured)
        request.source = random.choice(["127.0.0.1", "127.0.0.2"])
        if random.random() < 0.4:
            request.headers.append(("X-Forwarded-Tls-Client-Cert", "forged"))
        if random.random() < 0.4:
            request.headers.append(("X-Forwarded-Tls-Client-Cert-Info", "forged"))
        frame.ask(request)
    return frame


def _ask(random: Random, frame: Frame) -> None:
    name = random.choice(["a.test", "a.test", "x.a.test", "b.test", "also.test", "c.test", None])
    host = name if random.random() < 0.7 else random.choice(["a.test", "b.test", "A.test:443"])
    secured = Secured(
        name=name,
        shows=random.choice([None, None, "client", "stranger"]),
        greatest=random.choice(["TLSv1_3", "TLSv1_3", "TLSv1_2"]),
        protocols=random.choice([(), ("http/1.1",), ("http/1.1",), ("other",)]),
    )
    path = random.choice(["/", "/a", "/plain"])
    request = Request(host=host or "a.test", path=path, secured=secured)
    if random.random() < 0.1:
        request.secured = None
    is_for_a = any(str(asked).lower().startswith("a.test") for asked in (name, request.host))
    is_for_broken = "nobody" in str(frame.routers) and is_for_a
    frame.ask(request, *(["options-unknown"] if is_for_broken else []))
