"""Routes with `oidc`: people log in, stay logged in without noticing, and leave; who changes a
cookie is nobody. At our server, and at one that others wrote."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any, Callable

import provider
from application import HYDRA
from browser import PATIENCE, Browser, Tab
from oidc import REDIRECTS, Route, asked, registered
from stand import HERE, Stand, admin, check
from with_curl import browse

OWN = HERE / "manifests" / "oidc-more"
REDIS = 9011
# How long the access tokens live that are renewed.
SHORT = {
    "authorization_code_grant_access_token_lifespan": "2s",
    "refresh_token_grant_access_token_lifespan": "2s",
}
IN = "document.body.innerText.includes('Hostname:')"


def play(stand: Stand, pictures: Path, folders: list[Path], more: bool) -> int:
    """In and out by each manifest of the folders; then, if there is to be more, what else may
    happen. Gives how many scenes."""
    files = [file for folder in folders for file in sorted(folder.glob("whoami-app-oidc*.yaml"))]
    check(files, "there are manifests with oidc", folders)
    home = stand.folder / "oidc"
    home.mkdir()
    with Browser(home) as browser:
        for file in files:
            route = Route.read(file)
            route.apply(stand, "oidc", registered(route))
            _in_and_out(stand, route, browser, pictures)
        scenes = (_tampered, _two_tabs, _renewed, _stored, _vendor) if more else ()
        for scene in scenes:
            scene(stand, browser, pictures)
    return len(files) + len(scenes)


def _in_and_out(stand: Stand, route: Route, browser: Browser, pictures: Path) -> None:
    answer = asked(route, route.page)
    wanted = (401,) if route.login else REDIRECTS
    check(answer.status in wanted, "who is not logged in sees nothing", route.name, answer)
    tab = browser.stranger()
    _log_in(tab, route)
    tab.screenshot(pictures / f"oidc-{route.name}.png")
    _stays(tab, route)
    check(route.cookie not in tab.text(), "the service sees no session", tab.text())
    _is_closed(tab, route)
    _forms_need_a_token(tab, route)
    _log_out(tab, route)
    answer = asked(route, route.page, _header(tab, route))
    check(answer.status in wanted, "who has left is nobody", route.name, answer)
    _with_curl(stand, route)


def _with_curl(stand: Stand, route: Route) -> None:
    """The same way without a script."""
    browse(stand, route.url(route.begin))
    end, body = browse(stand, route.url(route.page))
    check(end == route.url(route.page) and "Hostname:" in body, "curl is logged in", end, body)
    browse(stand, route.url(route.logout), follows=False)
    status = asked(route, route.page).status
    check(status != 200, "and nobody else is", route.name, status)


def _tampered(stand: Stand, browser: Browser, pictures: Path) -> None:
    route, tab = _fresh(stand, browser, "renewed")
    right = _header(tab, route)
    check(asked(route, route.page, right).status == 200, "the cookie is the session", right)
    cookie = _session(tab, route)[0]
    value = cookie["value"]
    for at in (0, len(value) // 2, len(value) - 2):
        letter = "B" if value[at] != "B" else "C"
        wrong = value[:at] + letter + value[at + 1 :]
        answer = asked(route, route.page, right.replace(value, wrong))
        check(answer.status in REDIRECTS, "a changed cookie is nobody's", at, answer)
    url = route.url(route.page)
    tab.send("Network.setCookie", name=cookie["name"], value=wrong, url=url, httpOnly=True)
    since = len(tab.visited())
    _log_in(tab, route)
    check(_asked_server(tab, since), "and its browser logs in again", tab.visited()[since:])
    check(_header(tab, route) not in (right, wrong), "with another session")
    # One of another route is nobody's here.
    _, other = _fresh(stand, browser, "stored", with_redis=True)
    foreign = _session(other, Route.read(OWN / "stored.yaml"))[0]["value"]
    answer = asked(route, route.page, f"{route.cookie}={foreign}")
    check(answer.status in REDIRECTS, "a session of another route is nobody's", answer)


def _two_tabs(stand: Stand, browser: Browser, pictures: Path) -> None:
    """Both log in at once, the first one to begin as the last, and one leaves for both."""
    route = Route.read(OWN / "renewed.yaml")
    context = browser.context()
    first, second = browser.tab(context), browser.tab(context)
    since = len(browser.events)
    first.hold(f"http://{HYDRA}/oauth2/auth*")
    first.says(f"location.href = {route.url(route.page)!r}")
    first.held(since)
    _log_in(second, route)
    first.release()
    first.becomes(f"location.host === {route.host!r} && {IN}", "the first tab is in, too")
    _stays(first, route)
    _stays(second, route)
    _log_out(second, route)
    answer = asked(route, route.page, _header(first, route))
    check(answer.status in REDIRECTS, "the first tab has left, too", answer)


def _renewed(stand: Stand, browser: Browser, pictures: Path) -> None:
    """An access token ends again and again, and the person sees nothing of it."""
    route, tab = _fresh(stand, browser, "renewed", **SHORT)
    for _ in range(2):
        before = _header(tab, route)
        since = len(tab.visited())
        _until(lambda: _again(tab, route) != before, "the session is renewed")
        check(not _asked_server(tab, since), "and nobody was asked", tab.visited()[since:])
    # A server that takes the session back is believed at the next renewal.
    client = asked(route, route.page).location.split("client_id=")[1].split("&")[0]
    admin("DELETE", f"/admin/oauth2/auth/sessions/consent?subject=foo@bar.com&client={client}")
    since = len(tab.visited())
    _until(lambda: _again(tab, route) and _asked_server(tab, since), "a revoked one logs in anew")


def _stored(stand: Stand, browser: Browser, pictures: Path) -> None:
    """Redis has the session; without it nobody is known."""
    route, tab = _fresh(stand, browser, "stored", with_redis=True)
    check(len(_header(tab, route)) < 300, "the browser has an id", _header(tab, route))
    header = _header(tab, route)
    _log_out(tab, route)
    answer = asked(route, route.page, header)
    check(answer.status in REDIRECTS, "a session that was ended is none for a thief", answer)
    _log_in(tab, route)
    redis = stand.processes.running.pop()
    redis.terminate()
    redis.wait(10)
    header = _header(tab, route)
    _until(lambda: asked(route, route.page, header).status == 503, "without Redis nobody is known")
    _redis(stand)
    _until(lambda: asked(route, route.page, header).status != 503, "Redis is found again")
    _log_in(tab, route)


def _vendor(stand: Stand, browser: Browser, pictures: Path) -> None:
    route = Route.read(OWN / "vendor.yaml")
    client = {"client_id": "people", "token_endpoint_auth_method": "client_secret_basic"}
    provider.start(stand.processes, {**route.client(), **client})
    route.apply(stand, "vendor", "people")
    tab = browser.stranger()
    tab.says(f"location.href = {route.url(route.page)!r}")
    _fills(tab, "[name=login]", "form.login.value = form.password.value = 'ann'")
    tab.screenshot(pictures / "oidc-vendor-login.png")
    _fills(tab, "[value=consent]", "")
    tab.becomes(f"location.host === {route.host!r} && {IN}", "in, by another server")
    before = _header(tab, route)
    since = len(tab.visited())
    _until(lambda: _again(tab, route) != before, "the session is renewed there, too")
    visited = tab.visited()[since:]
    check(not any(provider.ISSUER in url for url in visited), "and nobody was asked", visited)
    _log_out(tab, route)


def _fills(tab: Tab, field: str, script: str) -> None:
    """Waits for a form of the other server, and sends it."""
    tab.becomes(f"!!document.querySelector({field!r})", f"a form with {field}")
    tab.says(f"{{const form = document.forms[0]; {script}; form.submit()}}")


def _fresh(
    stand: Stand, browser: Browser, name: str, with_redis: bool = False, **lifespans: str
) -> tuple[Route, Tab]:
    """A route of ours with a new client, and a person who is logged in there."""
    if with_redis:
        _redis(stand)
    route = Route.read(OWN / f"{name}.yaml")
    route.apply(stand, name, registered(route, **lifespans))
    tab = browser.stranger()
    _log_in(tab, route)
    return route, tab


def _redis(stand: Stand) -> None:
    def answers() -> bool:
        asks = ["redis-cli", "-p", str(REDIS), "ping"]
        return subprocess.run(asks, capture_output=True, text=True).stdout.strip() == "PONG"

    try:
        if answers():
            return
    except OSError:
        pass
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(REDIS), "--save", ""]
    stand.processes.start("redis", [*command, "--dir", str(stand.folder)], answers)


def _log_in(tab: Tab, route: Route) -> None:
    """The server's application says yes in the place of a person."""
    tab.open(route.url(route.begin))
    _until(lambda: _session(tab, route) and tab.says(f"location.host === {route.host!r}"), "in")
    _again(tab, route)


