"""F08: the keys that tokens are verified with are not there. From the beginning: the route is closed, and opens by
itself. Later: the last good ones go on, for a day. One play for each way in which keys are found and each trouble."""

from __future__ import annotations

import signal

from clock import Clock
from signing import Key
from stage import Stage, wait_until
from tokens import Provider
from verifiers import WAYS, Verifier, for_each, of_all

SECONDS = {"short": 2, "long": 10}
PER_S = 30
LIFE_S = 72 * 3600
HOUR = 3600
AGES_H = (0.1, 1, 12, 23.9)
# Attempts at keys come so much later than one that failed.
PAUSE_S = 5
GONE, HANGS = "gone", "hangs"
MOODS = {
    "empty": {"jwks": {"keys": []}},
    "error": {"jwks_status": 500},
    "cut": {"jwks_status": 0},
    "garbage": {"jwks": "keys"},
    "nowhere": {"metadata": {}},
    "unknown": {"metadata_status": 500},
}
# Who gives tokens, too, can neither be gone nor hang.
TROUBLES = {
    "verify": ["empty", "error", "cut"],
    "jwks_url": ["empty", "error", "cut", "garbage", GONE, HANGS],
    "discovery": ["empty", "error", "nowhere", "unknown", GONE, HANGS],
}
AGED = "aged"
MOST = {"fetches_in_5_s", "opened_s", "new_found_s"}


def play(stage: Stage) -> dict[str, float]:
    """All beside each other: nothing but behaviour is asked."""
    keys = [Key(stage.folder, name) for name in ("known", "new")]
    names = [f"{way} {trouble}" for way in WAYS for trouble in TROUBLES[way]]
    plays = for_each(stage, lambda own, name: _Play(own, keys, *name.split(" ")).troubled(), names)
    aged = [f"{way} {AGED}" for way in ("jwks_url", "discovery")]
    plays |= for_each(stage, lambda own, name: _Play(own, keys, *name.split(" ")).aged(), aged)
    figures: dict[str, float] = {"plays": len(plays)}
    for one in plays.values():
        for name, figure in one.items():
            known = figures.get(name, 0)
            figures[name] = max(known, figure) if name in MOST else known + figure
    return {**figures, **of_all(plays)}


class _Play:
    """On one gateway."""

    def __init__(self, stage: Stage, keys: list[Key], way: str, trouble: str) -> None:
        self.stage, self.way, self.trouble = stage, way, trouble
        self.keys = keys
        self.good = {"jwks": {"keys": [keys[0].jwk()]}}

    def troubled(self) -> dict[str, float]:
        """Trouble, its end, and the same trouble again."""

        def before(provider: Provider) -> None:
            provider.become(**self.good)
            self._begin(provider)

        with WAYS[self.way](self.stage, before) as verifier:
            right, unknown = (key.token("one", LIFE_S, **verifier.issuer()) for key in self.keys)
            verifier.present([right])
            closed = verifier.many(PER_S, SECONDS[self.stage.form])
            figures = {
                "closed": len(closed),
                "closed_not_503": sum(status != 503 for status in closed),
                "came_while_closed": verifier.served(),
                "fetches_in_5_s": self._fetches(verifier),
            }
            once = _said(verifier) == (1, 0)
            self._end(verifier.provider)
            figures["opened_s"] = wait_until(lambda: verifier.one() == 200, 20)
            once &= _said(verifier) == (1, 1)
            figures |= self._later(verifier, right, unknown)
            once &= _said(verifier)[0] == 2
            return {**figures, "not_said_once": not once, **verifier.judged()}

    def _later(self, verifier: Verifier, right: str, unknown: str) -> dict[str, float]:
        """With keys that are known."""
        self._begin(verifier.provider)
        # One that is new makes the gateway look for its key.
        verifier.present([unknown])
        taken = verifier.one() == 200
        verifier.present([right])
        seen = verifier.many(PER_S, SECONDS[self.stage.form])
        self.good["jwks"] = {"keys": [key.jwk() for key in self.keys]}
        self._end(verifier.provider)
        verifier.present([unknown])
        is_long = self.stage.form == "long"
        return {
            "requests": len(seen),
            "lost": sum(status != 200 for status in seen),
            "unknown_taken": taken,
            "new_found_s": wait_until(lambda: verifier.one() == 200, 40) if is_long else 0,
        }

    def aged(self) -> dict[str, float]:
        """The provider is gone for more than a day."""
        clock = Clock(self.stage.folder / "clock", moves_durations=True)
        with WAYS[self.way](self.stage, lambda provider: provider.become(**self.good), clock) as verifier:
            verifier.present([self.keys[0].token("one", LIFE_S, **verifier.issuer())])
            lost, asked = int(verifier.one() != 200), 1
            verifier.provider.kill()
            for hours in AGES_H:
                clock.set(int(hours * HOUR))
                seen = verifier.many(PER_S, 0.5)
                lost, asked = lost + sum(status != 200 for status in seen), asked + len(seen)
            clock.set(int(24.1 * HOUR))
            old = verifier.many(PER_S, 0.5)
            verifier.provider.start()
            return {
                "aged": asked,
                "aged_lost": lost,
                "too_old": len(old),
                "too_old_not_503": sum(status != 503 for status in old),
                "opened_s": wait_until(lambda: verifier.one() == 200, 20),
                **verifier.judged(),
            }

    def _begin(self, provider: Provider) -> None:
        if self.trouble == GONE:
            provider.kill()
        elif self.trouble == HANGS:
            provider.signal(signal.SIGSTOP)
        else:
            provider.also(**MOODS[self.trouble])

    def _end(self, provider: Provider) -> None:
        if self.trouble == GONE:
            provider.start()
        elif self.trouble == HANGS:
            provider.signal(signal.SIGCONT)
        tokens = provider.mood.get("tokens")
        provider.become(**self.good, **({"tokens": tokens} if tokens else {}))

    def _fetches(self, verifier: Verifier) -> int:
        """The most within the pause after one that failed: an attempt, and its repetitions."""
        if self.trouble not in MOODS:
            return 0
        times = verifier.provider.fetched()
        return max((sum(begin <= at < begin + PAUSE_S for at in times) for begin in times), default=0)


def _said(verifier: Verifier) -> tuple[int, int]:
    """How often the log says that keys cannot be fetched, and that they can again."""
    said = verifier.gateway.said()
    return said.count("the keys to verify tokens cannot be fetched"), said.count("can be fetched again")
