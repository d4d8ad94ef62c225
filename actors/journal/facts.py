"""Rows of the small tables: what an entry puts there, replaces or takes away."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actors.policy.rule import millionths
from protocols.journal import Entry
from protocols.policy.charge import AXES


@dataclass(slots=True)
class Fact:
    """A row of a small table that an entry replaces: ledger, price, window, policy, budget, seed.

    No row means: it is gone.
    """

    table: str
    key: str | int
    row: tuple[Any, ...] | None


def facts_of(entry: Entry) -> list[Fact]:
    """Raises ValueError for a kind that nobody knows."""
    make = _FACTS.get(entry.kind)
    if make is None:
        raise ValueError(f"entry {entry.seq} is of unknown kind {entry.kind!r}")
    return make(entry)


def crossings_of(entry: Entry) -> list[Fact]:
    """Thresholds that this entry reached, so that none is told twice."""
    facts = []
    for one in entry.body["crossed"]:
        mark = (AXES.index(one["axis"]), one["at"], millionths(one["threshold"]))
        name = " ".join(map(str, (one["window"], *mark)))
        facts.append(Fact("crossing", name, (name, one["window"], *mark)))
    return facts


def _nothing(_: Entry) -> list[Fact]:
    return []


def _window(entry: Entry) -> list[Fact]:
    body = entry.body
    row = (
        body["window"], body["policy"], body["counting"], body["key"],
        body["starts_ms"], body["ends_ms"],
    )  # fmt: skip
    return [Fact("window", body["window"], row)]


def _ledger(entry: Entry) -> list[Fact]:
    number = entry.body["number"]
    return [Fact("ledger", number, (number, entry.component))]


def _price(entry: Entry) -> list[Fact]:
    return [Fact("price", entry.subject, (entry.subject, entry.body))]


def _policy(entry: Entry) -> list[Fact]:
    body, name = entry.body, entry.subject
    row = (name, body["after"], body["revision"], body["counting"], body["by"], body["at_ms"])
    member = Fact("membership", name, (name, body["after"]["budget"]))
    return [Fact("policy", name, row), member, *_seed(f"policy {name}", body)]


def _no_policy(entry: Entry) -> list[Fact]:
    return [Fact("policy", entry.subject, None)]


def _budget(entry: Entry) -> list[Fact]:
    name = entry.subject
    row = (name, entry.body["after"])
    return [Fact("budget", name, row), *_seed(f"budget {name}", entry.body)]


def _no_budget(entry: Entry) -> list[Fact]:
    return [Fact("budget", entry.subject, None)]


def _seed(about: str, body: dict[str, Any]) -> list[Fact]:
    """Which text of `budget.toml` was applied last."""
    return [Fact("seed", about, (about, body["seed"]))] if "seed" in body else []


def _versions(entry: Entry) -> list[Fact]:
    names = [f"{entry.seq}.{place}" for place in range(len(entry.body["versions"]))]
    return [
        Fact("price_known", name, (name, entry.at_ms, version))
        for name, version in zip(names, entry.body["versions"], strict=True)
    ]


def _cases(entry: Entry) -> list[Fact]:
    return [_note("case", case["name"], case) for case in entry.body["cases"]]


def _no_cases(entry: Entry) -> list[Fact]:
    return [_note("case", name, None) for name in entry.body["cases"]]


def _pin(entry: Entry) -> list[Fact]:
    return [_note("pin", entry.subject, entry.body if entry.body["pinned"] else None)]


def _source(entry: Entry) -> list[Fact]:
    return [_note("source", entry.subject, entry.body)]


def _note(kind: str, name: str, body: dict[str, Any] | None) -> Fact:
    """Remember something for the price monitor; None takes it away."""
    key = f"{kind} {name}"
    return Fact("price_note", key, None if body is None else (key, body))


def _token(entry: Entry) -> list[Fact]:
    return [Fact("token", entry.subject, (entry.subject, entry.body))]


def _no_token(entry: Entry) -> list[Fact]:
    return [Fact("token", entry.subject, None)]


def _proposal(entry: Entry) -> list[Fact]:
    return [Fact("proposal", entry.subject, (entry.subject, entry.body))]


def _archived(entry: Entry) -> list[Fact]:
    """A month lies in a file from this entry on."""
    named = ("first_seq", "last_seq", "before", "hash", "sha256", "bytes")
    row = (entry.subject, *(entry.body[name] for name in named), entry.at_ms)
    return [Fact("archive", entry.subject, row)]


_FACTS: dict[str, Callable[[Entry], list[Fact]]] = {
    "window_opened": _window,
    "ledger_opened": _ledger,
    "priced": _price,
    "policy_set": _policy,
    "policy_removed": _no_policy,
    "budget_set": _budget,
    "budget_removed": _no_budget,
    "price_set": _versions,
    "price_held": _cases,
    "price_rejected": _cases,
    "price_cleared": _no_cases,
    "price_pinned": _pin,
    "source_taken": _source,
    "source_held": _source,
    "token_made": _token,
    "token_revoked": _no_token,
    "proposed": _proposal,
    "proposal_ended": _proposal,
    "archived": _archived,
    "loss_accepted": lambda _: [],
    "noticed": _nothing,
    "alert_acknowledged": _nothing,
    "alert_resolved": _nothing,
}
