"""The way of a browser, played by curl with its cookies."""

from __future__ import annotations

import subprocess
from urllib.parse import parse_qsl, urlsplit

from application import CALLBACK, HOST, address
from stand import Stand, check

MARKUP = "<script>alert(1)</script>"


def play(stand: Stand) -> int:
    """Logs in, refreshes, logs out; and gets pages that say what is wrong. Gives the scenes."""
    _in_and_out(stand)
    _errors_stay(stand)
    _cookies_are_closed(stand)
    return 3


def _in_and_out(stand: Stand) -> None:
    application = stand.application
    end, _ = browse(stand, application.begin({}))
    check(end.startswith(f"{CALLBACK}?code="), "the browser comes back with a code", end)
    tokens = application.last
    _, told = application.userinfo(tokens)
    check(told["sub"] == "foo@bar.com", "userinfo says who it is", told)
    status, fresh = application.refresh(tokens)
    check(status == 200, "a refresh token gives new ones", fresh)
    status, refused = application.refresh(tokens)
    check(refused["error"] == "invalid_grant", "and once only", status, refused)
    end, _ = browse(stand, application.leave())
    check(end == f"http://{HOST}/bye?state=a-state-of-leaving", "out again", end)


def _errors_stay(stand: Stand) -> None:
    """Nothing of them goes to an address that was not registered."""
    for changes in ({"redirect_uri": "https://evil.example/"}, {"client_id": MARKUP}):
        begin = urlsplit(stand.application.begin({}))
        query = {**dict(parse_qsl(begin.query)), **changes}
        end, body = browse(stand, address(begin.path, query))
        check(
            urlsplit(end).path == "/oauth2/fallbacks/error", "the person is told", changes, end
        )
        check("evil.example" not in end, "the address is nowhere", end)
        check("<script" not in body, "markup is text", body)
    page = address("/oauth2/fallbacks/error", {"error": MARKUP, "error_description": MARKUP})
    _, body = browse(stand, page)
    check(MARKUP not in body and "&lt;script&gt;" in body, "markup is text", body)


def _cookies_are_closed(stand: Stand) -> None:
    command = ["curl", "-sS", "-D", "-", "-o", "body.txt", stand.application.begin({})]
    lines = _run(stand, command).lower().splitlines()
    cookies = [line for line in lines if line.startswith("set-cookie:")]
    check(len(cookies) == 1, "one cookie binds the browser to what it began", lines)
    for cookie in cookies:
        for flag in ("; httponly", "; samesite=lax", "; path=/", "; max-age="):
            check(flag in cookie, f"a cookie has {flag}", cookie)
        check("domain=" not in cookie, "it goes to no other host", cookie)


def browse(stand: Stand, url: str, follows: bool = True) -> tuple[str, str]:
    """Follows where a browser is sent; where that ends, and what stands there."""
    command = ["curl", "-sS", "-c", "jar", "-b", "jar", "-H", "Accept: text/html"]
    command += ["-L", "--max-redirs", "12"] if follows else []
    end = _run(stand, [*command, "-o", "body.txt", "-w", "%{url_effective}", url])
    return end, (stand.folder / "body.txt").read_text(encoding="utf-8")


def _run(stand: Stand, command: list[str]) -> str:
    ended = subprocess.run(
        command, cwd=stand.folder, check=True, capture_output=True, text=True, timeout=60
    )
    return ended.stdout
