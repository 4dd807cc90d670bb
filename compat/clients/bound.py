"""Tokens that only their owner can show: openid-client proves a key, curl shows a certificate."""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import programs
from case import Case
from server import Server

PARTS = ("answer", "binding", "shown")
SECRET, SCOPE = "traefiklabs", "read"
# Of the keys that openid-client proves to have.
ALGORITHMS = ("ES256", "PS256", "Ed25519")
PROGRAM = ("node", str(programs.NODE / "bound.js"))
# Seconds for one request.
PATIENCE = "20"


def play(carnet: str) -> list[Case]:
    """All of it."""
    return _keys(carnet) + _certificates(carnet)


# Holds DP-01.
def _keys(carnet: str) -> list[Case]:
    """Proofs, signed tokens and opaque ones; the server wants its nonce in each proof."""
    cases = []
    for strategy in ("jwt", "opaque"):
        settings = {"STRATEGIES_ACCESS_TOKEN": strategy, "OAUTH2_DPOP_NONCE_REQUIRED": "true"}
        with Server(carnet, settings) as server:
            client = server.create_client({
                "grant_types": ["client_credentials"],
                "scope": SCOPE,
                "client_secret": SECRET,
                "dpop_bound_access_tokens": True,
            })
            clients = [
                {"name": name, "id": client["client_id"], "secret": SECRET, "algorithm": name}
                for name in ALGORITHMS
            ]
            plan = {"issuer": server.issuer, "scope": SCOPE, "clients": clients}
            for name, outcome in programs.run(PROGRAM, plan).items():
                case = Case("Node openid-client", "DPoP", f"{strategy} {name}", {})
                case.take(outcome)
                case.judge("answer", outcome.get("type") == "dpop", outcome)
                cnf = server.introspect(str(case.token)).get("cnf")
                case.judge("binding", cnf == {"jkt": outcome.get("jkt")}, cnf)
                case.judge("shown", outcome.get("statuses") == "200 401", outcome)
                cases.append(case)
    return cases


# Holds MT-01, MT-02.
def _certificates(carnet: str) -> list[Case]:
    """Certificates of an authority and of the client's own."""
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        _make(files, "server", "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1")
        _make(files, "ca", "/CN=authority")
        by_ca = ("-CA", str(files / "ca.pem"), "-CAkey", str(files / "ca.key"))
        leaf = ("-addext", "basicConstraints=critical,CA:FALSE")
        _make(files, "orders", "/O=Acme/CN=orders", *leaf, *by_ca)
        _make(files, "others", "/O=Acme/CN=others", *leaf, *by_ca)
        _make(files, "own", "/CN=own", *leaf)
        _make(files, "stranger", "/CN=own", *leaf)
        settings = {
            "STRATEGIES_ACCESS_TOKEN": "jwt",
            "SERVE_PUBLIC_TLS_ENABLED": "true",
            "SERVE_PUBLIC_TLS_CERT_PATH": str(files / "server.pem"),
            "SERVE_PUBLIC_TLS_KEY_PATH": str(files / "server.key"),
            "OAUTH2_MTLS_ENABLED": "true",
            "OAUTH2_MTLS_CLIENT_CA_PATH": str(files / "ca.pem"),
        }
        with Server(carnet, settings) as server:
            named = _register(server, "tls_client_auth", {
                "tls_client_auth_subject_dn": "CN=orders,O=Acme",
            })
            own = _register(server, "self_signed_tls_client_auth", {
                "jwks": {"keys": [_jwk(files / "own.pem")]},
            })
            plan = [
                ("tls_client_auth", named, "orders", None),
                ("tls_client_auth", named, "others", "invalid_client"),
                ("tls_client_auth", named, "", "invalid_client"),
                ("self_signed_tls_client_auth", own, "own", None),
                ("self_signed_tls_client_auth", own, "stranger", "invalid_client"),
            ]
            return [_ask(server, files, *row) for row in plan]


def _ask(server: Server, files: Path, method: str, client: str, name: str, refusal: str | None) -> Case:
    case = Case("curl", method, name or "none", {}, refusal)
    base = server.issuer.replace("http:", "https:")
    form = f"grant_type=client_credentials&client_id={client}"
    answer = _curl(files, name, f"{base}/oauth2/token", "--data", form)
    case.take({"token" if part == "access_token" else part: text for part, text in answer.items()
               if part in ("access_token", "error")})
    if refusal:
        return case
    cnf = server.introspect(str(case.token)).get("cnf")
    case.judge("binding", cnf == {"x5t#S256": _thumbprint(files / f"{name}.pem")}, cnf)
    header = ("--header", f"Authorization: Bearer {case.token}")
    own = _curl(files, name, f"{base}/userinfo", *header)
    stolen = _curl(files, "others", f"{base}/userinfo", *header)
    is_right = own.get("aud") == [client] and stolen.get("error") == "invalid_token"
    case.judge("shown", is_right, (own, stolen))
    return case


def _curl(files: Path, identity: str, *more: str) -> dict[str, Any]:
    """What a server answers, asked with a certificate or without."""
    shown = ("--cert", str(files / f"{identity}.pem"), "--key", str(files / f"{identity}.key"))
    command = ("curl", "--silent", "--show-error", "--max-time", PATIENCE,
               "--cacert", str(files / "server.pem"), *(shown if identity else ()), *more)
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def _register(server: Server, method: str, more: dict[str, Any]) -> str:
    return server.create_client({
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": method,
        "tls_client_certificate_bound_access_tokens": True,
        **more,
    })["client_id"]


def _make(files: Path, name: str, subject: str, *more: str) -> None:
    """A certificate and its key, for two days."""
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    place = ("-keyout", str(files / f"{name}.key"), "-out", str(files / f"{name}.pem"))
    _openssl("req", "-x509", *kind, *place, "-subj", subject, *more)


def _jwk(certificate: Path) -> dict[str, Any]:
    """A certificate as a key of a client's set."""
    public = _openssl("x509", "-in", str(certificate), "-noout", "-pubkey")
    # The point is the end of the key, behind the mark of an uncompressed one.
    point = _openssl("pkey", "-pubin", "-outform", "DER", given=public)[-64:]
    x5c = base64.b64encode(_der(certificate)).decode()
    return {"kty": "EC", "crv": "P-256", "x": _text(point[:32]), "y": _text(point[32:]), "x5c": [x5c]}


def _thumbprint(certificate: Path) -> str:
    return _text(_openssl("dgst", "-sha256", "-binary", given=_der(certificate)))


def _der(certificate: Path) -> bytes:
    return _openssl("x509", "-in", str(certificate), "-outform", "DER")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _openssl(*arguments: str, given: bytes = b"") -> bytes:
    ended = subprocess.run(("openssl", *arguments), check=True, capture_output=True, input=given)
    return ended.stdout
