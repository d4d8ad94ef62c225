"""What a proposal says it would have done equals what a plain recomputation here comes to."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from tests.daemon_process import Daemon, running
from tests.harness.chat_server import ChatServer, calls, chat_server, says
from tests.stories.conftest import CONFIG
from tests.stories.words import made, reserve, settle

ALONE = "".join(
    f'[[price_source]]\nname = "{name}"\nenabled = false\n'
    for name in ("litellm", "genai-prices", "models.dev")
)
HOUSE = """
[[price_source]]
name = "house"
kind = "own"
path = "{prices}"

[assistant]
model = "gpt-4o-mini"
provider = "openai"
base_url = "{base_url}"
"""
PRICES = '[[price]]\nprovider = "acme"\nmodel = "large"\ninput = "{read}"\noutput = "{written}"\n'


@pytest.fixture(scope="module")
def chat() -> Iterator[ChatServer]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(chat_server()) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def daemon(home: Path, chat: ChatServer) -> Iterator[Daemon]:
    prices = home / "prices.toml"
    prices.write_text(PRICES.format(read="3", written="15"))
    house = HOUSE.format(prices=prices, base_url=chat.base_url)
    with running(home, CONFIG + ALONE + house) as started:
        yield started


PRICE = {"provider": "acme", "model": "large", "why": "the vendor's letter"}


def proposed(daemon: Daemon, chat: ChatServer, tool: str, fields: dict[str, Any]) -> Any:
    chat.will(calls((tool, fields)), says("There it is."))
    (proposal,) = daemon.post("/assistant/ask", {"question": "propose"}).body["proposals"]
    return proposal


@pytest.mark.parametrize("limit_usd", ["0.0001", "0.0045", "0.0100", "0.0131", "1.00"])
def test_a_limit_would_have_refused_what_counting_again_refuses(
    daemon: Daemon, chat: ChatServer, me: str, limit_usd: str
) -> None:
    hold, booked = Decimal("0.003"), []
    for output in (400, 10, 250, 0, 400, 120, 300, 80):
        held = reserve(daemon, me)
        answer = settle(daemon, held, {"input_tokens": 1_000, "output_tokens": output})
        booked.append(Decimal(answer.body["cost_usd"]))
    policy = {"name": me, "match": {"component": me}, "period": "total",
              "limit": {"usd": limit_usd}, "why": "proof"}  # fmt: skip

    effect = proposed(daemon, chat, "propose_set_policy", policy)["effect"]

    used, refused = Decimal(0), []
    for cost in booked:
        if used + hold > Decimal(limit_usd):
            refused.append(cost)
        else:
            used += cost
    assert effect["refused"] == len(refused)
    assert Decimal(effect["change_usd"]) == -sum(refused)


def test_a_price_would_have_cost_what_multiplying_again_costs(
    daemon: Daemon, chat: ChatServer, home: Path, me: str
) -> None:
    daemon.post("/prices/refresh", {})
    for _ in range(3):
        usage = {"input_tokens": 700_000, "output_tokens": 90_000}
        call = {"component": me, "provider": "acme", "model": "large", "usage": usage}
        made(daemon.post("/usage", call))
    (home / "prices.toml").write_text(PRICES.format(read="6.5", written="31"))
    daemon.post("/prices/refresh", {})

    proposal = proposed(daemon, chat, "propose_approve_price", PRICE)
    effect = proposal["effect"]

    then = 3 * (Decimal("0.7") * 3 + Decimal("0.09") * 15)
    now = 3 * (Decimal("0.7") * Decimal("6.5") + Decimal("0.09") * 31)
    assert proposal["diff"] == [
        {"field": "input", "before": "3", "after": "6.5"},
        {"field": "output", "before": "15", "after": "31"},
    ]
    assert effect["calls"] == 3
    assert Decimal(effect["booked_usd"]) == then
    assert Decimal(effect["would_be_usd"]) == now


def test_a_price_that_moved_on_is_not_applied_and_one_that_did_not_says_where_it_is_from(
    daemon: Daemon, chat: ChatServer, home: Path
) -> None:
    """Goes on from the story before: a price waits in the quarantine."""
    stale = proposed(daemon, chat, "propose_approve_price", PRICE)
    (home / "prices.toml").write_text(PRICES.format(read="7", written="33"))
    daemon.post("/prices/refresh", {})
    late = daemon.post(f"/assistant/proposals/{stale['proposal_id']}/apply", {})
    assert (late.status, late.body["code"]) == (409, "overtaken")

    fresh = proposed(daemon, chat, "propose_approve_price", PRICE)
    applied = daemon.post(f"/assistant/proposals/{fresh['proposal_id']}/apply", {})
    assert applied.status == 200, applied.body
    version = daemon.get("/prices/one?provider=acme&model=large").body["version"]
    assert version["price"]["rates"] == {"input": "7", "output": "33"}
    assert version["note"] == f"{fresh['proposal_id']}: the vendor's letter"