def _again(tab: Tab, route: Route) -> str:
    """Opens the page, which is there; and the session after it."""
    tab.open(route.url(route.page))
    here = f"location.href === {route.url(route.page)!r}"
    tab.becomes(f"{here} && {IN}", f"{route.name} shows its page")
    return _header(tab, route)


def _stays(tab: Tab, route: Route) -> None:
    since = len(tab.visited())
    _again(tab, route)
    check(not _asked_server(tab, since), "the session is enough", tab.visited()[since:])


def _log_out(tab: Tab, route: Route) -> None:
    def is_out() -> bool:
        tab.open(route.url(route.logout))
        seen = tab.url()
        check(not seen.startswith("chrome-error:"), "people see that they are out", tab.visited())
        return not _session(tab, route)

    # Once more where a request that was on its way, for an icon, came back with a renewed session.
    _until(is_out, f"no session of {route.name} is left")


def _asked_server(tab: Tab, since: int) -> bool:
    return any(f"//{HYDRA}/" in url for url in tab.visited()[since:])


def _session(tab: Tab, route: Route) -> list[dict[str, Any]]:
    """The cookies of the session."""
    cookies = tab.cookies(route.url(route.page))
    names = (route.cookie, *(f"{route.cookie}-{number}" for number in range(1, 5)))
    return [one for one in cookies if one["name"] in names]


