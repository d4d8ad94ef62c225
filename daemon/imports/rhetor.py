"""Rhetor's database: its rows of usage and the settings that are active."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from daemon.imports.plan import Plan, Refused, instant, key_of, name, only, tokens, usd
from tekton_budget.rhetor.limits import rule_of
from tekton_budget.rhetor.words import BudgetPeriod, BudgetPolicy

USAGE = (
    "id", "timestamp", "provider", "model", "component", "task_type", "input_tokens",
    "output_tokens", "cost", "metadata",
)  # fmt: skip
SETTINGS = ("id", "period", "provider", "limit_amount", "enforcement", "start_date", "active")
STEP = 5000


class NotRhetor(Exception):
    """The file is no database of Rhetor."""


def read(path: Path, zone: str, progress: Callable[[int, int], None] = lambda _a, _b: None) -> Plan:
    """The whole of it as a plan. Raises `NotRhetor`."""
    plan = Plan("rhetor", path.resolve(), zone)
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as problem:
        raise NotRhetor(f"cannot open {path}: {problem}") from None
    try:
        db.row_factory = sqlite3.Row
        for table, columns in (("usage", USAGE), ("budget_settings", SETTINGS)):
            _check(db, path, table, columns)
        _settings(db, plan)
        _usage(db, plan, progress)
    except sqlite3.Error as problem:
        raise NotRhetor(f"{path} cannot be read as a database of Rhetor: {problem}") from None
    finally:
        db.close()
    return plan


def _check(db: sqlite3.Connection, path: Path, table: str, columns: tuple[str, ...]) -> None:
    there = {row["name"] for row in db.execute(f"PRAGMA table_info({table})")}
    missing = [column for column in columns if column not in there]
    if missing:
        raise NotRhetor(f"{path}: the table {table} lacks {', '.join(missing)}")


def _usage(db: sqlite3.Connection, plan: Plan, progress: Callable[[int, int], None]) -> None:
    (total,) = db.execute("SELECT count(*) FROM usage").fetchone()
    zone = ZoneInfo(plan.zone)
    query = f"SELECT {', '.join(USAGE)} FROM usage ORDER BY id"  # noqa: S608  # literal names
    for done, row in enumerate(db.execute(query), 1):
        try:
            plan.add(_row(row, plan, zone))
        except Refused as refused:
            plan.refuse(f"usage row {row['id']}", refused)
        if done % STEP == 0:
            progress(done, total)


def _row(row: sqlite3.Row, plan: Plan, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "key": key_of("rhetor.usage", *row),
        "at": instant("timestamp", row["timestamp"], zone),
        "component": name(row["component"]),
        "provider": name(row["provider"]),
        "model": name(row["model"]),
        "task_type": name(row["task_type"]),
        "input_tokens": tokens("input_tokens", row["input_tokens"]),
        "output_tokens": tokens("output_tokens", row["output_tokens"]),
        "usd": usd("cost", row["cost"]),
        "origin": {
            "program": "rhetor", "file": str(plan.source), "table": "usage", "row": row["id"],
            "timestamp": row["timestamp"], "zone": plan.zone, "cost": repr(row["cost"]),
        },
    }  # fmt: skip


def _settings(db: sqlite3.Connection, plan: Plan) -> None:
    """Those that are active; a limit of 0 or less limits nothing, and there is no policy for it."""
    found = {}
    query = f"SELECT {', '.join(SETTINGS)} FROM budget_settings WHERE active ORDER BY id"  # noqa: S608
    for row in db.execute(query):
        place = f"budget_settings row {row['id']}"
        try:
            period = BudgetPeriod(only("period", row["period"], tuple(BudgetPeriod)))
            way = BudgetPolicy(only("enforcement", row["enforcement"], tuple(BudgetPolicy)))
            if not isinstance(row["limit_amount"], int | float):
                raise Refused("limit_amount", f"is {row['limit_amount']!r}, not an amount")  # noqa: TRY301
            if row["limit_amount"] <= 0:
                plan.notes.append(f"{place} limits nothing (0 or less): no policy for it")
                continue
            made = rule_of(period, row["provider"], row["limit_amount"], way, plan.zone)
            found[made.name] = made
        except Refused as refused:
            plan.refuse(place, refused)
    plan.policies.extend(found.values())
