"""Two families of sources, one verdict for each model: agreed, single, disputed or rejected.

Where both name a rate they must name the same one. Nothing is averaged, nothing outvoted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from actors.prices.guards import absolute, odd_mode, suspect, writes_too_cheap
from daemon.prices.genai_data import Catalogue
from protocols.prices import LongContext, Tariff, model_name
from protocols.prices.offer import Offer
from protocols.usage import LINEAGE

Key = tuple[str, str]
AGREED, CONTRADICTED, LITELLM_ONLY, GENAI_ONLY = "agreed", "contradicted", "litellm", "genai-prices"
WITNESS = {"vertex": "google"}
"""Whose genai-prices list can confirm ours, where the provider has none of its own there."""


@dataclass(slots=True)
class Verdicts:
    """Everything decided, and every reason to leave something out."""

    offers: dict[Key, tuple[Offer, str]] = field(default_factory=dict)
    aliases: dict[Key, str] = field(default_factory=dict)
    disputed: dict[str, dict[str, object]] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)


def reconcile(lite: Iterable[Offer], catalogues: Iterable[Catalogue]) -> Verdicts:
    """Judge every model of both families."""
    verdicts = Verdicts()
    theirs = {catalogue.provider: catalogue for catalogue in catalogues}
    grouped: dict[Key, list[Offer]] = {}
    for offer in lite:
        grouped.setdefault((offer.provider, model_name(offer.model)), []).append(offer)
    for key, offers in grouped.items():
        _judge(verdicts, key, offers, theirs.get(WITNESS.get(key[0], key[0])))
    for catalogue in theirs.values():
        _add_theirs(verdicts, catalogue, grouped)
    return verdicts


def _judge(verdicts: Verdicts, key: Key, offers: list[Offer], witness: Catalogue | None) -> None:
    """Decide on a model LiteLLM names, with what genai-prices says of it."""
    own, *others = offers
    for other in others:
        if differences(own, other):
            verdicts.disputed[_label(own)] = {"litellm": differences(own, other)}
            return
        own = merged(own, other)
    found = witness.match(own.model.lower()) if witness is not None else None
    other_offer = witness.offer(found[0]) if witness is not None and found is not None else None
    exact = found is not None and found[1] and key[0] not in WITNESS
    if other_offer is None:
        _keep(verdicts, key, own, LITELLM_ONLY)
    elif not differences(own, other_offer):
        _note_modes(verdicts, own, other_offer)
        _keep(verdicts, key, merged(own, other_offer), AGREED)
    elif exact:
        verdicts.disputed[_label(own)] = {"litellm, genai-prices": differences(own, other_offer)}
    else:
        _keep(verdicts, key, own, CONTRADICTED)


def _add_theirs(
    verdicts: Verdicts, catalogue: Catalogue, grouped: Mapping[Key, list[Offer]]
) -> None:
    """Add the models only genai-prices names, and its further names for models we have."""
    for model in catalogue.models:
        key = (catalogue.provider, model_name(model["id"]))
        offer = catalogue.offer(model)
        if key not in grouped and offer is not None:
            _keep(verdicts, key, offer, GENAI_ONLY)
    for name, target in catalogue.names():
        key = (catalogue.provider, model_name(name))
        at = (catalogue.provider, model_name(target))
        if key not in grouped and key != at and at in verdicts.offers:
            verdicts.aliases.setdefault((key[0], name), verdicts.offers[at][0].model)


def _keep(verdicts: Verdicts, key: Key, offer: Offer, state: str) -> None:
    """Take a price into the book unless a guard stops it."""
    if offer.free and state != AGREED:
        verdicts.rejected[_label(offer)] = "0 according to one source only"
        return
    why = absolute(offer) or (suspect(offer) if state != AGREED else None)
    if why is not None:
        verdicts.rejected[_label(offer)] = why
        return
    offer = _without_cheap_writes(verdicts, offer)
    modes = {name: t for name, t in offer.modes.items() if not odd_mode(offer, name, t)}
    for name in sorted(offer.modes.keys() - modes.keys()):
        verdicts.rejected[f"{_label(offer)} ({name})"] = "out of proportion to standard"
    verdicts.offers[key] = (without_echoes(replace(offer, modes=modes)), state)


def _without_cheap_writes(verdicts: Verdicts, offer: Offer) -> Offer:
    """Drop cache writes below the input price: rents of storage. The input price stands in."""
    cheap = {"cache_write_5m"} if writes_too_cheap(offer) else set()
    if not cheap:
        return offer
    verdicts.rejected[f"{_label(offer)} (cache_write_5m)"] = "cheaper than input"
    bare = Tariff(offer.rates, offer.long_context).without(cheap)
    modes = {name: tariff.without(cheap) for name, tariff in offer.modes.items()}
    return replace(offer, rates=dict(bare.rates), long_context=bare.long_context, modes=modes)


def differences(a: Offer, b: Offer) -> dict[str, str]:
    """Rates that both name and that are not the same."""
    found = _unequal("", a.rates, b.rates)
    if a.chat and b.chat and ("output" in a.rates) != ("output" in b.rates):
        found["output"] = "named by one only"
    if a.long_context is not None and b.long_context is not None:
        found |= _unequal("long ", a.long_context.rates, b.long_context.rates)
        if _starts(a.long_context) != _starts(b.long_context):
            found["threshold"] = f"{a.long_context.threshold} | {b.long_context.threshold}"
    return found


def _unequal(prefix: str, a: Mapping[str, Decimal], b: Mapping[str, Decimal]) -> dict[str, str]:
    return {
        f"{prefix}{kind}": f"{a[kind]:f} | {b[kind]:f}"
        for kind in sorted(a.keys() & b.keys())
        if a[kind] != b[kind]
    }


def _starts(long: LongContext) -> int:
    return long.threshold + (not long.inclusive)


def merged(a: Offer, b: Offer) -> Offer:
    """Both offers in one, where they do not contradict each other."""
    return replace(
        a,
        rates={**b.rates, **a.rates},
        unit_rates=_undisputed(a.unit_rates, b.unit_rates),
        long_context=_long(a.long_context, b.long_context),
        modes=_modes(a.modes, b.modes),
        regions={**b.regions, **a.regions},
        max_output_tokens=a.max_output_tokens or b.max_output_tokens,
        peak=a.peak or b.peak,
    )


def _undisputed(a: Mapping[str, Decimal], b: Mapping[str, Decimal]) -> dict[str, Decimal]:
    both = {**b, **a}
    return {kind: both[kind] for kind in both if a.get(kind, both[kind]) == b.get(kind, both[kind])}


def _long(a: LongContext | None, b: LongContext | None) -> LongContext | None:
    if a is None or b is None:
        return a or b
    return LongContext(a.threshold, {**b.rates, **a.rates}, a.inclusive)


def _modes(a: Mapping[str, Tariff], b: Mapping[str, Tariff]) -> dict[str, Tariff]:
    modes = {**b, **a}
    for name in a.keys() & b.keys():
        if _modes_differ(a[name], b[name]):
            del modes[name]
            continue
        rates = {**b[name].rates, **a[name].rates}
        modes[name] = Tariff(rates, _long(a[name].long_context, b[name].long_context))
    return modes


def _modes_differ(a: Tariff, b: Tariff) -> dict[str, str]:
    found = _unequal("", a.rates, b.rates)
    if a.long_context is not None and b.long_context is not None:
        found |= _unequal("long ", a.long_context.rates, b.long_context.rates)
    return found


def _note_modes(verdicts: Verdicts, a: Offer, b: Offer) -> None:
    """List the parts that were left out because the families disagree."""
    for name in sorted(a.modes.keys() & b.modes.keys()):
        unequal = _modes_differ(a.modes[name], b.modes[name])
        if unequal:
            verdicts.disputed[f"{_label(a)} ({name})"] = {"litellm, genai-prices": unequal}
    units = _unequal("", a.unit_rates, b.unit_rates)
    if units:
        verdicts.disputed[f"{_label(a)} (fees)"] = {"litellm, genai-prices": units}


def without_echoes(offer: Offer) -> Offer:
    """Drop rates that everywhere equal the rate that would stand in for them."""
    tariffs = [Tariff(offer.rates, offer.long_context), *offer.modes.values()]
    tables = [t.rates for t in tariffs]
    tables += [t.long_context.rates for t in tariffs if t.long_context is not None]
    echoes = {kind for kind in offer.rates if all(_echo(kind, table) for table in tables)}
    if not echoes:
        return offer
    bare = [tariff.without(echoes) for tariff in tariffs]
    return replace(
        offer,
        rates=dict(bare[0].rates),
        long_context=bare[0].long_context,
        modes=dict(zip(offer.modes, bare[1:], strict=True)),
    )


def _echo(kind: str, table: Mapping[str, Decimal]) -> bool:
    stand_in = next((table[name] for name in LINEAGE[kind][1:] if name in table), None)
    return stand_in is not None and table.get(kind, stand_in) == stand_in


def _label(offer: Offer) -> str:
    return f"{offer.provider}/{offer.model}"
