"""Bring a journal to this version's schema, and show that it says the same afterwards."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from daemon.journal.backup import Progress
from daemon.journal.faults import Damaged, Newer
from daemon.journal.files import DATABASE, connect_reader, connect_writer, migrations
from daemon.journal.verify import verify

SUMS = (
    "SELECT (SELECT count(*) FROM entry), (SELECT coalesce(max(seq), 0) FROM entry), "
    "(SELECT coalesce(sum(usd), 0) FROM window), (SELECT coalesce(sum(tokens), 0) FROM window), "
    "(SELECT count(*) FROM hold), (SELECT coalesce(sum(spent_usd), 0) FROM hold)"
)


@dataclass(slots=True)
class Upgrade:
    """Schema numbers; the same twice if there was nothing to do."""

    before: int
    after: int
    entries: int
    backup: Path | None


def pending(data_dir: Path) -> Upgrade:
    """What `upgrade` would do. Raises a `JournalFault`."""
    path = data_dir / DATABASE
    if not path.exists():
        raise Damaged(f"there is no journal in {data_dir}")
    try:
        with closing(connect_reader(path)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            (entries,) = db.execute("SELECT coalesce(max(seq), 0) FROM entry").fetchone()
    except sqlite3.DatabaseError as error:
        raise Damaged(f"{path} is not a journal: {error}") from error
    newest = migrations()[-1][0]
    if version > newest:
        raise Newer(f"{path} has schema {version}, this version knows {newest}; upgrade")
    kept = path.with_name(f"{path.name}.schema-{version:04d}") if version < newest else None
    return Upgrade(version, newest, entries, kept)


def upgrade(data_dir: Path, progress: Progress) -> Upgrade:
    """Call it with the data directory locked. A backup is made first."""
    plan = pending(data_dir)
    if plan.backup is None:
        return plan
    path = data_dir / DATABASE
    with closing(connect_reader(path)) as db:
        before = db.execute(SUMS).fetchone()
    with closing(connect_writer(path)) as db:
        after = db.execute(SUMS).fetchone()
    report = verify(data_dir, lambda done, total: progress("verifying", done, total))
    if before != after or not report.clean:
        what = report.problems[0] if report.problems else f"{before} became {after}"
        raise Damaged(f"the migrated journal does not add up: {what}; {plan.backup} is untouched")
    return plan
