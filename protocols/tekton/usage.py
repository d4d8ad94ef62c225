"""Usage in Tekton's words: records of calls, and their sums over a period."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from protocols.errors import NotFound
from protocols.journal import EntryShown
from protocols.ledger import Booked, ResponseId
from protocols.names import Component, ContextId, Model, PolicyName, Provider, Tags, TaskType
from protocols.period import QUARTER_MS, rfc3339, window_at
from protocols.reports import Figures
from protocols.tekton.speaker import Speaker
from protocols.tekton.spoken import Moment, Paged, Spoken, milliseconds, nanos_number, number
from protocols.wanted import AllocationId, Tokens

BOOKINGS = frozenset({"settled", "overrun", "late", "drawn", "recorded"})
LOOKED_AT_MAX = 20_000
"""Entries that are read for one page of records; a filter nothing fits ends there."""
GROUPS = ("provider", "model", "component", "task_type")


class RecordUsage(Spoken):
    context_id: ContextId | None = None
    allocation_id: AllocationId | None = None
    component: Component
    provider: Provider
    model: Model
    task_type: TaskType = "default"
    input_tokens: Tokens
    output_tokens: Tokens
    operation_id: ResponseId | None = None
    request_id: ResponseId | None = None
    user_id: ContextId | None = Field(default=None, description="kept as the tag user_id")
    metadata: Tags = Field(default={}, description="kept as tags")

    @model_validator(mode="after")
    def _of_something(self) -> "RecordUsage":
        if self.context_id is None and self.allocation_id is None:
            raise PydanticCustomError("of", "give context_id, allocation_id or both")
        return self


class ListRecords(Paged):
    context_id: str | None = None
    allocation_id: str | None = None
    component: Component | None = None
    provider: str | None = None
    model: str | None = None
    task_type: str | None = None
    start_date: Moment | None = None
    end_date: Moment | None = None


class ShowRecord(Spoken):
    record_id: Annotated[str, Field(pattern=r"^ent_[0-9]{16}$")]


class Summarise(Spoken):
    period: Literal["hourly", "daily", "weekly", "monthly"] = "daily"
    budget_id: PolicyName | None = None
    provider: str | None = None
    component: Component | None = None
    model: str | None = None
    task_type: str | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> "Summarise":
        begin, end = self.start_time, self.end_time
        if begin is not None and end is not None and milliseconds(end) <= milliseconds(begin):
            raise ValueError("end_time: must be after start_time")
        return self


async def record(speaker: Speaker, asked: RecordUsage) -> object:
    tags = asked.metadata | ({} if asked.user_id is None else {"user_id": asked.user_id})
    done: Booked = await speaker.ask(
        "record",
        component=asked.component,
        provider=asked.provider,
        model=asked.model,
        task_type=asked.task_type,
        usage={"input": asked.input_tokens, "output": asked.output_tokens},
        context_id=asked.context_id,
        allocation_id=asked.allocation_id,
        response_id=asked.request_id or asked.operation_id,
        tags=tags,
    )
    given = asked.model_dump(exclude={"metadata"})
    return given | {
        "record_id": done.entry_id,
        "budget_id": None,
        "total_tokens": done.tokens,
        "input_cost": None,
        "output_cost": None,
        "total_cost": number(done.cost_usd),
        "cost": number(done.cost_usd),
        "pricing_version": None,
        "timestamp": rfc3339(speaker.now_ms),
        "metadata": tags,
    }


async def list_records(speaker: Speaker, asked: ListRecords) -> object:
    """The newest first. What comes before this page is counted, what comes after is not."""
    begin, found = (asked.page - 1) * asked.limit, 0
    items: list[dict[str, Any]] = []
    async for entry in bookings(speaker, asked.component):
        if asked.start_date is not None and entry.at < rfc3339(milliseconds(asked.start_date)):
            break
        if not fits(entry, asked):
            continue
        found += 1
        if found > begin:
            items.append(shown(entry))
        if len(items) == asked.limit:
            break
    return {"items": items, "total": found, "page": asked.page, "limit": asked.limit}


async def show_record(speaker: Speaker, asked: ShowRecord) -> object:
    seq = int(asked.record_id.partition("_")[2])
    before = None if seq <= 1 else str(seq - 1)
    told = await speaker.ask("list_entries", cursor=before, limit=1)
    found = [one for one in told.items if one.entry_id == asked.record_id and is_booking(one)]
    if not found:
        raise NotFound(f"Usage record {asked.record_id} not found")
    return shown(found[0])


async def bookings(speaker: Speaker, component: str | None) -> AsyncIterator[EntryShown]:
    cursor, looked_at = None, 0
    while looked_at < LOOKED_AT_MAX:
        told = await speaker.ask(
            "list_entries", newest=True, component=component, limit=1000, cursor=cursor
        )
        for entry in told.items:
            if is_booking(entry):
                yield entry
        looked_at += len(told.items)
        cursor = told.next_cursor
        if cursor is None:
            return


def is_booking(entry: EntryShown) -> bool:
    return entry.kind in BOOKINGS and "usage" in entry.body


def fits(entry: EntryShown, asked: ListRecords) -> bool:
    body = entry.body
    told = {
        "context_id": body.get("context_id"),
        "allocation_id": body.get("parent"),
        "provider": body["provider"],
        "model": body["model"],
        "task_type": body["task_type"],
    }
    if asked.end_date is not None and entry.at > rfc3339(milliseconds(asked.end_date)):
        return False
    wanted = {name: getattr(asked, name) for name in told}
    return all(want is None or want == told[name] for name, want in wanted.items())


def shown(entry: EntryShown) -> dict[str, Any]:
    body = entry.body
    usage, tags = body["usage"], body.get("tags", {})
    cost = nanos_number(body["usd"])
    return {
        "record_id": entry.entry_id,
        "allocation_id": body.get("parent"),
        "budget_id": None,
        "context_id": body.get("context_id"),
        "component": entry.component,
        "provider": body["provider"],
        "model": body["model"],
        "task_type": body["task_type"],
        "input_tokens": usage.get("input", 0),
        "output_tokens": usage.get("output", 0),
        "total_tokens": body["tokens"],
        "input_cost": None,
        "output_cost": None,
        "total_cost": cost,
        "cost": cost,
        "pricing_version": body["price_version"],
        "timestamp": entry.at,
        "operation_id": None,
        "request_id": body.get("response_id"),
        "user_id": tags.get("user_id"),
        "metadata": tags,
    }


async def summary(speaker: Speaker, asked: Summarise) -> object:
    """The whole, and the same money by each of four parts of a call."""
    match = {
        "budget": asked.budget_id,
        "provider": asked.provider,
        "component": asked.component,
        "model": asked.model,
        "task_type": asked.task_type,
    }
    time = span(speaker, asked)
    report = await speaker.ask("show_report", **match, **time)
    groups: dict[str, dict[str, Any]] = {}
    for part in GROUPS:
        by = await speaker.ask("show_report", **match, **time, group_by=[part], limit=10_000)
        groups[part] = {str(row.group[part]): figures(row.figures) for row in by.items}
    total = figures(report.total)
    return {
        "period": asked.period,
        "total_input_tokens": total["input_tokens"],
        "total_output_tokens": total["output_tokens"],
        "total_tokens": total["total_tokens"],
        "total_cost": total["cost"],
        "count": total["count"],
        "start_time": report.since,
        "end_time": report.until,
        "groups": groups,
    }


def span(speaker: Speaker, asked: Summarise) -> dict[str, str]:
    """From the start to the end, or the period in UTC that the end, or now, is in.

    Sums are kept by quarters of an hour: the quarters that the start and the end are in count in
    full, and the answer says from when to when.
    """
    end_ms = speaker.now_ms + 1 if asked.end_time is None else milliseconds(asked.end_time)
    end_ms += -end_ms % QUARTER_MS
    if asked.start_time is None:
        start_ms = window_at(asked.period, "UTC", end_ms - 1).starts_ms
    else:
        start_ms = milliseconds(asked.start_time)
    return {"since": rfc3339(start_ms - start_ms % QUARTER_MS), "until": rfc3339(end_ms)}


def figures(told: Figures) -> dict[str, Any]:
    read = told.input_tokens + told.cache_read_tokens + told.cache_write_tokens
    return {
        "input_tokens": read,
        "output_tokens": told.output_tokens,
        "total_tokens": told.tokens,
        "cost": number(told.cost_usd),
        "count": told.calls,
    }
