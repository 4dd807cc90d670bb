"""F07: the keys that tokens are verified with change every five seconds under load; then come tokens of keys that
nobody has."""

from __future__ import annotations

import time

from signing import Key
from stage import Stage
from tokens import Provider, Room, Service, beside, judged, visits

SECONDS = {"short": 11, "long": 60}
FLOOD_S = {"short": 3, "long": 20}
PER_S = {"short": 100, "long": 400}
EACH_S = 5
# A key that signs no more is published for so many changes.
KEPT = 2
LIFE_S = 300


def play(stage: Stage) -> dict[str, float]:
    """No token is kept: each request is one verification."""
    changes = SECONDS[stage.form] // EACH_S + 1
    keys = [Key(stage.folder, f"key-{number}") for number in range(changes)]
    jwks, tokens = [key.jwk() for key in keys], [key.token("one", LIFE_S) for key in keys]
    strangers = [keys[0].token("one", LIFE_S, kid=f"nobody-{number}") for number in range(20)]

    def at(number: int) -> dict:
        published = jwks[max(0, number - KEPT) : number + 1]
        return {"tokens": [tokens[number]], "jwks": {"keys": published}}

    with Provider(stage.folder) as provider, Service() as service:
        provider.become(**at(0))
        options = f"cache: {{enabled: false}}, verify: {{jwks: 'http://127.0.0.1:{provider.port}/jwks'}}"
        with Room(stage, provider.port, service.port, options) as room:
            seen: list = []
            load = beside(lambda: seen.append(visits(room.port, ["one"], PER_S[stage.form], SECONDS[stage.form])))
            for number in range(1, changes):
                time.sleep(EACH_S)
                provider.become(**at(number))
            load.join()
            fetches = len(provider.fetched())
            provider.become(tokens=strangers, jwks={"keys": jwks})
            flood = visits(room.port, ["one"], PER_S[stage.form], FLOOD_S[stage.form])
            return {
                "requests": len(seen[0].all),
                "changes": changes - 1,
                "lost": seen[0].lost(),
                "fetches_of_changes": fetches / changes,
                "strangers": len(flood.all),
                "strangers_not_refused": sum(one.status != 502 for one in flood.all),
                "fetches_for_strangers": len(provider.fetched()) - fetches,
                **judged(room, service),
            }
