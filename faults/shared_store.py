"""A fleet of gateways asks the provider once: for one client of whom 2,000 requests come at once, and for a
hundred clients; and shares nothing with gateways that have another secret. The store wants TLS, and a user
with no more rights than the reference asks for."""

from __future__ import annotations

from fleet import Fleet, at_once, store
from redis_servers import PASSWORD, Certificates, Redis, user
from stage import Stage
from tokens import names

CROWD = {"short": 400, "long": 2000}
CLIENTS = {"short": 40, "long": 100}
ROUNDS = {"short": 1, "long": 10}
OTHER = "another-secret-0123456789"[:24]


def play(stage: Stage) -> dict[str, float]:
    """The crowd, the clients, and the stranger."""
    clients, crowd = names("client", CLIENTS[stage.form]), CROWD[stage.form]
    certificates = Certificates(stage.folder)
    with Redis(stage.folder, "user default off", user(), certificates=certificates) as redis:
        more = f"username: gateways, password: {PASSWORD}, tls: {{{certificates.material}}}"
        with Fleet(stage, store([redis.reached], more)) as fleet:
            fleet.provider.become(delay=1)
            statuses, calls = [], []
            for number in range(ROUNDS[stage.form]):
                one = f"crowd-{number}"
                statuses += at_once([room.port for room in fleet.rooms], one, crowd)
                calls += fleet.calls([one])
            fleet.provider.become()
            seen = fleet.visits(clients, 50)
            shared = sum(fleet.calls(clients))
            stranger = fleet.add(store([redis.reached], more, secret=OTHER))
            fleet.rooms = [stranger]
            seen.all += fleet.visits(clients, 50).all
            return {
                "crowd": len(statuses),
                "crowd_answered": statuses.count(200) / len(statuses),
                "calls_for_a_crowd": max(calls),
                "calls_of_clients": shared / len(clients),
                "calls_of_clients_with_a_stranger": sum(fleet.calls(clients)) / len(clients),
                "lost": seen.lost(),
                "troubles": fleet.lines_about_the_store(),
                **fleet.judged(),
            }
