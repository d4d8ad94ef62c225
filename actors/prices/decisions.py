"""What a person decides about a price: approve, reject, set, pin, roll back. Pure."""

from dataclasses import dataclass, replace

from actors.prices.catalogue import Catalogue
from actors.prices.change import Change
from actors.prices.known import Case, Key, Known, key_of
from actors.prices.round import taken
from protocols.debug import log_function
from protocols.errors import Invalid, NotFound
from protocols.prices.changes import (
    ApprovePrice,
    LongRates,
    PinPrice,
    Rates,
    RejectPrice,
    RollbackPrice,
    SetPrice,
)
from protocols.prices.names import provider_name
from protocols.prices.offer import Offer
from protocols.prices.version import LongContext, PriceVersion, Tariff

Decision = ApprovePrice | RejectPrice | SetPrice | PinPrice | RollbackPrice
Offers = dict[str, Offer]
"""Source → what it says of the model now."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Who decides, and when. `stamp` makes a version's id unlike any other's."""

    by: str
    at_ms: int
    stamp: str


@log_function()
def decide(catalogue: Catalogue, ask: Decision, offers: Offers, moment: Moment) -> Change:
    """Raises NotFound where there is nothing to decide about."""
    key = key_of(provider_name(ask.provider), ask.model)
    match ask:
        case ApprovePrice():
            return _approve(catalogue, key, ask, offers, moment)
        case RejectPrice():
            case = open_case(catalogue, key)
            return Change(rejected=[replace(case, state="rejected")])
        case SetPrice():
            version = own_version(ask.provider, ask.model, ask.price, moment.stamp)
            valid_ms = 0 if ask.valid_from is None else int(ask.valid_from.timestamp() * 1000)
            known = Known(version, "set", valid_ms, moment.at_ms, moment.by, ask.note)
            pins = {key: pin(key, ask.note, moment.by, pinned=True)} if ask.pin else {}
            return Change(versions=[known], cleared=_case_of(catalogue, key), pins=pins)
        case PinPrice():
            if catalogue.current(key, moment.at_ms) is None:
                raise unknown(key)
            return Change(pins={key: pin(key, ask.note, moment.by, pinned=ask.pinned)})
        case RollbackPrice():
            return _roll_back(catalogue, key, ask, moment)


def proposed(
    catalogue: Catalogue, key: Key, source: str | None, offers: Offers, moment: Moment
) -> PriceVersion:
    """The price that would be approved: the case's, or what this source says."""
    if source is None:
        return open_case(catalogue, key).proposed
    offer = offers.get(source)
    if offer is None:
        told = ", ".join(sorted(offers)) or "no source"
        raise NotFound(f"{source} has no price for {key[0]}/{key[1]}", hint=f"{told} has one")
    now = catalogue.current(key, moment.at_ms)
    return taken(offer, now, f"{offer.model}@{moment.stamp}", f"single: {source}")


def open_case(catalogue: Catalogue, key: Key) -> Case:
    case = catalogue.cases.get(key)
    if case is None:
        raise NotFound(
            f"no price of {key[0]}/{key[1]} waits for a decision",
            hint="see the quarantine, or set a price of your own",
        )
    return case


def own_version(provider: str, model: str, price: Rates, stamp: str) -> PriceVersion:
    """A price as a person wrote it. Every rate 0 means free: somebody said so."""
    name = provider_name(provider)
    tables = [price.rates, price.unit_rates]
    named = [rate for table in tables for rate in table.values()]
    if not named:
        problem, remedy = "it names no rate", 'such as {"rates": {"input": "3.00"}}'
        errors = [{"field": "price", "problem": problem, "remedy": remedy}]
        raise Invalid("price names no rate", hint=remedy, errors=errors)
    return PriceVersion(
        id=f"{name}/{model}@{stamp}",
        provider=name,
        model=model,
        rates=dict(price.rates),
        unit_rates=dict(price.unit_rates),
        long_context=_long(price.long_context),
        modes={mode: Tariff(dict(rates)) for mode, rates in price.modes.items()},
        source="set by hand",
        chat="output" in price.rates,
        free=bool(named) and not any(named),
    )


def pin(key: Key, note: str | None, by: str, *, pinned: bool) -> dict[str, object]:
    return {"provider": key[0], "model": key[1], "pinned": pinned, "note": note, "by": by}


def unknown(key: Key) -> NotFound:
    return NotFound(f"there is no price for {key[0]}/{key[1]}", hint="list prices to see the names")


def _approve(
    catalogue: Catalogue, key: Key, ask: ApprovePrice, offers: Offers, moment: Moment
) -> Change:
    case = catalogue.cases.get(key)
    version = proposed(catalogue, key, ask.source, offers, moment)
    files = {} if case is None else case.sources
    source = ", ".join(files) if ask.source is None else ask.source
    name = f"{version.provider}/{version.model}@{moment.stamp}"
    version = replace(version, id=name, source=f"approved: {source}")
    known = Known(version, "approved", 0, moment.at_ms, moment.by, ask.note, files)
    return Change(versions=[known], cleared=_case_of(catalogue, key))


def _roll_back(catalogue: Catalogue, key: Key, ask: RollbackPrice, moment: Moment) -> Change:
    now = catalogue.current(key, moment.at_ms)
    past = [known for known in catalogue.history(key) if known.from_ms <= moment.at_ms]
    if now is None:
        raise unknown(key)
    wanted = [
        known
        for known in past
        if known.version.id != now.version.id and ask.price_version in (None, known.version.id)
    ]
    if not wanted:
        told = ", ".join(known.version.id for known in past)
        raise NotFound(f"{now.version.id} has no such predecessor", hint=f"there are: {told}")
    old = wanted[-1]
    known = Known(old.version, "rolled back", 0, moment.at_ms, moment.by, ask.note, old.sources)
    return Change(versions=[known], pins={key: pin(key, ask.note, moment.by, pinned=True)})


def _case_of(catalogue: Catalogue, key: Key) -> list[Case]:
    case = catalogue.cases.get(key)
    return [] if case is None else [case]


def _long(told: LongRates | None) -> LongContext | None:
    return None if told is None else LongContext(told.threshold, dict(told.rates), told.inclusive)
