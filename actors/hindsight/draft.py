"""What the past is decided with: drafts over what was in force, and what things cost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Any

from actors.prices.decisions import own_version
from actors.prices.known import key_of
from actors.routing.router import Router
from actors.subject import read_subject
from protocols.errors import BudgetError
from protocols.hindsight import DraftPrice, Replay
from protocols.journal import StoredBooking
from protocols.policy.charge import Admit, Amounts, Subject
from protocols.policy.policy import Policy
from protocols.prices import PriceBook, PriceVersion
from protocols.tiers import TierTable, tier_of
from protocols.usage import Usage, normalise
from protocols.whole_cost import cost_of_booking, cost_of_hold

STAMP = "draft"
ENVELOPE = "envelope/"
"""What the id of a price begins with that stands for any model."""
Key = tuple[str, str]


@dataclass(slots=True)
class Draft:
    """Policies by name, prices by model, the book and the router with the drafts in them."""

    book: PriceBook
    tiers: TierTable
    router: Router
    policies: tuple[Policy, ...] = ()
    without: frozenset[str] = frozenset()
    prices: Mapping[Key, PriceVersion] = field(default_factory=dict)

    @property
    def fixed(self) -> frozenset[str]:
        """Names whose changes in the past are left out: a draft says what they are."""
        return self.without | {policy.name for policy in self.policies}

    def hold_usd(self, subject: Subject, usage: Usage | None, then: int) -> int:
        """What the call would have held: as then, unless a draft prices its model."""
        version = self.prices.get(key_of(subject.provider, subject.model))
        if version is None or usage is None:
            return then
        return int(cost_of_hold(usage, version))

    def booked_usd(self, booking: StoredBooking, version: PriceVersion | None) -> int:
        """What the booking would cost at this version, or at a draft's; else as it was booked."""
        body = booking.body
        if version is None:
            version = self.prices.get(key_of(body["provider"], body["model"]))
        if version is None or body.get("at_hold"):
            return int(body["usd"])
        at = datetime.fromtimestamp(booking.at_ms / 1000, UTC) if version.hours else None
        try:
            return int(cost_of_booking(normalise(body["usage"]), version, at)[0])
        except BudgetError:
            return int(body["usd"])


def draft_of(ask: Replay, book: PriceBook, tiers: TierTable, router: Router) -> Draft:
    """Raises `Invalid` for a price without a rate."""
    prices = _versions(ask.prices)
    if prices:
        others = [v for v in book.models() if key_of(v.provider, v.model) not in prices]
        book = book.with_versions([*others, *prices.values()])
    routes = router.twin() if ask.routes is None else Router(router.abilities, ask.routes)
    return Draft(book, tiers, routes, ask.policies, frozenset(ask.without), prices)


def _versions(prices: Iterable[DraftPrice]) -> dict[Key, PriceVersion]:
    versions = (own_version(one.provider, one.model, one.price, STAMP) for one in prices)
    return {key_of(version.provider, version.model): version for version in versions}


def attempt(entry: StoredBooking, draft: Draft, *, asked: bool = True) -> Admit:
    """The call as it was asked for, or else as it was held, out of the entry that tells of it."""
    body = entry.body
    subject = read_subject(entry.component, body)
    usage = Usage(counts=body["estimate"]) if "estimate" in body else None
    usd = int(body["usd"])
    if asked and usage is not None and "instead_of" in body:
        provider, _, model = body["instead_of"].partition("/")
        found = draft.book.find(provider, model)
        if found is not None:
            tier = tier_of(entry.component, provider, model, draft.tiers)
            subject = subject._replace(provider=provider, model=model, tier=tier)
            usd = int(cost_of_hold(usage, found))
    amounts = Amounts(draft.hold_usd(subject, usage, usd), body["tokens"], body["calls"])
    covers = body.get("covers")
    return Admit(
        entry.subject, subject, amounts, body.get("priority", 5), inf, None, None,
        priced=usage is None or not str(body.get("price_version")).startswith(ENVELOPE),
        covers=None if covers is None else (covers[0], covers[1], covers[2]),
        parent=body.get("parent"), memo=usage,
    )  # fmt: skip


def counts(body: Mapping[str, Any]) -> tuple[int, int]:
    """Input and most output of an entry that has its estimate."""
    told = body["estimate"]
    return told.get("input", 0), told.get("output", 0)
