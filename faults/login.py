"""The provider that people log in at is gone, hangs, fails or talks nonsense between the two halves of a login: nobody
gets in, who is in stays, and once it is well people log in again. The same for a gateway that never saw it well."""

from __future__ import annotations

import base64
import signal
import time
from urllib.parse import parse_qs, urlencode, urlsplit

from bearers import Answer, Counted, Guarded, ask
from signing import Key
from stage import Stage, wait_until
from tokens import Provider
from verifiers import for_each, of_all

SECONDS = {"short": 1, "long": 10}
EACH_S = 0.05
PATIENCE_S = 1
LIFE_S = 3600
GONE, HANGS = "gone", "hangs"
PAGE = b"HTTP/1.1 200 -\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\n<html>"
MOODS = {
    "error": {"status": 503},
    "page": {"bytes": base64.b64encode(PAGE).decode()},
    "silence": {"bytes": ""},
    "empty": {"answer": {"access_token": "a", "token_type": "bearer", "expires_in": LIFE_S}},
}
# What the person gets; elsewhere there is no answer, which is 503.
STATUSES = {"page": 502, "empty": 502}


def play(stage: Stage) -> dict[str, float]:
    """One gateway for each trouble, beside each other."""
    key = Key(stage.folder, "key")
    plays = for_each(stage, lambda own, trouble: _Play(own, key, trouble).play(), [GONE, HANGS, *MOODS])
    figures: dict[str, float] = {"plays": len(plays)}
    for one in plays.values():
        for name, figure in one.items():
            known = figures.get(name, 0)
            figures[name] = max(known, figure) if name.endswith("_s") else known + figure
    return {**figures, **of_all(plays)}


class _Browser:
    """A person's, who is called `name`."""

    def __init__(self, gateway: Guarded, key: Key, provider: Provider, name: str) -> None:
        self.gateway, self.key, self.provider, self.name = gateway, key, provider, name
        self.cookies: dict[str, str] = {}

    def look(self, path: str = "/") -> Answer:
        """A page."""
        fields = {"Accept": "text/html", "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        answer = ask(self.gateway.port, fields if self.cookies else {"Accept": "text/html"}, path, name=self.name)
        for name, value in answer.cookies:
            self.cookies[name] = value
        self.cookies = {name: value for name, value in self.cookies.items() if value}
        return answer

    def begin(self) -> dict[str, str]:
        """The way to the provider: what it is asked, or nothing."""
        answer = self.look()
        place = urlsplit(answer.fields.get("location", ""))
        return {name: values[0] for name, values in parse_qs(place.query).items()} if answer.status == 302 else {}

    def id_token(self, asked: dict[str, str]) -> str:
        """What a provider that is well gives for the code."""
        more = {"iss": self.provider.url, "aud": "gateway", "nonce": asked["nonce"]}
        return self.key.token(self.name, LIFE_S, **more)

    def come_back(self, asked: dict[str, str]) -> Answer:
        """With a code."""
        return self.look("/callback?" + urlencode({"code": "code", "state": asked["state"]}))

    def log_in(self) -> bool:
        """All of it, at a provider that is well; whether the service is reached."""
        asked = self.begin()
        if not asked:
            return False
        answer = {"access_token": "a", "token_type": "bearer", "expires_in": LIFE_S, "id_token": self.id_token(asked)}
        self.provider.also(answer=answer)
        return self.come_back(asked).status == 302 and self.look().is_of(self.name)


class _Play:
    """On one gateway that knows its provider, and then on one that does not."""

    def __init__(self, stage: Stage, key: Key, trouble: str) -> None:
        self.stage, self.key, self.trouble = stage, key, trouble
        self.well = {"jwks": {"keys": [key.jwk()]}}

    def play(self) -> dict[str, float]:
        with Provider(self.stage.folder) as provider, Counted() as service:
            provider.become(**self.well)
            with Guarded(self.stage, service.port, f"oidc: {{{self._options(provider)}}}") as gateway:
                known, late = (_Browser(gateway, self.key, provider, name) for name in ("known", "late"))
                lost = int(not known.log_in())
                asked = late.begin()
                self._begin(provider)
                refused = [late.come_back(asked)]
                seen = self._stays(known)
                # The attempt is over: what comes with it again is nobody's.
                refused += [late.come_back(asked)]
                once = self._is_told_once(gateway, 0)
                self._end(provider)
                back_s = wait_until(late.log_in, 10)
                once &= self._is_told_once(gateway, 1)
                wanted = STATUSES.get(self.trouble, 503)
                return {
                    "lost": lost + sum(not answer.is_of("known") for answer in seen),
                    "looked": len(seen),
                    "let_in": sum(answer.status in (200, 302) for answer in refused),
                    "unexpected": (refused[0].status != wanted) + (refused[1].status != 400),
                    "back_s": back_s,
                    "not_said_once": not once,
                    **self._never_well(provider, service),
                    "served": service.came.total(),
                    "wrong_identity": service.came.total() - service.came["known"] - service.came["late"] - service.came["new"],
                    "expired": 0,
                    **gateway.judged(),
                }

    def _never_well(self, provider: Provider, service: Counted) -> dict[str, float]:
        """A gateway that begins while its provider says nothing of itself."""
        folder = self.stage.folder / "never-well"
        folder.mkdir()
        stage = Stage(self.stage.carnet, folder, self.stage.form, self.stage.seed)
        provider.also(metadata_status=500)
        if self.trouble in (GONE, HANGS):
            self._begin(provider)
        with Guarded(stage, service.port, f"oidc: {{{self._options(provider)}}}") as gateway:
            new = _Browser(gateway, self.key, provider, "new")
            closed = self._stays(new)
            told = gateway.said().count("the keys to verify tokens cannot be fetched")
            self._end(provider)
            return {
                "closed": len(closed),
                "closed_not_503": sum(one.status != 503 or "retry-after" not in one.fields for one in closed),
                "closed_not_said_once": told != 1,
                "opened_s": wait_until(new.log_in, 15),
            }

    def _options(self, provider: Provider) -> str:
        return (
            f"issuer: '{provider.url}', clientID: gateway, clientSecret: a-secret-of-at-least-thirty-two-bytes, "
            f"redirectUrl: /callback, forwardHeaders: {{X-User: sub}}, clientConfig: {{timeoutSeconds: {PATIENCE_S}}}"
        )

    def _stays(self, known: _Browser) -> list[Answer]:
        """Somebody who looks again and again, meanwhile."""
        end, seen = time.monotonic() + SECONDS[self.stage.form], []
        while time.monotonic() < end:
            seen.append(known.look())
            time.sleep(EACH_S)
        return seen

    def _is_told_once(self, gateway: Guarded, ended: int) -> bool:
        """Whether the log says once that there is trouble, and so often that it has ended."""
        said = gateway.said()
        # The provider answers; what comes of it is told of the request.
        if self.trouble == "empty":
            return said.count("request failed") == 1
        again = said.count("people can log in again")
        return said.count("nobody can log in at the provider") == 1 and again == ended

    def _begin(self, provider: Provider) -> None:
        if self.trouble == GONE:
            provider.kill()
        elif self.trouble == HANGS:
            provider.signal(signal.SIGSTOP)
        else:
            provider.become(**self.well, **MOODS[self.trouble])

    def _end(self, provider: Provider) -> None:
        if self.trouble == GONE:
            provider.mood = self.well
            provider.start()
        elif self.trouble == HANGS:
            provider.signal(signal.SIGCONT)
        provider.become(**self.well)
