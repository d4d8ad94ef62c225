"""A price source that falls silent is told of once, and once more when it is back."""

import random
from datetime import date
from pathlib import Path

import pytest

from actors.ports import SourceFailed
from actors.prices.inflow import Inflow
from actors.time import LedgerTime
from daemon.prices.feed import FileFeed
from daemon.prices.sources import own
from protocols.journal import Draft
from tests.harness.clock import FakeClock

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
PRICE = '[[price]]\nprovider = "acme"\nmodel = "m"\ninput = "3"\n'


def told(drafts: list[Draft]) -> list[tuple[str, str | None, str | None]]:
    bodies = [draft.body for draft in drafts if draft.kind == "noticed"]
    return [(body["type"], body["alert"], body["closes"]) for body in bodies]


async def test_silence_failure_and_return_are_each_told_once(tmp_path: Path) -> None:
    clock = FakeClock(1)
    path = tmp_path / "ours.toml"
    path.write_text(PRICE)
    feed = FileFeed("ours", "ours", path, own.read, clock)
    inflow = Inflow(
        [feed], LedgerTime(clock, 0), refresh_hours=6, stale_hours=72, random=random.Random(1)
    )
    inflow.take({"ours": await feed.fetch(date(2026, 11, 24))})
    assert inflow.grown_stale() == []

    clock.pass_by(72 * HOUR_MS + 1)
    assert told(inflow.grown_stale()) == [("source.stale", "source.stale ours", None)]
    assert inflow.grown_stale() == []

    hangs = SourceFailed("no answer within 10 s", "timeout")
    (failed,) = inflow.take({"ours": hangs})
    assert told([failed]) == [("source.failed", "source.failed ours", None)]
    assert failed.body["data"] == {"source": "ours", "reason": "timeout"}
    assert inflow.take({"ours": hangs}) == []
    assert told(inflow.take({"ours": SourceFailed("404", "status")})) == told([failed])

    back = inflow.take({"ours": await feed.fetch(date(2026, 11, 27))})
    assert told(back) == [
        ("source.recovered", None, "source.failed ours"),
        ("source.recovered", None, "source.stale ours"),
    ]
    assert inflow.grown_stale() == []
