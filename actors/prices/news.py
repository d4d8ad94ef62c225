"""What people should know of a price source beside its files: that it fails, is stale, is back."""

from typing import Any

from actors.prices.source import Source
from protocols.events import Severity
from protocols.journal import Draft


def failed(source: Source, reason: str) -> Draft:
    detail = f"price source {source.name} failed, its last file stays in use: {source.failure}"
    return _noticed(source, "source.failed", "warning", detail, reason=reason)


def stale(source: Source, hours: int) -> Draft:
    detail = f"price source {source.name} has not been heard of for {hours} hours; its last file"
    detail += f" stays in use{f': {source.failure}' if source.failure else ''}"
    return _noticed(source, "source.stale", "warning", detail, hours=hours, reason=source.reason)


def recovered(source: Source) -> list[Draft]:
    """Ends the alerts there may be."""
    detail = f"price source {source.name} is heard of again"
    ended = [
        kind for kind, told in (("failed", source.reason), ("stale", source.told_stale)) if told
    ]
    return [
        _noticed(source, "source.recovered", "info", detail, ends=f"source.{kind} {source.name}")
        for kind in ended
    ]


def _noticed(
    source: Source, kind: str, severity: Severity, detail: str, ends: str | None = None, **data: Any
) -> Draft:
    body = {
        "type": kind, "severity": severity, "detail": detail,
        "data": {"source": source.name} | data,
        "alert": None if ends else f"{kind} {source.name}", "closes": ends,
    }  # fmt: skip
    return Draft("noticed", "", source.name, body)
