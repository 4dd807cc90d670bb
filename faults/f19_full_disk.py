"""F19: the disk is full, the disk fails, and nobody takes the log any more."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

from authserver import Authserver, damages, sqlite_dsn
from stage import Stage, wait_until

# Enough for the file and what SQLite writes before it, and soon full.
DISK = "16m"
TRIES = {"short": 100, "long": 2_000}


def play(stage: Stage) -> dict[str, float]:
    """Three disks that fail in three ways; the figures of all."""
    return {**_full(stage), **_failing(stage), **_log_full(stage)}


class Clients:
    """Clients with generated secrets, and what became of attempts to change something."""

    def __init__(self, server: Authserver) -> None:
        self.server = server
        self.secrets: dict[str, str] = {}
        self.statuses: Counter[int] = Counter()

    def create(self, name: str) -> int:
        """Creates one more."""
        answer = self.server.create(name)
        self.statuses[answer.status] += 1
        if answer.status == 201:
            self.secrets[name] = answer.json()["client_secret"]
        return answer.status

    def lost(self) -> int:
        """How many of those that were acknowledged get no token."""
        lost = 0
        for name, secret in self.secrets.items():
            lost += self.server.token(name, secret).status != 200
        return lost

    def unexpected(self) -> int:
        """Attempts that were neither done nor refused as they should be."""
        known = (201, 503, 507)
        return sum(count for status, count in self.statuses.items() if status not in known)


def _full(stage: Stage) -> dict[str, float]:
    disk = stage.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", disk], check=True)
    try:
        return _on_a_full(disk, stage)
    finally:
        subprocess.run(["umount", disk], check=True)


def _on_a_full(disk: Path, stage: Stage) -> dict[str, float]:
    file = disk / "db.sqlite"
    with Authserver(stage.carnet, stage.folder, sqlite_dsn(file)) as server:
        server.migrate()
        server.start()
        clients = Clients(server)
        for at in range(20):
            clients.create(f"before-{at}")
        token = server.token("before-0", clients.secrets["before-0"]).json()["access_token"]
        filler = _fill(disk)
        for at in range(TRIES[stage.form]):
            clients.create(f"full-{at}")
        refused = clients.statuses[503] + clients.statuses[507]
        without_token = clients.lost()
        revoked = server.revoke("before-0", clients.secrets["before-0"], token)
        still_active = server.introspect(token).json()["active"]
        filler.unlink()
        recovery = wait_until(lambda: clients.create(f"after-{time.monotonic_ns()}") == 201)
        lost = clients.lost()
        found = damages(file)
        server.kill()
        server.start()
        return {
            "full_refused": refused,
            "full_unexpected": clients.unexpected(),
            "full_tokens_lost": without_token,
            "full_false_revocations": int(revoked.status == 200 and still_active),
            "full_recovery_s": recovery,
            "full_lost": lost + clients.lost(),
            "full_damages": found + damages(file),
            "full_panics": server.panics(),
        }


def _fill(disk: Path) -> Path:
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    return filler


def _failing(stage: Stage) -> dict[str, float]:
    """`strace` answers the server's calls to the disk with an error."""
    if not shutil.which("strace"):
        raise SystemExit("faults: install strace and start again")
    file = stage.folder / "failing.sqlite"
    with Authserver(stage.carnet, stage.folder, sqlite_dsn(file)) as server:
        server.migrate()
        server.start()
        clients = Clients(server)
        for at in range(20):
            clients.create(f"before-{at}")
        calls = "fsync,fdatasync"
        inject = ["strace", "-f", "-qq", "-e", f"trace={calls}"]
        inject += ["-e", f"inject={calls}:error=EIO", "-o", "/dev/null", "-p", str(server.pid())]
        tracer = subprocess.Popen(inject, stderr=subprocess.DEVNULL)
        wait_until(lambda: _is_traced(server.pid()) or tracer.poll() is not None)
        before = clients.statuses[201]
        for at in range(20):
            clients.create(f"failing-{at}")
        acknowledged = clients.statuses[201] - before
        without_token = clients.lost()
        tracer.terminate()
        tracer.wait()
        recovery = wait_until(lambda: clients.create(f"after-{time.monotonic_ns()}") == 201)
        server.kill()
        server.start()
        return {
            "failing_refused": clients.statuses[503] + clients.statuses[507],
            "failing_acknowledged": acknowledged,
            "failing_unexpected": clients.unexpected(),
            "failing_tokens_lost": without_token,
            "failing_recovery_s": recovery,
            "failing_lost": clients.lost(),
            "failing_damages": damages(file),
            "failing_panics": server.panics(),
        }


def _is_traced(pid: int) -> bool:
    """Whether all threads of a process have a tracer."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return all("TracerPid:\t0" not in (task / "status").read_text() for task in tasks)


def _log_full(stage: Stage) -> dict[str, float]:
    """Every line of the log is refused."""
    file = stage.folder / "silent.sqlite"
    talkative = {"LOG_LEVEL": "trace"}
    server = Authserver(stage.carnet, stage.folder, sqlite_dsn(file), talkative, log="/dev/full")
    with server:
        server.migrate()
        server.start()
        clients = Clients(server)
        for at in range(20):
            clients.create(f"before-{at}")
        lost = clients.lost() + clients.unexpected()
        guess = server.token("before-0", "wrong")
        return {"log_lost": lost + int(guess.status != 401)}
