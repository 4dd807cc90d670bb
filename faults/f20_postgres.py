"""F20: PostgreSQL crashes, hangs, has no room for us, and is replaced by another one."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import Callable, Iterator

from authserver import Authserver
from history import History, unexplained
from lives import Life
from postgres import Cluster
from stage import Stage, at_once, wait_until

WRITERS = 3
# How long each trouble lasts, and how often all of them are played.
SECONDS = {"short": 1, "long": 5}
ROUNDS = {"short": 1, "long": 5}


def play(stage: Stage) -> dict[str, float]:
    """Trouble after trouble under load. All that was answered must fit one order of events."""
    primary = Cluster.new()
    standby = None
    try:
        standby = primary.standby()
        with Authserver(stage.carnet, stage.folder, primary.dsn()) as server:
            server.migrate()
            server.start()
            return Played(server, primary, standby, stage).play()
    finally:
        for cluster in (standby, primary):
            if cluster:
                cluster.drop()


class Played:
    """A server under load, its database and the one that will follow."""

    def __init__(
        self, server: Authserver, primary: Cluster, standby: Cluster, stage: Stage
    ) -> None:
        self.server, self.primary, self.standby = server, primary, standby
        self.form = stage.form
        self.history = History()
        self.probe = Probe(server)
        self.recoveries: dict[str, list[float]] = {}

    def play(self) -> dict[str, float]:
        lives = [Life(self.server, self.history, f"life-{at}") for at in range(WRITERS)]
        over = threading.Event()

        def live(life: Life) -> None:
            def goes_on(_: str) -> bool:
                time.sleep(0.005)
                return not over.is_set()

            life.live(goes_on)

        def troubles() -> None:
            try:
                for _ in range(ROUNDS[self.form]):
                    for trouble in (self.crash, self.hang, self.lock, self.no_room):
                        self.recovers_after(trouble)
                self.recovers_after(self.fail_over)
            finally:
                over.set()

        at_once([*(lambda life=life: live(life) for life in lives), troubles])
        at_once([life.look_back for life in lives])
        said = self.server.said()
        slowest = {f"{name}_recovery_s": max(all_) for name, all_ in self.recoveries.items()}
        return {
            **slowest,
            "slowest_answer_s": self.probe.slowest,
            "probes": self.probe.asked,
            "probes_refused": self.probe.refused,
            "probes_unexpected": self.probe.unexpected,
            "operations": len(self.history.operations),
            "unexplained": len(unexplained(self.history)),
            "prepared_statement_errors": said.count("prepared statement"),
            "panics": self.server.panics(),
        }

    def recovers_after(self, trouble: Callable[[], None]) -> None:
        """Probes all the while; how long after the database is well the first token comes."""
        with self.probe.asking():
            trouble()
            well = time.monotonic()
            taken = wait_until(lambda: self.probe.good_since > well, 20)
        self.recoveries.setdefault(trouble.__name__, []).append(taken)

    def crash(self) -> None:
        """What `pg_ctl restart -m immediate` does, with a while in between."""
        self.primary.stop()
        time.sleep(SECONDS[self.form])
        self.primary.start()

    def hang(self) -> None:
        """Connections stay open, and nobody answers."""
        self.primary.signal(signal.SIGSTOP)
        time.sleep(SECONDS[self.form] + 1)
        self.primary.signal(signal.SIGCONT)

    def lock(self) -> None:
        """Every statement waits for somebody else's."""
        seconds = SECONDS[self.form] + 1
        lock = f"BEGIN; LOCK TABLE client IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep({seconds})"
        self.primary.holding(lock).wait()

    def no_room(self) -> None:
        """Others take all connections, and those of the server are cut."""
        others = [self.primary.holding("SELECT pg_sleep(60)") for _ in range(70)]
        cut = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE client_addr = '127.0.0.1' AND datname = 'faults'"
        )
        until = time.monotonic() + SECONDS[self.form]
        while time.monotonic() < until:
            # One is kept for administrators.
            self.primary.sql(cut)
            time.sleep(0.1)
        for other in others:
            other.kill()
            other.wait()
        self.primary.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%'"
            " AND pid <> pg_backend_pid()"
        )

    def fail_over(self) -> None:
        """The standby takes the place of the one that died, at its address."""
        self.primary.stop()
        self.standby.promote()
        self.standby.stop()
        self.standby.port = self.primary.port
        self.standby.start(synchronous_standby_names="")


class Probe:
    """Asks for a token again and again, and remembers the slowest answer."""

    def __init__(self, server: Authserver) -> None:
        self.server = server
        self.secret = server.create("probe").json()["client_secret"]
        self.slowest = 0.0
        self.asked = self.refused = self.unexpected = 0
        # When the last call that was granted began.
        self.good_since = 0.0

    def ask(self) -> None:
        began = time.monotonic()
        answer = self.server.token("probe", self.secret)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.asked += 1
        self.refused += answer.status == 503
        is_known = answer.status == 200 or (answer.status == 503 and answer.headers["retry-after"])
        self.unexpected += not is_known
        if answer.status == 200:
            self.good_since = began

    @contextmanager
    def asking(self) -> Iterator[None]:
        """In the background, until the block ends."""
        over = threading.Event()

        def ask() -> None:
            while not over.is_set():
                self.ask()
                time.sleep(0.02)

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
