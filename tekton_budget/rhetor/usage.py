"""What was used, in Rhetor's shapes: rows from the journal, sums from the daemon's reports."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tekton_budget import ask
from tekton_budget.client import BudgetClient
from tekton_budget.names import name_of
from tekton_budget.replies import Entry, Figures
from tekton_budget.rhetor.words import BudgetPeriod, first_day, naive

BOOKINGS = frozenset({"settled", "overrun", "late", "drawn", "recorded"})
NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Spent:
    """USD since midnight, Monday and the first, of each provider."""

    by_day: dict[tuple[date, str], float]
    today: date

    def of(self, period: BudgetPeriod, provider: str | None) -> float:
        begin = first_day(period, self.today)
        return sum(
            cost
            for (day, who), cost in self.by_day.items()
            if day >= begin and provider in (None, who)
        )


class Usage:
    def __init__(self, client: BudgetClient, zone: str) -> None:
        self._client = client
        self._zone = zone

    def spent(self) -> Spent:
        """One report, by day and provider, that all three periods are sums of."""
        today = datetime.now().date()
        begin = min(first_day(period, today) for period in BudgetPeriod)
        found = self._client.report(
            since=begin.isoformat(), zone=self._zone, every="day", group_by=["provider"],
            limit=10_000,
        )  # fmt: skip
        by_day = {
            (naive(row.starts).date(), str(row.group["provider"])): float(row.figures.cost_usd)
            for row in found.items
            if row.starts is not None
        }
        return Spent(by_day, today)

    def summary(self, period: BudgetPeriod, group_by: str) -> dict[str, Any]:
        since = first_day(period, datetime.now().date()).isoformat()
        found = self._client.report(since=since, zone=self._zone, group_by=[group_by])
        if not found.total.calls:
            return {"period": period.value, "total_cost": 0.0, "total_tokens": 0, "groups": {}}
        total = found.total
        return {
            "period": period.value,
            "total_cost": float(total.cost_usd),
            "total_input_tokens": _read(total),
            "total_output_tokens": total.output_tokens,
            "total_tokens": _read(total) + total.output_tokens,
            "count": total.calls,
            "groups": {str(row.group[group_by]): _group(row.figures) for row in found.items},
        }

    def rows(
        self, begin: datetime, end: datetime | None, provider: str | None
    ) -> list[dict[str, Any]]:
        """Bookings of `[begin, end)`, oldest first."""
        who = None if provider is None else name_of(provider)
        return [
            _row(entry)
            for entry in self._since(begin)
            if (end is None or naive(entry.at) < end)
            and entry.kind in BOOKINGS
            and who in (None, entry.body["provider"])
        ]

    def _since(self, begin: datetime) -> Iterator[Entry]:
        """The journal from a moment on: its lines are in order of time, so halving finds it."""
        cursor: str | None = str(self._last_before(begin))
        while cursor is not None:
            page = self._client.ask(ask.list_entries(cursor))
            yield from page.items
            cursor = page.next_cursor

    def _last_before(self, begin: datetime) -> int:
        low, high = 0, 1
        while self._is_before(high, begin):
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._is_before(middle, begin) else (low, middle)
        return low

    def _is_before(self, seq: int, begin: datetime) -> bool:
        page = self._client.ask(ask.list_entries(str(seq - 1), 1))
        return bool(page.items) and naive(page.items[0].at) < begin


def begin_of(period: str, start: datetime | str | None) -> datetime:
    """When a period began; `custom` begins when told. Raises ValueError when it is not."""
    if period == "custom":
        if start is None:
            raise ValueError("start_date is needed for the period custom")
        return naive(start if isinstance(start, str) else start.isoformat())
    first = first_day(BudgetPeriod(period), datetime.now().date())
    return datetime.combine(first, datetime.min.time())


def end_of(end: datetime | str | None) -> datetime | None:
    """Included, as Rhetor's ends are."""
    if end is None:
        return None
    return naive(end if isinstance(end, str) else end.isoformat()) + timedelta(microseconds=1)


def _read(figures: Figures) -> int:
    return figures.input_tokens + figures.cache_read_tokens + figures.cache_write_tokens


def _group(figures: Figures) -> dict[str, Any]:
    return {
        "cost": float(figures.cost_usd),
        "input_tokens": _read(figures),
        "output_tokens": figures.output_tokens,
        "count": figures.calls,
    }


def _row(entry: Entry) -> dict[str, Any]:
    body = entry.body
    usage = body["usage"]
    output = sum(usage.get(kind, 0) for kind in ("output", "reasoning", "output_audio"))
    return {
        "id": entry.seq,
        "timestamp": naive(entry.at).isoformat(),
        "provider": body["provider"],
        "model": body["model"],
        "component": entry.component,
        "task_type": body["task_type"],
        "input_tokens": body["tokens"] - output,
        "output_tokens": output,
        "cost": body["usd"] / NANOS,
        "metadata": {},
    }
