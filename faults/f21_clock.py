"""F21: the clock jumps, and clocks of two servers differ."""

from __future__ import annotations

from authserver import Authserver, sqlite_dsn
from clock import Clock
from stage import Stage

HOUR = 3600
# Clocks of servers of one database may differ by so much.
SKEW = 60


class Asked:
    """One client of a server, and how often it did not get what it should."""

    def __init__(self, server: Authserver) -> None:
        self.server = server
        self.lost = 0
        self.secret = server.create("a").json()["client_secret"]

    def token(self) -> str:
        """A token; its times must fit each other."""
        answer = self.server.token("a", self.secret)
        self.lost += answer.status != 200 or answer.json()["expires_in"] != HOUR
        return answer.json()["access_token"]

    def is_active(self, token: str, server: Authserver | None = None) -> bool:
        """Whether a token counts."""
        return (server or self.server).introspect(token).json()["active"]

    def work(self) -> None:
        """A bit of everything that looks at the clock."""
        for _ in range(5):
            self.lost += not self.is_active(self.token())
        rotated = self.server.ask_admin("POST", "/admin/clients/a/secrets/rotate")
        self.lost += rotated.status != 200
        self.lost += self.server.token("a", self.secret).status != 200
        self.secret = rotated.json()["client_secret"]
        self.lost += self.server.token("a", "wrong").status != 401
        renamed = [{"op": "replace", "path": "/client_name", "value": "n"}]
        self.lost += self.server.ask_admin("PATCH", "/admin/clients/a", renamed).status != 200


def play(stage: Stage) -> dict[str, float]:
    """One server whose clock jumps, then two that disagree."""
    file = stage.folder / "db.sqlite"
    clock, other_clock = Clock(stage.folder / "clock"), Clock(stage.folder / "other-clock")
    one = Authserver(stage.carnet, stage.folder, sqlite_dsn(file), clock.settings)
    other = Authserver(stage.carnet, stage.folder, sqlite_dsn(file), other_clock.settings)
    with one, other:
        one.migrate()
        one.start()
        asked = Asked(one)
        wrong = _jump(clock, asked)
        other.start()
        apart = _differ(clock, asked, other)
        panics = one.panics() + other.panics()
        ended = one.end() + other.end()
    return {"lost": asked.lost, **wrong, **apart, "panics": panics, "exit_codes": ended}


def _jump(clock: Clock, asked: Asked) -> dict[str, float]:
    now = asked.token()
    late = early = 0
    asked.work()
    clock.set(HOUR - 10)
    asked.lost += not asked.is_active(now)
    # The end counts at once, with no skew in favour of who shows the token.
    clock.set(HOUR + 1)
    late += asked.is_active(now)
    clock.set(2 * HOUR)
    late += asked.is_active(now)
    asked.work()
    ahead = asked.token()
    clock.set(0)
    early += asked.is_active(ahead)
    asked.lost += not asked.is_active(now)
    asked.work()
    clock.set(-2 * HOUR)
    early += asked.is_active(now)
    asked.work()
    behind = asked.token()
    clock.set(0)
    late += asked.is_active(behind)
    asked.work()
    return {"accepted_after_the_end": late, "accepted_before_the_beginning": early}


def _differ(clock: Clock, asked: Asked, other: Authserver) -> dict[str, float]:
    """The clock of the other one stays right."""
    refused = accepted = 0
    for seconds in (30, -30):
        clock.set(seconds)
        refused += not asked.is_active(asked.token(), other)
        back = other.token("a", asked.secret).json()["access_token"]
        refused += not asked.is_active(back)
    clock.set(SKEW + 30)
    accepted += asked.is_active(asked.token(), other)
    clock.set(SKEW - HOUR - 90)
    accepted += asked.is_active(asked.token(), other)
    clock.set(0)
    return {"refused_within_the_skew": refused, "accepted_beyond_the_skew": accepted}