def _header(tab: Tab, route: Route) -> str:
    pairs = sorted((one["name"], one["value"]) for one in _session(tab, route))
    return "; ".join(f"{name}={value}" for name, value in pairs)


def _is_closed(tab: Tab, route: Route) -> None:
    """No script and no other host sees the session, and it ends."""
    for cookie in _session(tab, route):
        flags = {name: cookie.get(name) for name in ("httpOnly", "sameSite", "path", "domain")}
        wanted = {"httpOnly": True, "sameSite": "Lax", "path": "/", "domain": route.host}
        check(flags == wanted and cookie["expires"] > 0, "the flags of a session", cookie)
        check(len(cookie["value"]) < 4_000, "a browser keeps it", len(cookie["value"]))
    seen = tab.says("document.cookie")
    check(route.cookie not in seen, "no script reads the session", seen)


def _forms_need_a_token(tab: Tab, route: Route) -> None:
    """What changes something says in a header what a cookie says that scripts of the page can read."""
    token = tab.says("document.cookie")
    cookies = f"{_header(tab, route)}; {token}"
    header = {"TraefikHub-Csrf-Token": token.partition("=")[2]}
    for more, wanted in (({}, 403), (header, 200), ({"TraefikHub-Csrf-Token": "x"}, 403)):
        status = asked(route, route.page, cookies, "POST", **more).status
        check(status == wanted, "a form needs a token of its page", more, status)


def _until(is_so: Callable[[], Any], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        check(time.monotonic() < until, what)
        time.sleep(0.1)
