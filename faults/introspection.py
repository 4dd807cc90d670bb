"""The server that vouches for tokens is gone, hangs, fails or talks nonsense: what it said counts for as long as it may,
nobody else passes, and it is left alone."""

from __future__ import annotations

import base64
import signal

from bearers import Answer, Counted, Guarded, bring, bring_all
from stage import Stage, wait_until
from tokens import Provider
from verifiers import for_each, of_all

MAX_AGE_S = 2
PATIENCE_S = 1
# How long trouble lasts: beyond what was said before.
SECONDS = {"short": 3, "long": 12}
PER_S = 30
GONE, HANGS = "gone", "hangs"


def _raw(text: str) -> dict[str, str]:
    return {"bytes": base64.b64encode(text.encode()).decode()}


def _json(text: str) -> dict[str, str]:
    return _raw(f"HTTP/1.1 200 -\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}")


MOODS = {
    "error": {"status": 500},
    "refusal": {"status": 401},
    "elsewhere": {"status": 302, "fields": "Location: /jwks\r\n"},
    "page": _json("<html>active</html>"),
    "list": _json('[{"active": true}]'),
    "half": _json('{"active": true, "sub": "'),
    "silence": _raw(""),
}
# A failure of these is one of the server: after some of them it is asked once a second.
LEFT_ALONE = {GONE, HANGS, "error", "silence"}


def play(stage: Stage) -> dict[str, float]:
    """One gateway for each trouble, beside each other."""
    plays = for_each(stage, _play, [GONE, HANGS, *MOODS])
    figures: dict[str, float] = {"plays": len(plays)}
    for one in plays.values():
        for name, figure in one.items():
            known = figures.get(name, 0)
            figures[name] = max(known, figure) if name in ("questions", "back_s", "longest_s") else known + figure
    return {**figures, **of_all(plays)}


def _play(stage: Stage, trouble: str) -> dict[str, float]:
    known = [f"known-{number}" for number in range(20)]
    with Provider(stage.folder) as provider, Counted() as service:
        options = (
            "tokenSource: {header: Authorization, headerAuthScheme: Bearer}, forwardHeaders: {X-User: sub}, "
            f"cache: {{maxAge: {MAX_AGE_S}s}}, clientConfig: {{url: '{provider.url}/introspect', timeoutSeconds: {PATIENCE_S}}}"
        )
        with Guarded(stage, service.port, f"oAuthIntrospection: {{{options}}}") as gateway:
            first = [bring(gateway.port, token) for token in known]
            learned = {answer.asked: answer.at + answer.seconds for answer in first}
            _begin(provider, trouble)

            def token(number: int) -> str:
                return known[number // 2 % len(known)] if number % 2 else f"new-{number}"

            seen = bring_all(gateway.port, token, PER_S, SECONDS[stage.form], workers=8)
            asked = len(provider.vouched()) - len(known) if trouble in LEFT_ALONE & set(MOODS) else 0
            figures = _judge(first, seen, learned, known)
            new = sum(count for user, count in service.came.items() if user not in known)
            _end(provider, trouble)
            back_s = wait_until(lambda: bring(gateway.port, "after").is_of("after"), 10)
            said = gateway.said()
            once = said.count("tokens cannot be introspected") == 1 and said.count("introspected again") == 1
            return {
                **figures,
                "came_of_new": new,
                "questions": asked / SECONDS[stage.form],
                "back_s": back_s,
                "not_said_once": not once,
                "served": service.came.total(),
                "wrong_identity": sum(a.status == 200 and not a.is_of(a.asked) for a in [*first, *seen]),
                "expired": 0,
                **gateway.judged(),
            }


def _judge(
    first: list[Answer], seen: list[Answer], learned: dict[str, float], known: list[str]
) -> dict[str, float]:
    """A yes counts from when it came until it is too old; everything else is a refusal that says when to come again."""
    lost = sum(not answer.is_of(answer.asked) for answer in first)
    kept = late = untold = 0
    refused = [answer for answer in seen if answer.status != 200]
    for answer in seen:
        if answer.asked not in known:
            continue
        # It was learned between these moments.
        end = learned[answer.asked] + MAX_AGE_S
        is_young = answer.at < next(one.at for one in first if one.asked == answer.asked) + MAX_AGE_S - 0.2
        kept += is_young
        lost += is_young and answer.status != 200
        late += answer.status == 200 and answer.at > end + 0.2
    untold = sum(answer.status != 503 or "retry-after" not in answer.fields for answer in refused)
    return {
        "kept": kept,
        "lost": lost,
        "believed_too_long": late,
        "refused": len(refused),
        "new": sum(answer.asked not in known for answer in seen),
        "not_told_to_come_again": untold,
        "longest_s": max(answer.seconds for answer in refused),
    }


def _begin(provider: Provider, trouble: str) -> None:
    if trouble == GONE:
        provider.kill()
    elif trouble == HANGS:
        provider.signal(signal.SIGSTOP)
    else:
        provider.become(**MOODS[trouble])


def _end(provider: Provider, trouble: str) -> None:
    if trouble == GONE:
        provider.start()
    elif trouble == HANGS:
        provider.signal(signal.SIGCONT)
    provider.become()
