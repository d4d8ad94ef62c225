"""What people are shown of prices: versions, cases, history, changes."""

from bisect import bisect_left
from collections.abc import Iterable

from actors.prices.catalogue import Catalogue
from actors.prices.judge import as_offer
from actors.prices.known import Case, Key, Known, key_of
from actors.prices.moves import Step, against
from actors.prices.votes import told
from protocols.period import rfc3339
from protocols.prices import PriceBook, unpriced
from protocols.prices.answers import shown
from protocols.prices.changes import (
    CaseShown,
    DiffPrices,
    ListPriceHistory,
    ListQuarantine,
    PriceDiff,
    PriceFound,
    PriceHistory,
    PriceMoved,
    Quarantine,
    ShowPrice,
    VersionShown,
)
from protocols.prices.names import provider_name
from protocols.prices.offer import Offer


def show_price(
    catalogue: Catalogue, book: PriceBook, ask: ShowPrice, offers: Iterable[tuple[str, Offer]],
    at_ms: int,
) -> PriceFound:  # fmt: skip
    """All about one model. Raises Unpriced where nobody says anything about it."""
    key, name = _named(book, ask.provider, ask.model)
    known = catalogue.find(ask.provider, ask.model, at_ms, book)
    case = catalogue.cases.get(key)
    said = [(name, o) for name, o in offers if key_of(o.provider, o.model) == key]
    if known is None and case is None and not said:
        raise unpriced(ask.provider, ask.model)
    return PriceFound(
        provider=key[0],
        model=name,
        version=None if known is None else version_shown(known, in_force=True),
        pinned=key in catalogue.pins,
        case=None if case is None else case_shown(catalogue, case, at_ms),
        says={source: told(offer) for source, offer in said if offer.starts is None},
        announced=[
            {"source": source, "from": offer.starts.isoformat(), **told(offer)}
            for source, offer in said
            if offer.starts is not None
        ],
    )


def history(
    catalogue: Catalogue, book: PriceBook, ask: ListPriceHistory, at_ms: int
) -> PriceHistory:
    key, _ = _named(book, ask.provider, ask.model)
    now = catalogue.current(key, at_ms)
    versions = catalogue.history(key)
    if not versions:
        raise unpriced(ask.provider, ask.model)
    return PriceHistory(
        [version_shown(known, in_force=known is now) for known in reversed(versions)]
    )


def quarantine(catalogue: Catalogue, ask: ListQuarantine, at_ms: int) -> Quarantine:
    """One page, by provider and model."""
    provider = None if ask.provider is None else provider_name(ask.provider)
    cases = sorted(
        (
            case
            for case in catalogue.cases.values()
            if provider in (None, case.proposed.provider) and ask.guard in (None, case.guard)
        ),
        key=lambda case: case.name,
    )
    start = 0 if ask.cursor is None else bisect_left([c.name for c in cases], ask.cursor + "\0")
    page = cases[start : start + ask.limit]
    more = start + ask.limit < len(cases)
    return Quarantine(
        [case_shown(catalogue, case, at_ms) for case in page], page[-1].name if more else None
    )


def diff(catalogue: Catalogue, ask: DiffPrices) -> PriceDiff:
    """Rate by rate, newest first."""
    since_ms = 0 if ask.since is None else int(ask.since.timestamp() * 1000)
    provider = None if ask.provider is None else provider_name(ask.provider)
    moved: list[PriceMoved] = []
    for known, before in catalogue.changes():
        version = known.version
        if known.from_ms < since_ms or provider not in (None, version.provider):
            continue
        at = rfc3339(known.from_ms)
        if before is None:
            rates = {**version.rates, **version.unit_rates}
            steps: list[Step] = [(kind, None, rate) for kind, rate in sorted(rates.items())]
        else:
            steps = against(before, as_offer(version)).steps
        moved += [
            PriceMoved(
                version.provider, version.model, at, kind,
                None if old is None else format(old, "f"), format(new, "f"), known.by,
            )
            for kind, old, new in steps
        ]  # fmt: skip
    start = int(ask.cursor or 0)
    page = moved[start : start + ask.limit]
    more = start + ask.limit < len(moved)
    return PriceDiff(page, str(start + ask.limit) if more else None)


def version_shown(known: Known, *, in_force: bool) -> VersionShown:
    embedded = known.known_ms == 0
    return VersionShown(
        price=shown(known.version),
        state=known.state,
        valid_from=None if embedded else rfc3339(known.from_ms),
        known_since=None if embedded else rfc3339(known.known_ms),
        in_force=in_force,
        sources=dict(known.sources),
        by=known.by,
        note=known.note,
    )


def case_shown(catalogue: Catalogue, case: Case, at_ms: int) -> CaseShown:
    now = catalogue.current(case.key, at_ms)
    return CaseShown(
        provider=case.proposed.provider,
        model=case.proposed.model,
        state="rejected" if case.state == "rejected" else "open",
        guard=case.guard,
        detail=case.detail,
        severity=case.severity,  # type: ignore[arg-type]
        since=rfc3339(case.since_ms),
        in_force=None if now is None else told(as_offer(now.version)),
        says=case.says,
    )


def _named(book: PriceBook, provider: str | None, model: str) -> tuple[Key, str]:
    """The model's own name where the book knows it by any name, else the name as given."""
    found = book.find(provider, model)
    if found is not None:
        return key_of(found.provider, found.model), found.model
    owner = provider_name(provider) if provider is not None else book.provider_of(model)
    if owner is None:
        raise unpriced(provider, model)
    return key_of(owner, model), model
