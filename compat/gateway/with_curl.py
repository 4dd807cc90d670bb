"""curl: HTTP/1.1, HTTP/2 with and without TLS, bodies both ways, ranges, `Expect`."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

from stand import HOST, Stand

MIB = 1 << 20
SIZE = 16 * MIB


def play(stand: Stand) -> int:
    """Every version does everything. Gives how many calls that were."""
    plain, secure = f"http://{HOST}:{stand.web}", f"https://{HOST}:{stand.secure}"
    versions = {
        ("1.1", plain): ["--http1.1"],
        ("2", plain): ["--http2-prior-knowledge"],
        ("1.1", secure): ["--http1.1"],
        ("2", secure): ["--http2"],
    }
    calls = 0
    for (version, base), flags in versions.items():
        curl = Curl(stand, base, [*flags, "--cacert", str(stand.ca)], version)
        for what in (curl.get, curl.download, curl.ranges, curl.upload, curl.expect, curl.head):
            what()
            calls += 1
    return calls


class Curl:
    """One version of HTTP, over one kind of connection."""

    def __init__(self, stand: Stand, base: str, flags: list[str], version: str) -> None:
        self.stand, self.base, self.flags, self.version = stand, base, flags, version
        self.what = f"curl {' '.join(flags[:1])} {base.split(':')[0]}"

    def get(self) -> None:
        """The version is the one that was asked for, and the backend is told the scheme."""
        body, written = self._ask("/", "-w", "\n%{http_version} %{http_code}")
        self._must(written == f"{self.version} 200", f"says {written}")
        scheme = self.base.split(":")[0]
        self._must(f"X-Forwarded-Proto: {scheme}" in body, "does not say the scheme")

    def download(self) -> None:
        """Sixteen megabytes, compared with what the backend gives itself."""
        path, digests = f"/data?size={SIZE}", []
        for base in (self.base, f"http://127.0.0.1:{self.stand.whoami}"):
            done = self._run([*self.flags, f"{base}{path}"])
            self._must(len(done) == SIZE, f"downloads {len(done)} bytes")
            digests.append(hashlib.sha256(done).hexdigest())
        self._must(digests[0] == digests[1], "downloads other bytes")

    def ranges(self) -> None:
        """A part, and the end of what was broken off."""
        path = f"/data?size={MIB}&attachment=true"
        whole = self._run([*self.flags, self.base + path])
        part = self._run([*self.flags, "-r", "1000-1999", self.base + path])
        self._must(part == whole[1000:2000], "gets another range")
        file = self.stand.folder / "broken-off"
        file.write_bytes(whole[: MIB // 2])
        self._run([*self.flags, "-C", "-", "-o", str(file), self.base + path])
        self._must(file.read_bytes() == whole, "does not continue a download")

    def upload(self) -> None:
        """A body comes back as it was sent, with a length and without one."""
        file = self._file(MIB)
        for chunked in ([], ["-H", "Transfer-Encoding: chunked"]):
            if chunked and self.version == "2":
                continue
            flags = [*self.flags, *chunked, "-H", "Content-Type: application/octet-stream"]
            echo = self._run([*flags, "--data-binary", f"@{file}", self.base + "/"])
            body = echo.split(b"\r\n\r\n", 1)[1]
            body = _joined(body) if chunked else body
            self._must(body == file.read_bytes(), "uploads other bytes")

    def expect(self) -> None:
        """A client that waits to be told to send its body is told."""
        file = self._file(MIB)
        flags = [*self.flags, "-H", "Expect: 100-continue", "--expect100-timeout", "20", "-m", "15"]
        echo = self._run([*flags, "-T", str(file), "-X", "POST", self.base + "/"])
        self._must(echo.endswith(file.read_bytes()), "waits for nothing")

    def head(self) -> None:
        """No body, but its length."""
        text, _ = self._ask(f"/data?size={MIB}&attachment=true", "-I")
        length = re.search(r"(?im)^content-length: (\d+)", text)
        self._must(length is not None and int(length[1]) > 0, "has no length in HEAD")

    def _ask(self, path: str, *more: str) -> tuple[str, str]:
        """Body and what curl wrote after it."""
        text = self._run([*self.flags, *more, self.base + path]).decode()
        body, _, written = text.rpartition("\n")
        return (body, written) if "-w" in more else (text, "")

    def _file(self, size: int) -> Path:
        file = self.stand.folder / "upload"
        if not file.exists():
            file.write_bytes(bytes(range(256)) * (size // 256))
        return file

    def _run(self, arguments: list[str]) -> bytes:
        command = ["curl", "-sS", "--fail", "-m", "60", *arguments]
        done = subprocess.run(command, capture_output=True, check=False)
        self._must(done.returncode == 0, f"fails: {done.stderr.decode()}; {' '.join(command)}")
        return done.stdout

    def _must(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise SystemExit(f"{self.what}: {otherwise}")


def _joined(chunks: bytes) -> bytes:
    """The body of which these are the chunks: the backend shows them as they arrived."""
    body, at = b"", 0
    while True:
        end = chunks.index(b"\r\n", at)
        length = int(chunks[at:end], 16)
        if length == 0:
            return body
        body += chunks[end + 2 : end + 2 + length]
        at = end + 2 + length + 2
