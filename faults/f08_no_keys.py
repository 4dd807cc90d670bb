"""F08: the keys that tokens are verified with are not there: an empty set, an error, a connection that ends. The
last good ones go on."""

from __future__ import annotations

from signing import Key
from stage import Stage, wait_until
from tokens import Provider, Room, Service, judged, visit, visits

SECONDS = {"short": 2, "long": 10}
PER_S = 100
LIFE_S = 300
TROUBLES = {"empty": {"jwks": {"keys": []}}, "error": {"jwks_status": 500}, "cut": {"jwks_status": 0}}


def play(stage: Stage) -> dict[str, float]:
    """Tokens of a key that is known, and of one that is new, beside each other."""
    known, new = Key(stage.folder, "known"), Key(stage.folder, "new")
    good = {"keys": [known.jwk()]}
    right, unknown = known.token("one", LIFE_S), new.token("one", LIFE_S)
    lost = taken = asked = 0
    with Provider(stage.folder) as provider, Service() as service:
        provider.become(tokens=[right], jwks=good)
        options = f"cache: {{enabled: false}}, verify: {{jwks: 'http://127.0.0.1:{provider.port}/jwks'}}"
        with Room(stage, provider.port, service.port, options) as room:
            lost += visit(room.port, "one").status != 200
            for trouble in TROUBLES.values():
                # One that is new makes the gateway look for its key.
                provider.become(tokens=[unknown], **trouble)
                taken += visit(room.port, "one").status == 200
                provider.become(tokens=[right], **trouble)
                seen = visits(room.port, ["one"], PER_S, SECONDS[stage.form])
                asked, lost = asked + len(seen.all), lost + seen.lost()
            fetches = len(provider.fetched())
            provider.become(tokens=[unknown], jwks={"keys": [new.jwk()]})
            found_s = wait_until(lambda: visit(room.port, "one").status == 200, 40) if stage.form == "long" else 0
            return {
                "requests": asked,
                "lost": lost,
                "unknown_taken": taken,
                "fetches": fetches,
                "new_found_s": found_s,
                **judged(room, service),
            }
