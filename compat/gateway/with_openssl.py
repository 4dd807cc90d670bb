"""openssl s_client: versions, ciphers, curves, ALPN, names, clients' certificates."""

from __future__ import annotations

import subprocess

from stand import HOST, Stand


def play(stand: Stand) -> int:
    """Every TLS option as a client sees it. Gives how many handshakes that were."""
    mine = ["-cert", str(stand.folder / "client.pem"), "-key", str(stand.folder / "client.key")]
    mutual = "Acceptable client certificate CA names"
    # What is asked for, and what must be in the answer; nothing: there is no handshake.
    handshakes: list[tuple[str, list[str], list[str]]] = [
        (HOST, [], ["CN = localhost", "TLSv1.3"]),
        (HOST, ["-tls1_2"], ["TLSv1.2"]),
        (HOST, ["-alpn", "h2,http/1.1"], ["ALPN protocol: h2"]),
        (HOST, ["-alpn", "http/1.1"], ["ALPN protocol: http/1.1"]),
        (HOST, ["-groups", "X25519"], ["X25519"]),
        (HOST, ["-tls1_2", "-cipher", "AES128-SHA"], []),
        (HOST, ["-alpn", "acme-tls/1"], []),
        ("nobody.test", [], ["TRAEFIK DEFAULT CERT"]),
        ("strict.test", [], []),
        ("modern.test", [], ["TLSv1.3"]),
        ("modern.test", ["-tls1_2"], []),
        ("old.test", [], ["TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDH, secp384r1"]),
        ("old.test", ["-tls1_3"], []),
        ("old.test", ["-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], []),
        ("old.test", ["-groups", "P-256"], []),
        ("old.test", ["-alpn", "h2,http/1.1"], ["ALPN protocol: http/1.1"]),
        ("mutual.test", ["-tls1_2"], []),
        ("mutual.test", ["-tls1_2", *mine], [mutual, "CN = client.test"]),
        ("mutual.test", mine, [mutual]),
    ]
    for name, flags, wanted in handshakes:
        done, said = _handshake(stand, name, flags)
        what = f"openssl s_client -servername {name} {' '.join(flags)}"
        if done != bool(wanted):
            raise SystemExit(f"{what}: {'no handshake' if wanted else 'a handshake'}\n{said}")
        for text in wanted:
            if text not in said:
                raise SystemExit(f"{what}: does not say `{text}`\n{said}")
    return len(handshakes)


def _handshake(stand: Stand, name: str, flags: list[str]) -> tuple[bool, str]:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{stand.secure}", "-servername", name]
    done = subprocess.run(
        [*command, *flags], input=b"", capture_output=True, check=False, timeout=30
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    return done.returncode == 0, said
