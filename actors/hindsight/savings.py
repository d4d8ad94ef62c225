"""What cheaper models would have saved: pure sums over the bookings of a period."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from actors.routing.router import Errand, Router, World
from protocols.costing import cost
from protocols.errors import BudgetError
from protocols.journal import BOOKINGS, StoredBooking
from protocols.money import round_up, show_usd
from protocols.period import Window, rfc3339
from protocols.policy.choice import Option
from protocols.prices import PriceVersion
from protocols.savings import Alternative, FindSavings, Saving, Savings
from protocols.usage import Usage, normalise
from protocols.wanted import Wanted

SHORT_MAX = 128_000
"""No known price list calls a request long below this many input tokens."""
SEEING = {"input_image": "vision", "input_audio": "audio_input", "input_video": "video_input"}
Key = tuple[str, str, str, str]
"""Component, task type, provider, model."""


@dataclass(slots=True)
class Group:
    """Calls that are alike, added up. Long ones apart: they may have another rate."""

    calls: int = 0
    booked: int = 0
    short: Counter[str] = field(default_factory=Counter)
    long: Counter[str] = field(default_factory=Counter)
    largest_input: int = 0
    largest_output: int = 0
    needs: set[str] = field(default_factory=set)

    def add(self, usage: Usage, usd: int, calls: int) -> None:
        read = usage.input_tokens
        self.calls += calls
        self.booked += usd
        (self.short if read <= SHORT_MAX else self.long).update(usage.counts)
        self.largest_input = max(self.largest_input, read)
        self.largest_output = max(self.largest_output, usage.tokens - read)
        self.needs.update(need for kind, need in SEEING.items() if usage.counts.get(kind))

    def at(self, version: PriceVersion) -> int:
        """Nano-dollars at this price; where only the sum of long calls is known, rather too much.

        Raises `Unpriced` where the version has no rate for something that was used.
        """
        tier = version.long_context
        plain = version
        if tier is not None and tier.threshold >= SHORT_MAX:
            plain = replace(version, long_context=None)
        total = cost(Usage(dict(self.short)), plain).exact_usd
        return round_up(total + cost(Usage(dict(self.long)), version).exact_usd)


class Tally:
    """Fed every entry of the span; then `shown` compares."""

    def __init__(self, ask: FindSavings, span: Window) -> None:
        self.wanted = ask
        self.span = span
        self.groups: dict[Key, Group] = {}
        self.booked = 0

    def begin(self, _: Iterable[StoredBooking]) -> int:
        return self.span.starts_ms

    def add(self, entry: StoredBooking) -> None:
        kind, body = entry.kind, entry.body
        if kind not in BOOKINGS and kind != "held":
            return
        if self.wanted.component not in (None, entry.component):
            return
        if self.wanted.task_type not in (None, body["task_type"]):
            return
        key = (entry.component, body["task_type"], body["provider"], body["model"])
        if kind == "held":
            if needs := body.get("needs"):
                self.groups.setdefault(key, Group()).needs.update(needs)
            return
        self.booked += body["usd"]
        usage = normalise(body["usage"])
        if body["usd"] and usage.counts and usage.mode == "standard" and usage.region is None:
            self.groups.setdefault(key, Group()).add(usage, body["usd"], body["calls"])

    def shown(self, router: Router, world: World) -> Savings:
        found = [one for one in self._all(router, world) if one[1].alternatives]
        found.sort(key=lambda one: (-one[0], one[1].component, one[1].task_type, one[1].model))
        return Savings(
            since=rfc3339(self.span.starts_ms),
            until=rfc3339(self.span.ends_ms),
            booked_usd=show_usd(self.booked),
            looked_at_usd=show_usd(sum(group.booked for group in self.groups.values())),
            saving_usd=show_usd(sum(saving for saving, _ in found)),
            items=[one for _, one in found[: self.wanted.limit]],
        )

    def _all(self, router: Router, world: World) -> Iterator[tuple[int, Saving]]:
        for key, group in self.groups.items():
            if group.booked:
                yield self._one(key, group, router, world)

    def _one(self, key: Key, group: Group, router: Router, world: World) -> tuple[int, Saving]:
        component, task_type, provider, model = key
        needs = sorted(group.needs | set(self.wanted.needs))
        job = Wanted.model_validate({
            "component": component, "task_type": task_type, "provider": provider, "model": model,
            "input_tokens": group.largest_input, "max_output_tokens": group.largest_output,
            "needs": needs,
        })  # fmt: skip
        plan = router.plan(Errand(job, provider, model), world)
        cheaper = list(priced(plan.options, group))
        picked = pick(cheaper, provider)
        item = Saving(
            component, task_type, provider, model, group.calls, show_usd(group.booked),
            group.largest_input, group.largest_output, needs,
            [
                Alternative(*one.offer.kind[:2], show_usd(usd), show_usd(group.booked - usd))
                for usd, one in picked
            ],
        )  # fmt: skip
        return (group.booked - picked[-1][0] if picked else 0), item


def priced(options: Iterable[Option], group: Group) -> Iterator[tuple[int, Option]]:
    """Those that can do it for less than was booked, in the order they would be tried.

    Not the free local ones: that they cost nothing says nothing.
    """
    for one in options:
        if one.asked or one.offer.local:
            continue
        try:
            usd = group.at(one.offer.version)
        except BudgetError:
            continue
        if usd < group.booked:
            yield usd, one


def pick(cheaper: list[tuple[int, Option]], provider: str) -> list[tuple[int, Option]]:
    """The nearest of the same provider, the nearest of another, and the cheapest of all."""
    kin = [pair for pair in cheaper if pair[1].offer.kind[0] == provider]
    others = [pair for pair in cheaper if pair[1].offer.kind[0] != provider]
    least = sorted(cheaper, key=lambda pair: pair[0])
    chosen = [*kin[:1], *others[:1], *least[:1]]
    kept = {id(one): (usd, one) for usd, one in chosen}
    return sorted(kept.values(), key=lambda pair: -pair[0])
