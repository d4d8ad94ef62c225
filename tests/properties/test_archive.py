"""An archived journal says what one says that never was archived, to the last digit."""

import io
import random
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.journal import holds, past, prices, read, report
from daemon.journal.archive.walk import first_since
from daemon.journal.export import export
from daemon.journal.files import DATABASE, connect_reader
from daemon.journal.imported import import_journal
from daemon.journal.verify import verify
from protocols.archive import ArchiveMonths
from protocols.errors import BudgetError
from protocols.journal import (
    FindProvisional,
    FoldBookings,
    FoldPast,
    ListEntries,
    StoredBooking,
)
from protocols.ledger import (
    Allocate,
    ListAllocations,
    ListReservations,
    Record,
    Release,
    Reserve,
    Settle,
)
from protocols.policy.messages import SetPolicy
from protocols.reports import ShowReport
from tests.harness.house import Ask, World
from tests.properties.book import PROVIDERS, book
from tests.properties.sums import DAY, HOUR, MINUTE
from tests.properties.test_reports import POLICIES, correct

START_MS = int(datetime(2026, 5, 20, tzinfo=UTC).timestamp() * 1000)
STEPS = 90


@given(seed=st.integers(0, 2**32))
@settings(max_examples=5, deadline=None)
def test_months_archived_at_any_time_change_no_figure(seed: int) -> None:
    dice = random.Random(seed)
    world = World(START_MS, book())
    try:
        for policy in POLICIES:
            set_it = SetPolicy.model_validate({"unpriced": "envelope"} | policy)
            world.ask(Ask("set_policy", set_it))
        live(world, dice)
        archived = world.archive()
        world.crash()
        assert world.verify().problems == []
        never = never_archived(world)

        assert len(archived.months) > 1
        assert told(world.data_dir, world.clock.wall_ms) == told(never, world.clock.wall_ms)
        assert verify(never).problems == []
    finally:
        world.close()


def test_who_asks_while_there_is_work_gets_what_they_asked_for() -> None:
    world = World(START_MS, book())
    try:
        world.ask(Ask("record", Record(component="a", model="large", usage={"input": 5})))
        world.clock.pass_by(70 * DAY)
        few, all_closed = (ArchiveMonths(after_months=months) for months in (1200, 0))
        world.ask_at_once([Ask("archive_months", few), Ask("archive_months", all_closed)])
        assert [one.month for one in world.archive(1200).months] == ["2026-05"]
    finally:
        world.close()


def live(world: World, dice: random.Random) -> None:
    """Half a year: calls of all kinds, ended at once, late, months later or never."""
    names: list[str] = []
    for _ in range(STEPS):
        world.clock.pass_by(dice.choice([0, MINUTE, HOUR, DAY, 3 * DAY, 9 * DAY]))
        world.sweep()
        component, model = dice.choice("ab"), dice.choice(["small", "large", "tiny", "mystery"])
        facts: dict[str, Any] = {
            "component": component, "provider": PROVIDERS[model], "model": model,
            "task_type": "chat", "tags": dice.choice([{}, {"team": "web"}]),
        }  # fmt: skip
        usage = {kind: dice.randrange(900) for kind in ("input", "cache_read", "output")}
        name = dice.choice(names) if names else "rsv_" + "0" * 32
        match dice.randrange(14):
            case 0 | 1 | 2 | 3 | 4:
                asked = Reserve(
                    **facts, input_tokens=600, max_output_tokens=400,
                    ttl_s=dice.choice([60, 3600, 86_400]),
                )  # fmt: skip
                held = world.ask(Ask("reserve", asked))
                names += [held.reservation_id] if not isinstance(held, BudgetError) else []
            case 5 | 6 | 7:
                final = dice.random() < 0.7
                settle = Settle(reservation_id=name, usage=usage, final=final)
                world.ask(Ask("settle", settle))
            case 8:
                world.ask(Ask("release", Release(reservation_id=name)))
            case 9:
                world.ask(Ask("record", Record(**facts, usage=usage)))
            case 10:
                world.ask(Ask("allocate", Allocate(component=component, context_id="s", tokens=90)))
            case 11:
                world.archive(dice.choice([0, 0, 1]))
            case 12:
                dice.choice([world.crash, world.restart, world.fell_the_spine])()
            case 13:
                correct(world)


def never_archived(world: World) -> Path:
    """The same journal from its export, whole in one database."""
    lines = io.StringIO()
    export(world.data_dir / DATABASE, lines, lambda *_: None)
    home = world.data_dir.with_name("never")
    home.mkdir()
    import_journal(lines.getvalue().splitlines(), home, lambda *_: None)
    return home


def told(home: Path, now_ms: int) -> dict[str, Any]:
    """Whatever can be asked of a journal."""
    seen: list[StoredBooking] = []
    booked: list[StoredBooking] = []
    since_ms = START_MS + 40 * DAY

    def begin(policies: list[StoredBooking]) -> int:
        seen.extend(policies)
        return since_ms

    question = {"since": "2026-05-01", "every": "day", "group_by": ["component", "policy"]}
    with closing(connect_reader(home / DATABASE)) as db:
        past.fold(db, FoldPast(since_ms, now_ms - DAY, begin, seen.append, lambda *_: None))
        for version in ("openai/", "envelope/"):
            prices.fold(db, FoldBookings(version, since_ms, lambda one, _: booked.append(one)))
        reservations = list(paged(db, holds.list_holds, ListReservations, limit=7))
        return {
            "past": seen,
            "booked": booked,
            "provisional": prices.provisional(db, FindProvisional()),
            "oldest": list(paged(db, read.list_entries, ListEntries, limit=23)),
            "newest": list(paged(db, read.list_entries, ListEntries, limit=23, newest=True)),
            "calls": list(paged(db, read.list_entries, ListEntries, limit=5, calls=True)),
            "reservations": reservations,
            "each": [holds.find_hold(db, one.id) for one in reservations],
            "settled": list(
                paged(db, holds.list_holds, ListReservations, limit=3, status="settled")
            ),
            "expired": list(
                paged(db, holds.list_holds, ListReservations, limit=3, status="expired")
            ),
            "allocations": list(paged(db, holds.list_holds, ListAllocations, limit=2)),
            "report": report.show_report(db, ShowReport.model_validate(question), now_ms),
            "since": [first_since(db, START_MS + days * DAY) for days in range(0, 300, 5)],
        }


def paged(db: Any, pages: Any, ask: Any, **fields: Any) -> Iterator[Any]:
    cursor = None
    while True:
        page = pages(db, ask(**fields, cursor=cursor))
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
