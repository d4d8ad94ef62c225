"""Idempotency records against the entries: each answer reads, and what it speaks of is there."""

import sqlite3
from collections.abc import Callable, Container
from typing import Any

from pydantic_core import from_json

HOLDS = ("reservation_id", "allocation_id")
LAST = "SELECT coalesce(max(seq), 0), coalesce(max(at_ms), 0) FROM entry"
TWICE = "SELECT count(*) FROM (SELECT 1 FROM idempotency GROUP BY key HAVING count(*) > 1)"


def check_keys(db: sqlite3.Connection, holds: Container[str], say: Callable[[str], None]) -> int:
    """How many there are."""
    last_seq, last_ms = db.execute(LAST).fetchone()
    (twice,) = db.execute(TWICE).fetchone()
    if twice:
        say(f"idempotency: {twice} keys have two answers")
    checked = 0
    for number, refused, text, at_ms in db.execute(
        "SELECT id, refused, answer, at_ms FROM idempotency"
    ):
        checked += 1
        if at_ms > last_ms:
            say(f"idempotency {number} is dated after the last entry")
        try:
            answer = from_json(text)
        except ValueError:
            say(f"idempotency {number} has an answer that does not read")
            continue
        if not refused:
            for wrong in unknown(answer, last_seq, holds):
                say(f"idempotency {number} answered with {wrong}, which no entry knows")
    return checked


def unknown(answer: dict[str, Any], last_seq: int, holds: Container[str]) -> list[str]:
    """Ids in an answer of which the journal has no trace."""
    named = [answer[name] for name in HOLDS if answer.get(name) is not None]
    strange = [hold for hold in named if hold not in holds]
    entry = answer.get("entry_id")
    if entry and int(entry.removeprefix("ent_")) > last_seq:
        strange.append(entry)
    return strange
