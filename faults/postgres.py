"""PostgreSQL servers of the faults' own, in a folder that goes afterwards: the distribution's
programs, on loopback, as a user that PostgreSQL accepts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from processes import free_ports

# Administrators have connections that nobody else can take.
OWNER, PASSWORD = "postgres", "secret"
# What a crash of the server takes with it is played, not what a crash of the machine would.
SETTINGS = {"fsync": "off", "max_connections": "60", "shared_buffers": "32MB"}


@dataclass
class Cluster:
    """A server and its data; `port` may become another one's."""

    folder: Path
    port: int = field(default_factory=lambda: free_ports(1)[0])

    @classmethod
    def new(cls, **settings: str) -> Cluster:
        """An empty one, started; ended by `drop`."""
        cluster = cls(_folder())
        cluster.run("initdb", "-U", OWNER, "--no-sync", "-D", "data")
        hosts = cluster.folder / "data" / "pg_hba.conf"
        hosts.write_text(
            "local all all trust\n"
            "host all all 127.0.0.1/32 scram-sha-256\n"
            "local replication all trust\n"
            "host replication all 127.0.0.1/32 trust\n"
        )
        cluster.start(**settings)
        cluster.sql(f"CREATE ROLE carnet LOGIN PASSWORD '{PASSWORD}'", database=OWNER)
        cluster.sql("CREATE DATABASE faults OWNER carnet", database=OWNER)
        return cluster

    def standby(self) -> Cluster:
        """Another one that follows this one, write by write."""
        other = Cluster(_folder())
        source = ["-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER]
        other.run("pg_basebackup", *source, "-D", "data", "-R", "--no-sync", "-c", "fast")
        other.start()
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.sql("SELECT pg_reload_conf()")
        return other

    def dsn(self) -> str:
        """The address of its database."""
        return f"postgres://carnet:{PASSWORD}@127.0.0.1:{self.port}/faults?sslmode=disable"

    def start(self, **settings: str) -> None:
        """Starts it and waits until it answers."""
        told = {**SETTINGS, "listen_addresses": "127.0.0.1", **settings}
        options = f"-p {self.port} -k {self.folder}"
        options += "".join(f" -c {name}={value}" for name, value in told.items())
        self.run("pg_ctl", "start", "-w", "-D", "data", "-l", "log", "-o", options)

    def stop(self) -> None:
        """Ends it as a crash does."""
        self.run("pg_ctl", "stop", "-m", "immediate", "-D", "data", check=False)

    def promote(self) -> None:
        """Makes a standby a server of its own, which waits for no other."""
        self.run("pg_ctl", "promote", "-w", "-D", "data")

    def signal(self, which: int) -> None:
        """To all of its processes."""
        main = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for pid in [main, *map(int, children)]:
            try:
                os.kill(pid, which)
            except ProcessLookupError:
                pass

    def sql(self, statement: str, database: str = "faults") -> str:
        """Runs a statement as the administrator and gives what it prints."""
        return self.run("psql", *self._psql(OWNER, database), "-c", statement)

    def holding(self, statements: str) -> subprocess.Popen[bytes]:
        """Statements of the server's own user that go on beside."""
        command = self._command("psql", *self._psql("carnet", "faults"), "-c", statements)
        return subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def drop(self) -> None:
        """Ends it and removes its data."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.signal(signal.SIGCONT)
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program: str, *arguments: str, check: bool = True) -> str:
        """Runs one of PostgreSQL's programs in the folder."""
        command = self._command(program, *arguments)
        with tempfile.TemporaryFile() as said:
            # `pg_ctl` leaves a server behind that would keep a pipe open.
            done = subprocess.run(
                command, cwd=self.folder, stdout=said, stderr=said, check=False, timeout=60
            )
            said.seek(0)
            text = said.read().decode(errors="replace").strip()
        if check and done.returncode != 0:
            raise SystemExit(f"faults: {program}: {text}")
        return text

    def _psql(self, user: str, database: str) -> list[str]:
        names = ["-h", str(self.folder), "-p", str(self.port), "-U", user, "-d", database]
        return ["-X", "-q", "-A", "-t", *names]

    def _command(self, program: str, *arguments: str) -> list[str]:
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not versions:
            raise SystemExit("faults: install postgresql and start again")
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        return [*user, str(versions[-1] / program), *arguments]


def _folder() -> Path:
    """Short, since the path of a socket must be."""
    folder = Path(tempfile.mkdtemp(prefix="carnet-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    return folder
