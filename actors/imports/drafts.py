"""What the importer writes down: a row as it was elsewhere, and its taking out again."""

from typing import Any

from protocols.imports import Row
from protocols.journal import Draft, StoredBooking
from protocols.tiers import TierTable


def imported(import_id: str, row: Row, at_ms: int, tiers: TierTable, by: str) -> Draft:
    """Booked in its own time, in no window, at the cost it had there."""
    usage = {"input": row.input_tokens, "output": row.output_tokens}
    body: dict[str, Any] = {
        "provider": row.provider, "model": row.model,
        "tier": tiers.tier_of(row.component, row.provider, row.model),
        "task_type": row.task_type,
        "at_ms": at_ms, "key": row.key,
        "usage": {kind: count for kind, count in usage.items() if count},
        "usd": row.usd, "tokens": row.input_tokens + row.output_tokens, "calls": 1,
        "estimated": False, "origin": dict(row.origin), "by": by,
    }  # fmt: skip
    return Draft("imported", row.component, import_id, body)


SAME = ("provider", "model", "tier", "task_type", "at_ms", "key")


def undone(row: StoredBooking, by: str) -> Draft:
    """The opposite of a row, in the same time: together they are nothing."""
    body = {name: row.body[name] for name in SAME}
    body |= {
        "of": row.seq, "usage": {kind: -count for kind, count in row.body["usage"].items()},
        "usd": -row.body["usd"], "tokens": -row.body["tokens"], "calls": -row.body["calls"],
        "estimated": False, "by": by,
    }  # fmt: skip
    return Draft("import_undone", row.component, row.subject, body)
