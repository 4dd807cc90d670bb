"""People's browser: Chromium, as the distribution has it, without a window."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from application import CALLBACK, HOST, HYDRA, address
from browser import Browser, Tab
from stand import Stand, admin, check

FRONT = f"http://{HOST}/"
LOGIN = "http://consent.docker.localhost/login*"
WHO = "document.querySelector('#who')?.textContent"
MARKUP = "<img src=x onerror=\"document.title='mine'\"><script>document.title='mine'</script>"


def play(stand: Stand, pictures: Path) -> int:
    """Plays every scene. Gives how many."""
    scenes = (
        _in_and_out, _used_addresses_are_refused, _a_code_that_comes_again,
        _another_browser_cannot_go_on, _of_two_tabs_the_last_goes_on, _a_form_comes_back,
        _remembered_until_it_leaves, _errors_are_told_as_text,
    )  # fmt: skip
    with Browser(stand.folder) as browser:
        for scene in scenes:
            scene(stand, browser, pictures)
    return len(scenes)


def _in_and_out(stand: Stand, browser: Browser, pictures: Path) -> None:
    tab = browser.tab()
    tab.open(FRONT)
    tab.screenshot(pictures / "1-before.png")
    tab.click("#in")
    _is_in(tab, "foo@bar.com")
    tab.screenshot(pictures / "2-logged-in.png")
    _, told = stand.application.userinfo(stand.application.last)
    check(told["sub"] == "foo@bar.com", "userinfo says who it is", told)
    _are_closed(tab, {"login_csrf", "consent_csrf"})
    # Back leads to the page before, past everything that the server sent the browser to.
    tab.says("history.back()")
    tab.becomes("!!document.querySelector('#in')", "Back shows the page before the login")
    tab.says("history.forward()")
    tab.becomes("!!document.querySelector('#out')", "Forward shows the application")
    tab.click("#out")
    check(tab.url() == f"{FRONT}bye?state=a-state-of-leaving", "out again", tab.url())
    tab.screenshot(pictures / "3-logged-out.png")
    tab.open(f"http://{HYDRA}/oauth2/sessions/logout")
    check("logged out" in tab.text(), "who names no page gets ours", tab.text())
    tab.screenshot(pictures / "4-goodbye.png")


def _used_addresses_are_refused(stand: Stand, browser: Browser, pictures: Path) -> None:
    """Whoever finds them in a history, or presses Back into them, gets nothing."""
    tab = browser.tab()
    _log_in(tab)
    for parameter in ("login_verifier", "consent_verifier"):
        used = next(url for url in tab.visited() if f"{parameter}=" in url)
        tab.open(used)
        check(tab.says(WHO) == "access_denied", f"a {parameter} is used once", tab.text())


def _a_code_that_comes_again(stand: Stand, browser: Browser, pictures: Path) -> None:
    tab = browser.tab()
    _log_in(tab)
    tokens = stand.application.last
    tab.open(tab.url())
    check(tab.says(WHO) == "invalid_grant", "a code is used once", tab.text())
    _, refused = stand.application.refresh(tokens)
    check(refused.get("error") == "invalid_grant", "and then ends what it gave", refused)


def _another_browser_cannot_go_on(stand: Stand, browser: Browser, pictures: Path) -> None:
    """What one browser began, another that learned the address cannot end."""
    tab, stranger = browser.tab(), browser.stranger()
    since = len(browser.events)
    to = _accepts(_until_login(tab), {"subject": "foo@bar.com"})
    stranger.open(to)
    check(stranger.says(WHO) == "request_forbidden", "it is another browser", stranger.text())
    _fulfil(tab, since, to)
    _is_in(tab, "foo@bar.com")


def _of_two_tabs_the_last_goes_on(stand: Stand, browser: Browser, pictures: Path) -> None:
    first, second = browser.tab(), browser.tab()
    since = len(browser.events)
    held = _until_login(first)
    _log_in(second)
    _fulfil(first, since, _accepts(held, {"subject": "foo@bar.com"}))
    first.becomes(f"{WHO} === 'request_forbidden'", "the first tab is told to begin again")
    _log_in(first)


def _a_form_comes_back(stand: Stand, browser: Browser, pictures: Path) -> None:
    """The page posts by itself: its script is the one that its policy allows."""
    tab = browser.tab()
    tab.says(f"location.href = {FRONT + 'in?response_mode=form_post'!r}")
    _is_in(tab, "foo@bar.com")
    check(tab.url() == CALLBACK, "nothing stands in the address", tab.url())


def _remembered_until_it_leaves(stand: Stand, browser: Browser, pictures: Path) -> None:
    tab = browser.stranger()
    silently = f"{FRONT}in?prompt=none"
    tab.open(silently)
    check(tab.says(WHO) == "login_required", "nobody is logged in", tab.text())
    since = len(browser.events)
    held = _until_login(tab)
    remembered = {"subject": "alice", "remember": True, "remember_for": 600}
    _fulfil(tab, since, _accepts(held, remembered))
    _is_in(tab, "alice")
    _are_closed(tab, {"login_csrf", "consent_csrf", "session"})
    # The application for logins is asked again, and says that it is the same person.
    _log_in(tab, "alice")
    tab.says(f"location.href = {FRONT + 'out'!r}")
    tab.becomes(f"location.href === {FRONT + 'bye?state=a-state-of-leaving'!r}", "out again")
    left = stand.application.left
    check(len(left) == 1 and left[0].get("sid"), "the application was told in a frame", left)
    _are_closed(tab, {"login_csrf", "consent_csrf"})
    tab.open(silently)
    check(tab.says(WHO) == "login_required", "nobody is logged in any more", tab.text())


def _errors_are_told_as_text(stand: Stand, browser: Browser, pictures: Path) -> None:
    tab = browser.tab()
    begin = urlsplit(stand.application.begin({}))
    query = {name: values[0] for name, values in parse_qs(begin.query).items()}
    for name, value in (("redirect_uri", "https://evil.example/"), ("client_id", MARKUP)):
        tab.open(address(begin.path, {**query, name: value}))
        _is_our_page(tab)
    tab.screenshot(pictures / "5-error.png")
    told = urlencode({"error": MARKUP, "error_description": MARKUP})
    tab.open(f"http://{HYDRA}/oauth2/fallbacks/error?{told}")
    _is_our_page(tab)
    check(MARKUP in tab.text(), "markup is read as it was written", tab.text())
    tab.screenshot(pictures / "6-markup.png")


def _is_our_page(tab: Tab) -> None:
    check(urlsplit(tab.url()).hostname == HYDRA, "the browser stays", tab.url())
    check(tab.says("document.title") != "mine", "no script ran", tab.url())
    check(tab.says("document.querySelectorAll('img,script').length") == 0, "no markup", tab.text())
    # Had a script come in, the page's policy would stop it.
    tab.says(
        "{const one = document.createElement('script'); one.textContent = 'document.title = `mine`';"
        "document.body.append(one)}"
    )
    check(tab.says("document.title") != "mine", "the policy holds", tab.url())


def _log_in(tab: Tab, who: str = "foo@bar.com") -> None:
    tab.open(f"{FRONT}in")
    _is_in(tab, who)


def _is_in(tab: Tab, who: str) -> None:
    tab.becomes(f"{WHO} === {who!r}", f"the application knows {who}")


def _until_login(tab: Tab) -> str:
    """Begins, and gives the challenge with which the browser is sent to log in; it waits there."""
    since = len(tab.browser.events)
    tab.hold(LOGIN)
    tab.says(f"location.href = {FRONT + 'in'!r}")
    url = tab.held(since)["request"]["url"]
    return parse_qs(urlsplit(url).query)["login_challenge"][0]


def _accepts(challenge: str, login: dict[str, object]) -> str:
    """What an application for logins says, and where it sends the browser."""
    path = "/admin/oauth2/auth/requests/login/accept?"
    accepted = admin("PUT", path + urlencode({"login_challenge": challenge}), login)
    return accepted["redirect_to"]


def _fulfil(tab: Tab, since: int, to: str) -> None:
    """Lets the browser that waits go there."""
    request = tab.held(since)["requestId"]
    location = [{"name": "Location", "value": to}]
    tab.send("Fetch.fulfillRequest", requestId=request, responseCode=302, responseHeaders=location)
    tab.release()


def _are_closed(tab: Tab, kinds: set[str]) -> None:
    """The server's cookies are these; no script and no other host sees them."""
    cookies = tab.cookies(f"http://{HYDRA}/oauth2/auth")
    names = [one["name"].removeprefix("ory_hydra_") for one in cookies]
    found = {name.split("_dev")[0] for name in names}
    check(found == kinds, "the server keeps this in a browser", found)
    for cookie in cookies:
        flags = {name: cookie.get(name) for name in ("httpOnly", "sameSite", "path", "domain")}
        wanted = {"httpOnly": True, "sameSite": "Lax", "path": "/", "domain": HYDRA}
        check(flags == wanted, "the flags of a cookie", cookie)
        check(cookie["expires"] > 0, "it ends", cookie)
    for host in (HOST, "consent.docker.localhost"):
        check(not tab.cookies(f"http://{host}/"), f"nothing of it goes to {host}")
