"""A month of bookings through ten price changes, priced again at their own dates."""

import random
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from daemon.journal.verify import verify
from protocols.journal import EntryShown, ListEntries
from protocols.ledger import Record
from protocols.money import NANOS_PER_USD
from protocols.prices import PriceBook, PriceVersion, Quote
from protocols.prices.changes import SetPrice
from tests.harness.clock import FakeClock
from tests.harness.priced_house import Ask, priced_house

START = datetime(2026, 11, 1, tzinfo=UTC)
BOOK = PriceBook(
    [PriceVersion("acme/m@0", "acme", "m", {"input": Decimal(3), "output": Decimal(15)})], "0"
)
CHANGES = 10
CALLS_A_DAY = 12


def rates(random_: random.Random) -> dict[str, str]:
    return {
        "input": f"{random_.uniform(0.1, 9):.4f}",
        "output": f"{random_.uniform(1, 40):.4f}",
        "cache_read": f"{random_.uniform(0.01, 0.1):.5f}",
    }


@pytest.mark.anyio
async def test_a_month_is_priced_again_to_the_last_digit(tmp_path: Path) -> None:
    random_ = random.Random(7)
    clock = FakeClock(int(START.timestamp() * 1000))
    change_days = set(random_.sample(range(1, 30), CHANGES))
    async with priced_house(tmp_path, clock, BOOK) as ask:
        for day in range(30):
            if day in change_days:
                price = of_acme(price={"rates": rates(random_)})
                await ask("set_price", SetPrice.model_validate(price))
            for _ in range(CALLS_A_DAY):
                usage = {
                    "input": random_.randrange(1, 50_000),
                    "output": random_.randrange(1, 5_000),
                    "cache_read": random_.randrange(0, 90_000),
                }
                await ask("record", Record(component="c", provider="acme", model="m", usage=usage))
                clock.pass_by(86_400_000 // CALLS_A_DAY)
        entries = await booked(ask)
        assert len(entries) == 30 * CALLS_A_DAY
        assert len({entry.body["price_version"] for entry in entries}) == CHANGES + 1
        total = Decimal(0)
        for entry in entries:
            ask_again = of_acme(usage=entry.body["usage"], at=entry.at)
            found = await ask("quote", Quote.model_validate(ask_again))
            assert found.price_version == entry.body["price_version"]
            assert Decimal(found.cost_usd) * NANOS_PER_USD == entry.body["usd"]
            total += Decimal(found.cost_usd)
    report = verify(tmp_path)
    assert report.problems == []
    assert Decimal(report.booked_usd) / NANOS_PER_USD == total


def of_acme(**more: object) -> dict[str, object]:
    return {"provider": "acme", "model": "m", **more}


async def booked(ask: Ask) -> list[EntryShown]:
    found: list[EntryShown] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await ask("list_entries", ListEntries(kind="recorded", cursor=cursor or None))
        found += page.items
        cursor = page.next_cursor
    return found
