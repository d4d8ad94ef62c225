"""Prices that are announced for later: kept, shown, and confirmed on the day, or not."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon.prices.feed import FileFeed
from daemon.prices.sources import own
from protocols.prices import PriceBook
from protocols.prices.changes import SetPrice, ShowPrice
from protocols.prices.sources import RefreshPrices
from tests.harness.clock import FakeClock
from tests.harness.priced_house import Ask, priced_house

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
START = int(datetime(2026, 12, 30, 12, tzinfo=UTC).timestamp() * 1000)
NOW = '[[price]]\nprovider = "acme"\nmodel = "m"\ninput = "3"\noutput = "15"\n'
LATER = (
    '[[price]]\nprovider = "acme"\nmodel = "m"\ninput = "{}"\noutput = "30"\nstarts = 2027-01-01\n'
)
SHOW = ShowPrice(provider="acme", model="m")


def feeds(place: Path, clock: FakeClock, *later: str) -> list[FileFeed]:
    """One source for each price that is announced."""
    made = []
    for number, price in enumerate(later):
        path = place / f"{number}.toml"
        path.write_text(NOW + LATER.format(price))
        made.append(FileFeed(f"s{number}", f"s{number}", path, own.read, clock))
    return made


async def in_force(ask: Ask) -> str:
    found = await ask("show_price", SHOW)
    rate: str = found.version.price.rates["input"]
    return rate


@pytest.mark.parametrize(
    ("later", "then"),
    [(("6", "6"), "6"), (("6", "7"), "3")],
    ids=["both still say so on the day", "on the day they disagree"],
)
async def test_an_announced_price_is_confirmed_on_its_day(
    tmp_path: Path, later: tuple[str, str], then: str
) -> None:
    clock = FakeClock(START)
    place = tmp_path / "files"
    place.mkdir()
    sources = feeds(place, clock, *later)
    async with priced_house(tmp_path, clock, PriceBook([], "0"), sources) as ask:
        await ask("refresh_prices", RefreshPrices())
        assert await in_force(ask) == "3"
        announced = (await ask("show_price", SHOW)).announced
        assert [one["from"] for one in announced] == ["2027-01-01", "2027-01-01"]

        clock.pass_by(DAY_MS)
        await ask("refresh_prices", RefreshPrices())
        assert await in_force(ask) == "3", "the day before"

        clock.pass_by(DAY_MS)
        found = await ask("refresh_prices", RefreshPrices())
        assert await in_force(ask) == then
        assert found.guards == ({} if then == "6" else {"disputed": 1})


async def test_a_price_of_one_s_own_for_later_takes_effect_by_itself(tmp_path: Path) -> None:
    clock = FakeClock(START)
    async with priced_house(tmp_path, clock, PriceBook([], "0")) as ask:
        for read, valid_from in (("3", None), ("6", "2027-01-01T00:00:00Z")):
            price = {"provider": "acme", "model": "m", "price": {"rates": {"input": read}}}
            await ask("set_price", SetPrice.model_validate(price | {"valid_from": valid_from}))
        assert await in_force(ask) == "3"
        clock.pass_by(2 * DAY_MS)
        assert await in_force(ask) == "6"
