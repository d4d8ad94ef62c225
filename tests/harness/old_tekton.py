"""What Apollo and Rhetor leave on disk, made as they make it."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

USAGE = (
    "CREATE TABLE usage (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp TEXT, provider TEXT, "
    "model TEXT, component TEXT, task_type TEXT, input_tokens INTEGER, output_tokens INTEGER, "
    "cost REAL, metadata TEXT)"
)
SETTINGS = (
    "CREATE TABLE budget_settings (id INTEGER PRIMARY KEY AUTOINCREMENT, period TEXT, "
    "provider TEXT, limit_amount REAL, enforcement TEXT, start_date TEXT, active INTEGER)"
)
START = datetime(2025, 6, 16, 9, 30)  # noqa: DTZ001  # naive and local, as both write times
MODELS = (("anthropic", "claude-3-opus-20240229"), ("openai", "gpt-4o"), ("ollama", "llama3"))


def usage_row(number: int, **told: Any) -> dict[str, Any]:
    """The fraction of a second is missing when it is 0, as `isoformat` has it."""
    provider, model = MODELS[number % len(MODELS)]
    at = START + timedelta(seconds=37 * number, microseconds=number % 3 * 123_456)
    usual = {
        "timestamp": at.isoformat(), "provider": provider, "model": model, "component": "rhetor",
        "task_type": ("chat", "code")[number % 2], "input_tokens": 100 + number % 900,
        "output_tokens": number % 70, "cost": (100 + number % 900) * 15e-6 + (number % 70) * 75e-6,
        "metadata": "{}",
    }  # fmt: skip
    return usual | told


def rhetor_database(
    path: Path, usage: Iterable[dict[str, Any]], settings: Iterable[tuple[Any, ...]] = ()
) -> Path:
    """`settings`: period, provider, limit, enforcement, active."""
    with sqlite3.connect(path) as db:
        db.execute(USAGE)
        db.execute(SETTINGS)
        db.executemany(
            "INSERT INTO usage (timestamp, provider, model, component, task_type, input_tokens, "
            "output_tokens, cost, metadata) VALUES (:timestamp, :provider, :model, :component, "
            ":task_type, :input_tokens, :output_tokens, :cost, :metadata)",
            usage,
        )
        db.executemany(
            "INSERT INTO budget_settings (period, provider, limit_amount, enforcement, start_date, "
            f"active) VALUES (?, ?, ?, ?, '{START.isoformat()}', ?)",
            settings,
        )
    db.close()
    return path


def apollo_policy(name: str, **told: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "policy_id": name, "type": "warn", "period": "daily", "tier": "remote_heavyweight",
        "component": None, "task_type": None, "limit": 1_000_000, "warning_threshold": 0.8,
        "action_threshold": 0.95, "start_date": START.isoformat(), "end_date": None,
        "enabled": True, "metadata": {},
    }  # fmt: skip
    return usual | told


def apollo_record(number: int, **told: Any) -> dict[str, Any]:
    at = START + timedelta(minutes=number, microseconds=1)
    usual: dict[str, Any] = {
        "record_id": f"record-{number}", "allocation_id": "a", "context_id": "c",
        "component": "apollo", "provider": "anthropic", "model": "claude-3-opus-20240229",
        "task_type": "coding", "tokens_used": 100 + number, "usage_type": "total",
        "timestamp": at.isoformat(), "operation_id": None, "metadata": {},
    }  # fmt: skip
    return usual | told


def apollo_directory(
    path: Path, policies: list[dict[str, Any]], *records: list[dict[str, Any]]
) -> Path:
    path.mkdir()
    (path / "budget_policies.json").write_text(json.dumps(policies, indent=2))
    for number, rows in enumerate(records):
        (path / f"usage_records_{1_750_000_000 + number}.json").write_text(json.dumps(rows))
    return path
