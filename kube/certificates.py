"""Authorities of the tests' own, and certificates for clients."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Files:
    certificate: Path
    key: Path


class Authority:
    """In a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.certificate, self.key = folder / "ca.crt", folder / "ca.key"
        _openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={folder.name}", "-keyout", str(self.key), "-out", str(self.certificate),
        )

    def client(self) -> Files:
        """A client of this authority."""
        made = Files(self.folder / "client.crt", self.folder / "client.key")
        request, extensions = self.folder / "client.csr", self.folder / "extensions"
        extensions.write_text("extendedKeyUsage = clientAuth\n", encoding="utf-8")
        _openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=client",
            "-keyout", str(made.key), "-out", str(request),
        )
        _openssl(
            "x509", "-req", "-in", str(request), "-days", "2", "-CA", str(self.certificate), "-CAkey", str(self.key),
            "-CAcreateserial", "-extfile", str(extensions), "-out", str(made.certificate),
        )
        return made


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"openssl {arguments[0]}: {done.stderr}"
