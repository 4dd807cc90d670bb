"""F07: the keys that tokens are verified with change every five seconds under load; then come tokens of keys that
nobody has. One play for each way in which keys are found."""

from __future__ import annotations

import time

from signing import Key, strangers
from stage import Stage
from tokens import beside
from verifiers import WAYS, Verifier, for_each, of_all

SECONDS = {"short": 11, "long": 60}
FLOOD_S = {"short": 3, "long": 35}
# A provider that is asked for a token by each request is slower than a gateway that verifies one.
PER_S = {"short": dict.fromkeys(WAYS, 100), "long": {**dict.fromkeys(WAYS, 1000), "verify": 400}}
EACH_S = 5
# A key that signs no more is published for so many changes.
KEPT = 2
LIFE_S = 300
# Who looked in vain for a key looks again after so many seconds.
IN_VAIN_S = 30
# Figures of each way.
OWN = ("requests", "lost", "fetches_of_changes", "strangers", "strangers_not_refused", "fetches_for_strangers")


def play(stage: Stage) -> dict[str, float]:
    """Beside each other in the short form alone: figures are those of one."""
    if stage.form == "short":
        plays = for_each(stage, _play, list(WAYS))
    else:
        plays = {}
        for way in WAYS:
            plays |= for_each(stage, _play, [way])
    figures = {f"{way}_{name}": plays[way][name] for way in WAYS for name in OWN}
    return {"changes": min(one["changes"] for one in plays.values()), **figures, **of_all(plays)}


def _play(stage: Stage, way: str) -> dict[str, float]:
    """On one gateway."""
    per_s = PER_S[stage.form][way]
    changes = SECONDS[stage.form] // EACH_S + 1
    keys = [Key(stage.folder, f"key-{number}") for number in range(changes)]
    published = [key.jwk() for key in keys]

    def keys_at(number: int) -> dict:
        return {"keys": published[max(0, number - KEPT) : number + 1]}

    with WAYS[way](stage, lambda provider: provider.become(jwks=keys_at(0))) as verifier:
        tokens = [key.token("one", LIFE_S, **verifier.issuer()) for key in keys]
        verifier.present(tokens[:1])
        seen: list[list[int]] = []
        load = beside(lambda: seen.append(verifier.many(per_s, SECONDS[stage.form])))
        for number in range(1, changes):
            time.sleep(EACH_S)
            verifier.provider.also(jwks=keys_at(number))
            # Tokens of the key before are about as long as it is published.
            verifier.present(tokens[number - 1 : number + 1])
        load.join()
        fetches = len(verifier.provider.fetched())
        flood, again = _flood(stage, verifier, tokens[-1], per_s)
        return {
            "requests": len(seen[0]),
            "changes": changes - 1,
            "lost": sum(status != 200 for status in seen[0]),
            "fetches_of_changes": fetches / changes,
            "strangers": len(flood),
            "strangers_not_refused": sum(status != verifier.REFUSED for status in flood),
            "fetches_for_strangers": _most_in(again, IN_VAIN_S),
            **verifier.judged(),
        }


def _flood(stage: Stage, verifier: Verifier, token: str, per_s: float) -> tuple[list[int], list[float]]:
    """Tokens of keys that nobody has, none twice; and when keys were fetched meanwhile."""
    before = len(verifier.provider.fetched())
    verifier.present(strangers(token, int(per_s * FLOOD_S[stage.form])))
    seen = verifier.many(per_s, FLOOD_S[stage.form])
    return seen, verifier.provider.fetched()[before:]


def _most_in(times: list[float], seconds: float) -> int:
    """The most of these moments that lie within so many seconds."""
    # Moments are when the provider was asked: a look that began later may arrive a little less later.
    return max((sum(begin <= at < begin + seconds - 0.5 for at in times) for begin in times), default=0)
