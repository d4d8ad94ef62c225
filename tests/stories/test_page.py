"""The page as an operator has it: a real Chromium, the real daemon, nothing clicked by a mouse."""

import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import anyio
import pytest

from protocols.page.door import POLICY
from tests.browser import CHROMIUM, Tab, chromium
from tests.daemon_process import Daemon, running

pytestmark = pytest.mark.anyio
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: apt-get install chromium"
)

CONFIG = """
[[policy]]
name = "apollo-daily"
match = { component = "apollo" }
limit = { usd = "0.01" }
period = "daily"
"""
CALL = {"component": "apollo", "model": "claude-haiku-4-5", "input_tokens": 900}
USAGE = {"input_tokens": 1_000, "output_tokens": 900}
"""At 1 and 5 dollars a million: 0.0055."""
SHOTS = os.environ.get("SHOTS")
"""A directory for the pictures, for who wants to look."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("page"), CONFIG) as started:
        spend(started, "claude-haiku-4-5")
        yield started
        assert started.stop() == 0


def spend(daemon: Daemon, model: str, component: str = "rhetor") -> None:
    booked = daemon.post("/usage", {"component": component, "model": model, "usage": USAGE})
    assert booked.status == 201, booked.body


@asynccontextmanager
async def opened(daemon: Daemon, home: Path, token: str | None = None) -> AsyncIterator[Tab]:
    """The page in a browser of its own, live."""
    async with chromium(home) as tab:
        await tab.open(f"{daemon.told['url']}/#token={token or daemon.token}")
        await tab.until("document.getElementById('live').dataset.state === 'live'")
        await tab.until("document.querySelector('.tile')")
        yield tab


def text(of: str) -> str:
    return f"(document.querySelector({json.dumps(of)})?.innerText ?? '')"


@needs_chromium
async def test_a_refusal_is_on_the_page_within_a_second(daemon: Daemon, tmp_path: Path) -> None:
    """Of three, so that a machine that sleeps for a moment proves nothing."""
    async with opened(daemon, tmp_path) as tab:
        assert "refused" not in await tab.value(text("#calls"))
        took_ms = []
        for turn in (1, 2, 3):
            refused = daemon.post("/reservations", CALL | {"max_output_tokens": 90_000})
            assert refused.status == 402
            rows = f"document.querySelectorAll('#calls tr.refused').length === {turn}"
            seen_ms = await tab.until(f"({rows}) && document.querySelector('#events li.warning')"
                                      " ? Date.now() : 0")  # fmt: skip
            entry = daemon.get("/entries?newest=true&calls=true&limit=1").body["items"][0]
            assert entry["kind"] == "denied"
            took_ms.append(seen_ms - datetime.fromisoformat(entry["at"]).timestamp() * 1000)

        assert min(took_ms) < 1000, took_ms
        assert "refused by apollo-daily" in await tab.value(text("#calls tr.refused"))
        await tab.until(f"{text('[data-tile=denied] .value')} === '3'")
        assert tab.complaints == []


@needs_chromium
async def test_figures_budgets_and_chart_say_what_the_reports_say(
    daemon: Daemon, tmp_path: Path
) -> None:
    async with opened(daemon, tmp_path) as tab:
        spend(daemon, "claude-haiku-4-5", "apollo")
        total = daemon.post("/reports", {"span": "today"}).body["total"]
        calls = total["calls"]
        await tab.until(f"{text('[data-tile=called] .value')} === '{calls}'")

        spent = float(total["cost_usd"])
        assert await tab.value(text("[data-tile=spent] .value")) == f"${spent:.4f}".rstrip("0")
        assert "apollo-daily" in await tab.value(text("#budgets"))
        assert "55 % used" in await tab.value(text("#budgets"))
        marks = "document.querySelectorAll('#budgets svg .time').length"
        assert await tab.value(marks) == 1
        assert "claude-haiku-4-5" in await tab.value(text("#legend"))
        assert await tab.value("document.querySelectorAll('#chart rect[class^=c]').length") > 0
        assert tab.complaints == []


@needs_chromium
async def test_all_of_it_works_from_the_keyboard(daemon: Daemon, tmp_path: Path) -> None:
    async with opened(daemon, tmp_path) as tab:
        await tab.until("document.querySelector('[data-alert]')")
        reached = await tabbed_through(tab)
        assert {"a.skip", "button#theme", "svg", "summary", "button"} <= reached

        await tab.value("document.querySelector('#chart svg').focus()")
        await tab.press("End")
        assert "$" in await tab.until(
            f"document.querySelector('.tip:not([hidden])') && {text('.tip')}"
        )

        called = await tab.value(text("[data-tile=called] .value"))
        spend(daemon, "claude-haiku-4-5")  # all is drawn anew, and who was there stays there
        await tab.until(f"{text('[data-tile=called] .value')} !== '{called}'")
        assert await tab.value("document.activeElement.dataset.key") == "chart"
        assert "$" in await tab.value(text(".tip:not([hidden])"))

        await tab.value("document.getElementById('theme').focus()")
        await tab.press("Enter")
        await tab.press("Enter")
        assert await tab.value("document.documentElement.dataset.theme") == "dark"


async def tabbed_through(tab: Tab) -> set[str]:
    """What the Tab key reaches, one round."""
    name = (
        "((e) => e.tagName.toLowerCase() + (e.id ? '#' + e.id : e.className === 'skip' ? '.skip'"
        " : ''))(document.activeElement)"
    )
    reached: list[str] = []
    await tab.value("document.body.focus()")
    while len(reached) < 60:
        await tab.press("Tab")
        reached.append(await tab.value(name))
        if reached[-1] == "body":
            break
    return set(reached)


@needs_chromium
async def test_an_alert_is_acknowledged_in_the_callers_name(daemon: Daemon, tmp_path: Path) -> None:
    made = daemon.post("/tokens", {"name": "nina", "role": "report"}).body
    alert = daemon.until("/alerts", lambda page: page["items"])["items"][0]["alert_id"]
    async with opened(daemon, tmp_path, made["token"]) as tab:
        await tab.until(f"document.querySelector('[data-alert={alert}] button')?.focus() ?? true")
        await tab.press("Enter")
        await tab.until(f"!document.querySelector('[data-alert={alert}]')")

    assert daemon.get(f"/alerts/{alert}").body["acknowledged_by"] == "nina"


@needs_chromium
async def test_without_a_token_it_asks_for_one_and_says_when_it_is_wrong(
    daemon: Daemon, tmp_path: Path
) -> None:
    async with chromium(tmp_path) as tab:
        await tab.open(daemon.told["url"] + "/")
        await tab.until("!document.getElementById('enter').hidden")
        await tab.value("document.getElementById('secret').value = 'not one of ours'")
        await tab.value("document.getElementById('secret').focus()")
        await tab.press("Enter")
        await tab.until("document.getElementById('refused').textContent")

        await tab.value(f"document.getElementById('secret').value = '{daemon.token}'")
        await tab.press("Enter")
        await tab.until("document.querySelector('.tile')")
        assert await tab.value("location.href") == daemon.told["url"] + "/"


@needs_chromium
async def test_it_asks_nobody_but_the_daemon_and_fits_every_screen(
    daemon: Daemon, tmp_path: Path
) -> None:
    async with opened(daemon, tmp_path) as tab:
        await tab.reload()
        await tab.until("document.querySelector('.tile')")
        assert tab.asked
        assert {url for url in tab.asked if not url.startswith(daemon.told["url"])} == set()

        for width, scheme in (
            (1400, "light"),
            (1400, "dark"),
            (420, "light"),
        ):
            picture = await tab.look(width, 1000, scheme)
            wide = "document.documentElement.scrollWidth <= window.innerWidth"
            assert await tab.value(wide), f"something is wider than {width} pixels"
            if SHOTS is not None:
                await anyio.Path(SHOTS, f"{width}-{scheme}.png").write_bytes(picture)


def fetched(daemon: Daemon, path: str, accept: str = "*/*") -> Any:
    return urlopen(Request(daemon.told["url"] + path, headers={"Accept": accept}), timeout=10)


def test_a_browser_gets_the_page_and_a_program_a_few_words(daemon: Daemon) -> None:
    with fetched(daemon, "/", "text/html,*/*") as page, fetched(daemon, "/") as words:
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert page.headers["Content-Security-Policy"] == POLICY
        assert json.load(words)["name"] == "Tekton Budget"


def test_no_script_or_style_stands_in_the_page_itself_and_none_comes_from_elsewhere() -> None:
    folder = files("protocols.page") / "files"
    texts = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}

    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", texts["index.html"])
    for name, script in texts.items():
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(", script), name
        assert re.findall(r"https?://(?!www\.w3\.org/)", script) == [], name
    named = {
        name
        for script in texts.values()
        for name in re.findall(r'"(?:/page/|\./)([a-z]+\.[a-z]+)"', script)
    }
    assert named
    assert named <= texts.keys()
    assert "unsafe" not in POLICY
