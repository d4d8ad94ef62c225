"""What is noticed beside the books, as an entry: it changes no table, it is there to be told."""

from typing import Any

from protocols.events import Severity
from protocols.journal import Draft


def noticed(
    kind: str,
    severity: Severity,
    subject: str,
    detail: str,
    *,
    alert: bool = True,
    closes: str | None = None,
    **data: Any,
) -> Draft:
    """An event of this kind. It raises an alert unless it ends one, or says it does not."""
    name = f"{kind} {subject}" if alert and closes is None else None
    body = {
        "type": kind, "severity": severity, "detail": detail, "data": data,
        "alert": name, "closes": closes,
    }  # fmt: skip
    return Draft("noticed", "", subject, body)
