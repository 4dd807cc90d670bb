"""F18: the server is killed while clients are created, rotated, revoked and deleted."""

from __future__ import annotations

import random
import time

from authserver import Authserver, damages, sqlite_dsn
from history import UNKNOWN, History, unexplained
from lives import Life
from stage import Stage, at_once

WRITERS = 4
KILLS = {"short": 15, "long": 500}


def play(stage: Stage) -> dict[str, float]:
    """Kills again and again; after each restart, what was answered is held against what is there."""
    chance = random.Random(stage.seed)
    file = stage.folder / "db.sqlite"
    history, restarts, found = History(), [], 0
    with Authserver(stage.carnet, stage.folder, sqlite_dsn(file)) as server:
        server.migrate()
        server.start()
        for cycle in range(KILLS[stage.form]):
            lives = [Life(server, history, f"{cycle}-{at}") for at in range(WRITERS)]
            _kill_amid(server, lives, chance.uniform(0, 0.02))
            restarts.append(server.start())
            found += damages(file)
            at_once([life.look_back for life in lives])
        panics = server.panics()
    answered = sum(each.result != UNKNOWN for each in history.operations)
    return {
        "kills": len(restarts),
        "answered": answered,
        "unanswered": len(history.operations) - answered,
        "unexplained": len(unexplained(history)),
        "damages": found,
        "restart_max_s": max(restarts),
        "panics": panics,
    }


def _kill_amid(server: Authserver, lives: list[Life], seconds: float) -> None:
    def kill() -> None:
        time.sleep(seconds)
        server.kill()

    def live(life: Life) -> None:
        life.live(lambda result: result != UNKNOWN)

    at_once([*(lambda life=life: live(life) for life in lives), kill])
