"""F26: packets are lost or met by resets, between clients and the gateway, then behind it."""

from __future__ import annotations

from asking import ask_for, get_or_post
from backends import Scripted
from gateway import Gateway
from hops import Network
from stage import Stage
from visitors import Tally

SECONDS = {"short": 1, "long": 20}
LOST_PERCENT, RESET_PERCENT = 5, 2
# Two attempts after the first, for what may be repeated.
ROUTES = """
http:
  routers:
    repeated: {{rule: 'Method(`GET`)', service: first}}
    once: {{rule: 'Method(`POST`)', service: s}}
  services:
    first: {{failover: {{service: s, fallback: second, errors: {{status: ['502']}}}}}}
    second: {{failover: {{service: s, fallback: third, errors: {{status: ['502']}}}}}}
    third: {{failover: {{service: s, fallback: s, errors: {{status: ['502']}}}}}}
    s: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:{port}'}}]}}}}
"""


def play(stage: Stage) -> dict[str, float]:
    """Four troubles one after the other."""
    with Network() as network, Scripted(stage.seed) as backend:
        gateway = Gateway(stage.carnet, stage.folder, 1, 0)
        text = ROUTES.format(port=backend.port)
        (stage.folder / "routes.yaml").write_text(text, encoding="utf-8")
        with gateway:
            gateway.start()
            figures: dict[str, float] = {}
            troubles = {
                "client_loss": lambda: network.loses(gateway.port, LOST_PERCENT),
                "server_loss": lambda: network.loses(backend.port, LOST_PERCENT),
                "client_reset": lambda: network.resets(gateway.port, RESET_PERCENT),
                "server_reset": lambda: network.resets(backend.port, RESET_PERCENT),
            }
            for at, (name, begins) in enumerate(troubles.items()):
                begins()
                tally = Tally()
                ask_for(SECONDS[stage.form], gateway.port, tally, get_or_post, at * 1_000_000)
                figures |= _seen(name, tally, network.hit())
            network.is_well()
            return {
                **figures,
                "posts_done_twice": max(0, backend.most("POST") - 1),
                "serves_after": float(gateway.ask("/") == 200),
                "panics": gateway.said().count("panicked"),
            }


def _seen(name: str, tally: Tally, hit: int) -> dict[str, float]:
    gets, posts = tally.count("GET lost"), tally.count("POST lost")
    return {
        f"{name}_asked": tally.count("GET") + tally.count("POST") + gets + posts,
        f"{name}_hit": hit,
        f"{name}_gets_lost": gets,
        f"{name}_posts_lost": posts,
        f"{name}_lost_beyond_hit": max(0, gets + posts - hit),
    }
