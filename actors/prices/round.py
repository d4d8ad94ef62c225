"""One round of judging: from what the sources say to what changes. Pure; runs on a thread."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from actors.prices.judge import Outcome, Verdict, as_offer, judge
from actors.prices.known import Case, Key, Known, key_of
from actors.prices.votes import Vote, core_of
from protocols.debug import log_function
from protocols.prices.offer import Offer
from protocols.prices.sources import Counted
from protocols.prices.version import PriceVersion


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a round looks at, none of which changes while it runs."""

    now: Mapping[Key, Known]
    pins: frozenset[Key]
    cases: Mapping[Key, Case]
    files: Mapping[str, str]
    """Source → sha256."""
    at_ms: int
    stamp: str
    """What makes the ids of this round's versions unlike any other's."""


@dataclass(slots=True)
class Round:
    """What came of it."""

    versions: list[Known] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    cleared: list[Case] = field(default_factory=list)
    models: Counted = field(default_factory=Counted)
    guards: Counter[str] = field(default_factory=Counter)


Votes = dict[Key, list[Vote]]
COPIED = {("models.dev", "openrouter"): "openrouter", ("genai-prices", "openrouter"): "openrouter"}
"""What these families say of this provider they have from that one: it is no second opinion."""


@dataclass(frozen=True, slots=True)
class Said:
    """Everything one source says; `since_ms` has the models whose price we saw change."""

    source: str
    family: str
    offers: Iterable[Offer]
    since_ms: Mapping[Key, int] = field(default_factory=dict)


def votes_of(readings: Iterable[Said]) -> Votes:
    """Bring together what the sources say of each model.

    A source that prices a model twice and differently has no vote on it.
    """
    votes: Votes = {}
    for said in readings:
        own: dict[Key, Vote | None] = {}
        for offer in said.offers:
            if offer.starts is not None:
                continue
            key = key_of(offer.provider, offer.model)
            first = own.get(key)
            if key in own and (first is None or core_of(first.offer) != core_of(offer)):
                own[key] = None
            elif key not in own:
                family = COPIED.get((said.family, offer.provider), said.family)
                own[key] = Vote(said.source, family, offer, said.since_ms.get(key, 0))
        for key, vote in own.items():
            if vote is not None:
                votes.setdefault(key, []).append(vote)
    return votes


@log_function()
def judge_all(ask: Question, votes_by_key: Votes) -> Round:
    """Judge every model that anybody names, and every one in force that nobody does."""
    done = Round()
    for key, votes in votes_by_key.items():
        known = ask.now.get(key)
        if key in ask.pins:
            done.models.pinned += 1
            continue
        _conclude(done, ask, votes, judge(votes, known.version if known else None))
    done.models.unlisted = sum(key not in votes_by_key for key in ask.now)
    return done


def _conclude(done: Round, ask: Question, votes: list[Vote], verdict: Verdict) -> None:
    first = votes[0].offer
    key = key_of(first.provider, first.model)
    known, case = ask.now.get(key), ask.cases.get(key)
    name = verdict.outcome.value
    setattr(done.models, name, getattr(done.models, name) + 1)
    if verdict.guard:
        done.guards[verdict.guard] += 1
    if verdict.outcome in (Outcome.QUARANTINED, Outcome.REJECTED):
        found = _case(ask, key, verdict.offer or first, verdict)
        if case is None or not case.same_as(found):
            done.cases.append(found)
        return
    if case is not None:
        done.cleared.append(case)
    if verdict.offer is not None:
        version = taken(verdict.offer, known, f"{verdict.offer.model}@{ask.stamp}", verdict.state)
        sources = {source: ask.files[source] for source in verdict.sources}
        state = verdict.state.partition(":")[0]
        note = verdict.detail or None
        done.versions.append(Known(version, state, 0, ask.at_ms, "daemon", note, sources))


def _case(ask: Question, key: Key, offer: Offer, verdict: Verdict) -> Case:
    return Case(
        taken(offer, ask.now.get(key), f"{offer.model}@{ask.stamp}", "proposed"),
        verdict.guard,
        verdict.detail,
        verdict.severity,
        ask.at_ms,
        verdict.says,
        {source: ask.files[source] for source in verdict.says},
    )


def taken(offer: Offer, known: Known | None, name: str, source: str) -> PriceVersion:
    """The version this offer makes of the one in force.

    Parts that nobody offers any more stay, unless the price itself moved: then they would be
    parts of another price.
    """
    version = version_of(offer, f"{offer.provider}/{name}", source)
    if known is None or offer.hours or core_of(as_offer(known.version)) != core_of(offer):
        return version
    now = known.version
    return replace(
        version,
        rates={**now.rates, **version.rates},
        unit_rates={**now.unit_rates, **version.unit_rates},
        long_context=version.long_context or now.long_context,
        modes={**now.modes, **version.modes},
        regions={**now.regions, **version.regions},
        hours=now.hours,
        max_output_tokens=version.max_output_tokens or now.max_output_tokens,
    )


def version_of(offer: Offer, name: str, source: str) -> PriceVersion:
    return PriceVersion(
        id=name,
        provider=offer.provider,
        model=offer.model,
        rates=offer.rates,
        unit_rates=offer.unit_rates,
        long_context=offer.long_context,
        modes=offer.modes,
        regions=offer.regions,
        hours=offer.hours,
        max_output_tokens=offer.max_output_tokens,
        source=source,
        chat=offer.chat,
        free=offer.free,
        estimated=offer.peak and not offer.hours,
    )
