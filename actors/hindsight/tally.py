"""The sums of a replay, and the differences themselves."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from protocols.errors import BudgetError
from protocols.hindsight import Difference, Effect, Replayed, What
from protocols.journal import StoredBooking
from protocols.money import show_usd
from protocols.names import entry_id
from protocols.period import Window, rfc3339
from protocols.policy.charge import Amounts

NO_POLICY = "no price"
"""What refuses a call that no policy does."""


@dataclass(slots=True)
class Changed:
    """One call that went another way, in nano-dollars as far as they are known."""

    what: What
    entry: StoredBooking
    policy: str | None
    axis: str | None
    became: str | None
    detail: str
    booked: int = 0
    would_be: int = 0


@dataclass(slots=True)
class Tally:
    """With a component, only its calls are counted and shown."""

    component: str | None = None
    entries: int = 0
    calls_then: int = 0
    calls_now: int = 0
    denied_then: int = 0
    denied_now: int = 0
    booked: int = 0
    would_be: int = 0
    tokens_then: int = 0
    tokens_now: int = 0
    changed: dict[str, Changed] = field(default_factory=dict)
    """By the id of the hold, in the order it happened."""

    def counts(self, entry: StoredBooking) -> bool:
        return self.component in (None, entry.component)

    def held(self, entry: StoredBooking, *, refused: bool) -> None:
        """An allocation is no call; its draws are."""
        if self.counts(entry) and entry.kind == "held":
            self.calls_then += 1
            self.calls_now += not refused

    def refuse(self, entry: StoredBooking, error: BudgetError) -> None:
        self.denied_now += self.counts(entry)
        self._change("refused", entry, error, None, error.detail)

    def move(self, entry: StoredBooking, error: BudgetError | None, became: str) -> None:
        """Another model than then; without an error the one that was asked for."""
        what: What = "as_asked" if error is None else "downgraded"
        detail = "fits as it was asked for" if error is None else error.detail
        self._change(what, entry, error, became, detail)

    def let_in(self, entry: StoredBooking, amounts: Amounts, became: str | None) -> None:
        detail = f"fits, with its worst case of {show_usd(amounts.usd)} USD"
        changed = self._change("let_in", entry, None, became, detail)
        changed.policy, changed.axis = entry.body.get("policy"), entry.body.get("axis")
        changed.would_be = amounts.usd
        if self.counts(entry):
            self.calls_now += 1
            self.would_be += amounts.usd
            self.tokens_now += amounts.tokens

    def book(self, entry: StoredBooking, usd: int, *, refused: bool) -> None:
        booked, tokens = int(entry.body["usd"]), int(entry.body["tokens"])
        if entry.kind == "recorded" and self.counts(entry):
            self.calls_then += 1
            self.calls_now += 1
        changed = None if entry.kind == "recorded" else self.changed.get(entry.subject)
        if changed is not None:
            changed.booked += booked
            changed.would_be += usd
        if self.counts(entry):
            self.booked += booked
            self.would_be += usd
            self.tokens_then += tokens
            self.tokens_now += 0 if refused else tokens

    def correct(self, entry: StoredBooking, usd: int) -> None:
        if self.counts(entry):
            self.booked += int(entry.body["usd"])
            self.would_be += usd

    def _change(
        self, what: What, entry: StoredBooking, error: BudgetError | None, became: str | None,
        detail: str,
    ) -> Changed:  # fmt: skip
        facts = {} if error is None else error.facts
        policy, axis = facts.get("policy"), facts.get("axis")
        found = Changed(
            what, entry, None if policy is None else str(policy),
            None if axis is None else str(axis), became, detail,
        )  # fmt: skip
        if self.counts(entry):
            self.changed[entry.subject] = found
        return found

    def shown(self, span: Window, limit: int) -> Replayed:
        changed = list(self.changed.values())
        many = Counter(one.what for one in changed)
        return Replayed(
            since=rfc3339(span.starts_ms),
            until=rfc3339(span.ends_ms),
            entries=self.entries,
            calls_then=self.calls_then,
            calls_now=self.calls_now,
            refused=many["refused"],
            downgraded=many["downgraded"],
            let_in=many["let_in"],
            as_asked=many["as_asked"],
            booked_usd=show_usd(self.booked),
            would_be_usd=show_usd(self.would_be),
            change_usd=show_usd(self.would_be - self.booked),
            booked_tokens=self.tokens_then,
            would_be_tokens=self.tokens_now,
            denied_then=self.denied_then,
            denied_now=self.denied_now,
            differences_total=len(changed),
            policies=_effects((one.policy or NO_POLICY, one) for one in changed),
            components=_effects((one.entry.component, one) for one in changed),
            differences=[_difference(one) for one in changed[:limit]],
        )


def _effects(named: Iterable[tuple[str, Changed]]) -> list[Effect]:
    groups: dict[str, list[Changed]] = {}
    for name, one in named:
        groups.setdefault(name, []).append(one)
    return [
        Effect(
            name,
            refused=sum(one.what == "refused" for one in many),
            downgraded=sum(one.what == "downgraded" for one in many),
            let_in=sum(one.what == "let_in" for one in many),
            change_usd=show_usd(sum(one.would_be - one.booked for one in many)),
            first_at=rfc3339(many[0].entry.at_ms),
        )
        for name, many in sorted(groups.items())
    ]


def _difference(one: Changed) -> Difference:
    entry, body = one.entry, one.entry.body
    return Difference(
        what=one.what,
        entry_id=entry_id(entry.seq),
        at=rfc3339(entry.at_ms),
        component=entry.component,
        task_type=body["task_type"],
        provider=body["provider"],
        model=body["model"],
        policy=one.policy,
        axis=one.axis,
        became=one.became,
        booked_usd=show_usd(one.booked),
        would_be_usd=show_usd(one.would_be),
        detail=one.detail,
    )
