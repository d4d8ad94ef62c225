"""A data directory with some months behind it, for a real daemon to go on with."""

import shutil
from pathlib import Path
from typing import Any

from daemon.clock import SystemClock
from protocols.ledger import Reserve, Settle
from tests.harness.house import Ask, World
from tests.properties.book import book
from tests.properties.sums import DAY, MINUTE

CALLS = 160
DAYS = 120


class Months:
    """What was done: `ended` are holds that were settled, `expired` those nobody settled."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ended: list[str] = []
        self.expired: list[str] = []


def months(home: Path) -> Months:
    """Calls of the last four months, a fifth of them never settled."""
    made = Months(home)
    world = World(SystemClock().now_ms() - DAYS * DAY, book())
    try:
        for number in range(CALLS):
            fields: dict[str, Any] = {"component": "ab"[number % 2], "model": "large"}
            asked = Reserve(**fields, input_tokens=600, max_output_tokens=400, ttl_s=60)
            hold = world.ask(Ask("reserve", asked)).reservation_id
            world.clock.pass_by(MINUTE // 2)
            if number % 5:
                usage = {"input": 100 + number, "output": 30}
                world.ask(Ask("settle", Settle(reservation_id=hold, usage=usage)))
                made.ended.append(hold)
            else:
                made.expired.append(hold)
            world.clock.pass_by(DAYS * DAY // CALLS - MINUTE)
            world.sweep()
        world.restart()
        shutil.copytree(world.data_dir, home)
    finally:
        world.close()
    return made
