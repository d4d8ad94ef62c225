"""Roll-ups of an older schema are added up again from the entries, corrections among them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from actors.journal.chain import GENESIS, link
from daemon.journal.faults import Damaged
from daemon.journal.files import DATABASE, connect_writer, migrations
from daemon.journal.rollups import FACET
from daemon.journal.verify import verify
from protocols.journal import Draft

NOON_MS = 1_790_078_400_000
MINUTE_MS = 60_000
CALL = {
    "provider": "openai", "model": "new", "tier": "remote_heavyweight", "task_type": "chat",
    "tags": {"team": "web"}, "usage": {"input": 100},
}  # fmt: skip
DRAFTS: list[tuple[int, Draft]] = [
    (0, Draft("window_opened", "", "1", {
        "window": 1, "policy": "roof", "counting": 1, "key": "", "starts_ms": 0, "ends_ms": 9,
    })),
    (20, Draft("recorded", "apollo", "", CALL | {
        "usd": 900, "tokens": 100, "calls": 1, "price_version": "envelope/openai@1",
        "estimated": True, "provisional": True, "windows": [1],
    })),
    (90, Draft("corrected", "apollo", "", {
        "provider": "openai", "model": "new", "task_type": "chat", "usage": {"input": 100},
        "of": 2, "hour_ms": NOON_MS, "usd": -300, "windows": [1], "holds": [],
        "price_version": "openai/new@1", "estimated": False,
    })),
]  # fmt: skip
"""Minutes after noon, and what was written: a correction as it was before schema 4."""


def old_journal(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for number, text in migrations()[:3]:
            db.executescript(f"{text}; PRAGMA user_version = {number}")
        db.execute(f"PRAGMA application_id = {0x74_6B_62_31}")
        before = GENESIS
        for seq, (minutes, draft) in enumerate(DRAFTS, 1):
            entry = link(before, seq, NOON_MS + minutes * MINUTE_MS, draft)
            row: tuple[Any, ...] = (
                entry.seq, entry.at_ms, entry.kind, entry.component, entry.subject, entry.text,
                entry.hash,
            )  # fmt: skip
            db.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            before = entry.hash
        db.execute("INSERT INTO window VALUES (1, 'roof', 1, '', 0, 9, 600, 100, 1)")


def test_a_correction_of_an_older_schema_lands_in_the_time_and_facets_of_its_booking(
    tmp_path: Path,
) -> None:
    old_journal(tmp_path / DATABASE)

    with closing(connect_writer(tmp_path / DATABASE)) as db:
        rows = db.execute(
            "SELECT width_ms, starts_ms, usd, estimated, tier, tags, policies FROM rollup "
            "JOIN facet ON facet.id = facet ORDER BY width_ms, price_version"
        ).fetchall()

    quarter, hour, day = 15 * MINUTE_MS, 60 * MINUTE_MS, 24 * 60 * MINUTE_MS
    same = ("remote_heavyweight", '{"team":"web"}', "roof")
    assert rows == [
        (width, starts, usd, estimated, *same)
        for width, starts in (
            (quarter, NOON_MS + quarter), (hour, NOON_MS), (day, NOON_MS - 12 * hour),
        )
        for usd, estimated in ((900, 1), (-300, -1))
    ]  # fmt: skip
    assert not [problem for problem in verify(tmp_path).problems if "roll-up" in problem]
    assert (tmp_path / f"{DATABASE}.schema-0003").exists()


def test_a_journal_that_cannot_be_added_up_is_not_opened_and_stays_as_it_was(
    tmp_path: Path,
) -> None:
    path = tmp_path / DATABASE
    old_journal(path)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM entry WHERE kind = 'recorded'")

    with pytest.raises(Damaged, match="entry 3 cannot be understood"):
        connect_writer(path)

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)
        assert db.execute("SELECT count(*) FROM entry").fetchone() == (2,)


def test_a_facet_has_a_column_for_all_that_reports_tell_apart(tmp_path: Path) -> None:
    with closing(connect_writer(tmp_path / DATABASE)) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(facet)")]

    assert columns == ["id", *FACET]
