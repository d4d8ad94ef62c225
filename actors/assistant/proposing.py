"""From what a model would change to a proposal: checked, compared, and proven on the past."""

import json
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from actors.assistant.ports import Desk
from actors.assistant.reading import tool
from protocols.assistant import FieldChange, Proposal, new_id
from protocols.errors import BudgetError, NotFound
from protocols.message import Caller
from protocols.operations import BY_NAME
from protocols.schemas import arguments

PREFIX = "propose_"
REASONS = {"set_policy": "why", "approve_price": "note"}
"""What may be proposed, and the field in which each keeps its reason."""
DAYS = 30
"""How far back a proposal is proven."""
SHOWN_MAX = 20
"""Differing calls that are kept with a proposal."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """Who asked, and when."""

    asked_by: str
    at: str


def tools() -> list[Json]:
    return [_described(name) for name in REASONS]


def _described(name: str) -> Json:
    schema = arguments(BY_NAME[name])
    properties = {
        key: part for key, part in schema["properties"].items() if key not in REASONS.values()
    }
    properties["why"] = {"type": "string", "maxLength": 500, "description": "for the person"}
    required = [*schema.get("required", ()), "why"]
    text = (
        f"Propose to a person: {(BY_NAME[name].request.__doc__ or '').strip()} Nothing is changed; "
        "the answer has the difference and what it would have done to the last days."
    )
    return tool(PREFIX + name, text, schema | {"properties": properties, "required": required})


async def propose(
    desk: Desk, operation: str, fields: Json, moment: Moment, reader: Caller
) -> Proposal:
    """Make the proposal. Raises `BudgetError` where the operation itself would refuse it."""
    fields = dict(fields)
    why = str(fields.pop("why", ""))[:500]
    understood = desk.check(operation, fields)
    before, after, revision = await _stands(desk, operation, understood, reader)
    effect, missing = await _effect(desk, operation, fields, reader)
    return Proposal(
        proposal_id=new_id("prp"),
        status="open",
        operation=operation,
        fields=fields,
        why=why,
        diff=difference(before, after),
        effect=effect,
        effect_missing=missing,
        revision=revision,
        asked_by=moment.asked_by,
        proposed_at=moment.at,
    )


async def revision_of(desk: Desk, proposal: Proposal, reader: Caller) -> int | None:
    """Where what the proposal changes stands now."""
    return (await _stands(desk, proposal.operation, proposal.fields, reader))[2]


def with_reason(proposal: Proposal) -> Json:
    """The fields as they are applied: the journal keeps where the change comes from."""
    reason = f"{proposal.proposal_id}: {proposal.why}"[:500]
    return proposal.fields | {REASONS[proposal.operation]: reason}


async def _stands(
    desk: Desk, operation: str, fields: Json, reader: Caller
) -> tuple[Json, Json, int | None]:
    """What is in force, what would be, and a number that changes with either."""
    if operation == "approve_price":
        found = await desk.perform("show_price", _model(fields), reader)
        case = found["case"] or {"in_force": {}, "says": {}}
        said = case["says"]
        after = said.get(fields.get("source") or next(iter(said), ""), {})
        return case["in_force"] or {}, after, crc32(json.dumps([after, said]).encode())
    try:
        shown = await desk.perform("show_policy", {"name": fields["name"]}, reader)
    except NotFound:
        return {}, fields, None
    return shown["policy"], fields, shown["revision"]


def _model(fields: Json) -> Json:
    return {name: fields[name] for name in ("provider", "model")}


async def _effect(
    desk: Desk, operation: str, fields: Json, reader: Caller
) -> tuple[Json | None, str | None]:
    """Run the past through it, by the operation that does so."""
    look: str = "preview_price"
    asked: Json = {"days": DAYS} | fields
    if operation == "set_policy":
        look = "replay"
        asked = {"policies": [fields], "span": "last_30_days", "limit": SHOWN_MAX}
        if reader.components is not None:
            asked["component"] = min(reader.components)
    if look not in BY_NAME:
        return None, "this daemon cannot replay the past"
    try:
        return await desk.perform(look, asked, reader), None
    except BudgetError as refusal:
        return None, refusal.detail


def difference(before: Json, after: Json) -> list[FieldChange]:
    """What would change, field by field, as deep as the fields go."""
    old, new = flat(before), flat(after)
    names = [*old, *(name for name in new if name not in old)]
    return [
        FieldChange(name, old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    ]


def flat(fields: Json, prefix: str = "") -> Json:
    found: Json = {}
    for name, value in fields.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{prefix}{name}.")
        elif value not in (None, {}):
            found[prefix + name] = value
    return found
