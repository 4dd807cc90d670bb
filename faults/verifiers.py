"""Who verifies tokens with keys that a provider publishes: `verify` of `oAuthClientCredentials` those that it was given
for its callers, `jwt` those that callers bring. Faults of keys are played on each of `WAYS`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Callable, Self

from bearers import Counted, Guarded, bring, bring_all
from clock import Clock
from stage import Stage, at_once
from tokens import Provider, Room, Service, judged, visit, visits

PATIENCE_S = 1


class Verifier:
    """A provider, a gateway that verifies by its keys, and a service behind it. `before` is what the provider does
    before there is a gateway."""

    # What is answered to a token of a key that nobody has.
    REFUSED = 0

    def __init__(self, stage: Stage, before: Callable[[Provider], object], clock: Clock | None = None) -> None:
        self.environment = clock.settings if clock else {}
        with ExitStack() as stack:
            self.provider = stack.enter_context(Provider(stage.folder))
            before(self.provider)
            self._begin(stage, stack)
            self.opened = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.opened.close()

    def _begin(self, stage: Stage, stack: ExitStack) -> None:
        raise NotImplementedError

    def _start(self, gateway: Room | Guarded, stack: ExitStack) -> None:
        gateway.environment = self.environment
        self.gateway = stack.enter_context(gateway)

    def issuer(self) -> dict[str, str]:
        """What tokens must say of who signed them."""
        return {}

    def present(self, tokens: list[str]) -> None:
        """From now on requests are about these."""
        raise NotImplementedError

    def one(self) -> int:
        """The status of one request."""
        raise NotImplementedError

    def many(self, per_s: float, seconds: float) -> list[int]:
        """Those of requests at an even pace."""
        raise NotImplementedError

    def served(self) -> int:
        """Requests that came to the service."""
        raise NotImplementedError

    def judged(self) -> dict[str, float]:
        """What no fault may bring about."""
        raise NotImplementedError


class Given(Verifier):
    """`verify`: the provider gives the tokens, and none is kept: each request is one verification."""

    REFUSED = 502

    def _begin(self, stage: Stage, stack: ExitStack) -> None:
        self.service = stack.enter_context(Service())
        options = (
            f"cache: {{enabled: false}}, clientConfig: {{timeoutSeconds: {PATIENCE_S}}}, "
            f"verify: {{jwks: 'http://127.0.0.1:{self.provider.port}/jwks'}}"
        )
        self._start(Room(stage, self.provider.port, self.service.port, options), stack)

    def present(self, tokens: list[str]) -> None:
        self.provider.also(tokens=tokens)

    def one(self) -> int:
        return visit(self.gateway.port, "one").status

    def many(self, per_s: float, seconds: float) -> list[int]:
        return [one.status for one in visits(self.gateway.port, ["one"], per_s, seconds).all]

    def served(self) -> int:
        return self.service.answered

    def judged(self) -> dict[str, float]:
        return judged(self.gateway, self.service)


class Brought(Verifier):
    """`jwt`: callers bring the tokens."""

    REFUSED = 401

    def options(self) -> str:
        """Of `jwt`."""
        raise NotImplementedError

    def _begin(self, stage: Stage, stack: ExitStack) -> None:
        self.tokens: list[str] = []
        # Answers 200 that the service did not give to whom the token is about.
        self.wrong = 0
        self.service = stack.enter_context(Counted())
        middleware = (
            f"jwt: {{{self.options()}, clientConfig: {{timeoutSeconds: {PATIENCE_S}}}, forwardHeaders: {{X-User: sub}}}}"
        )
        self._start(Guarded(stage, self.service.port, middleware), stack)

    def present(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def one(self) -> int:
        return self._seen([bring(self.gateway.port, self.tokens[0])])[0]

    def many(self, per_s: float, seconds: float) -> list[int]:
        def token(number: int) -> str:
            tokens = self.tokens
            return tokens[number % len(tokens)]

        return self._seen(bring_all(self.gateway.port, token, per_s, seconds))

    def _seen(self, answers: list) -> list[int]:
        self.wrong += sum(answer.status == 200 and not answer.is_of("one") for answer in answers)
        return [answer.status for answer in answers]

    def served(self) -> int:
        return self.service.came.total()

    def judged(self) -> dict[str, float]:
        others = self.service.came.total() - self.service.came["one"]
        return {
            "served": self.served(),
            "wrong_identity": self.wrong + others,
            "expired": 0,
            **self.gateway.judged(),
        }


class ByJwksUrl(Brought):
    """Each request is one verification."""

    def options(self) -> str:
        return f"jwksUrl: '{self.provider.url}/jwks', cache: {{enabled: false}}"


class ByDiscovery(Brought):
    """Tokens that were right are remembered."""

    def options(self) -> str:
        return f"discovery: '{self.provider.url}/.well-known/openid-configuration'"

    def issuer(self) -> dict[str, str]:
        return {"iss": self.provider.url}


WAYS: dict[str, type[Verifier]] = {"verify": Given, "jwks_url": ByJwksUrl, "discovery": ByDiscovery}


def for_each(stage: Stage, play: Callable[[Stage, str], dict[str, float]], names: list[str]) -> dict[str, dict[str, float]]:
    """A play for each of these names, in folders of their own, beside each other."""
    figures: dict[str, dict[str, float]] = {}

    def one(name: str) -> None:
        folder = Path(stage.folder) / name.replace(" ", "-")
        folder.mkdir()
        figures[name] = play(Stage(stage.carnet, folder, stage.form, stage.seed), name)

    at_once([lambda name=name: one(name) for name in names])
    return {name: figures[name] for name in names}


def of_all(plays: dict[str, dict[str, float]]) -> dict[str, float]:
    """What no fault may bring about, added up; but the fewest that were served in one play."""
    names = ("wrong_identity", "expired", "panics", "secrets_in_log")
    return {
        "served": min(figures["served"] for figures in plays.values()),
        **{name: sum(figures[name] for figures in plays.values()) for name in names},
    }
