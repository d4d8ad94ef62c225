"""The decision: plain functions on integers. Check every limit, then add to every counter."""

from collections.abc import Iterable
from dataclasses import dataclass

from actors.policy.counter import Meter
from actors.policy.rule import UNLIMITED, Rule
from protocols.debug import log_function
from protocols.errors import Denied
from protocols.money import show_usd
from protocols.period import rfc3339
from protocols.policy.charge import AXES, Amounts, Considered, Standing, Subject, Warned
from protocols.policy.standing import Standings

Seat = tuple[Rule, Meter]
"""A matching rule and the meter this call would fall into."""


@dataclass(slots=True)
class Refusal:
    """The limit that says no."""

    rule: Rule
    meter: Meter
    axis: int


@dataclass(slots=True)
class Verdict:
    """`past`: admitted beyond a limit that this priority may pass. `downgrade`: every limit that
    says no would rather have a cheaper model.
    """

    refusal: Refusal | None
    warnings: list[Warned]
    near: bool
    """Whether any level is high enough for a threshold to be reached."""
    past: bool = False
    downgrade: bool = False


@log_function()
def judge(seats: Iterable[Seat], amounts: Amounts, priority: int) -> Verdict:
    """May these amounts be held on every seat? Changes nothing.

    An axis on which nothing is asked is never refused: a free model stays usable when the
    money is spent.
    """
    warnings: list[Warned] = []
    refusal: Refusal | None = None
    near, past, downgrade = False, False, True
    for rule, meter in seats:
        for axis in rule.axes:
            amount = amounts[axis]
            level = meter.used[axis] + meter.held[axis] + amount
            if level < rule.floors[axis]:
                continue
            near = True
            past = past or bool(amount and rule.enforces and level > rule.limits[axis])
            if amount and level > rule.cap(axis, priority):
                refusal = _harder(refusal, Refusal(rule, meter, axis))
                downgrade = downgrade and rule.policy.on_limit == "downgrade"
            elif (threshold := rule.threshold(axis, level)) is not None:
                warnings.append(_warned(rule, axis, level, threshold))
            elif level > rule.limits[axis]:
                warnings.append(_warned(rule, axis, level, 1.0))
    return Verdict(refusal, warnings, near, past, refusal is not None and downgrade)


def _harder(one: Refusal | None, other: Refusal) -> Refusal:
    """Of two refusals the one that lasts longer: waiting for the other would not help."""
    if one is None or other.meter.window.ends_ms > one.meter.window.ends_ms:
        return other
    return one


def _warned(rule: Rule, axis: int, level: int, threshold: float) -> Warned:
    limit = rule.limits[axis]
    over = " (past its limit)" if level > limit else ""
    detail = f"{rule.name} stands at {amount(axis, level)} of {amount(axis, limit)}{over}"
    return Warned(rule.name, AXES[axis], threshold, detail)


def room(seats: Iterable[Seat], priority: int) -> Amounts:
    """What could still be held on each axis; UNLIMITED where nothing limits it."""
    left = [UNLIMITED, UNLIMITED, UNLIMITED]
    for rule, meter in seats:
        for axis in rule.axes:
            cap = rule.cap(axis, priority)
            if cap < UNLIMITED:
                left[axis] = min(left[axis], max(0, cap - meter.used[axis] - meter.held[axis]))
    return Amounts(*left)


def standings(seats: Iterable[Seat]) -> list[Standing]:
    """Where every limit stands, as people read it."""
    return [standing(rule, meter, axis) for rule, meter in seats for axis in rule.axes]


def standing(rule: Rule, meter: Meter, axis: int) -> Standing:
    limit, used, held = rule.limits[axis], meter.used[axis], meter.held[axis]
    left = limit - used - held
    if axis == 0:
        return Standing(
            rule.name, "usd", rule.limit_usd, show_usd(used), show_usd(held), show_usd(left),
            meter.shown,
        )  # fmt: skip
    return Standing(rule.name, AXES[axis], limit, used, held, left, meter.shown)


def written(seats: Iterable[Seat]) -> Standings:
    """The same as `standings`, in JSON at once: each answer to reserve has all of them."""
    parts = []
    for rule, meter in seats:
        used_of, held_of, window = meter.used, meter.held, meter.written
        for axis, limit, head in rule.written:
            used, held = used_of[axis], held_of[axis]
            left = limit - used - held
            if axis:
                parts.append(f'{head}{used},"held":{held},"left":{left},"window":{window}}}')
            else:
                parts.append(
                    f'{head}"{show_usd(used)}","held":"{show_usd(held)}",'
                    f'"left":"{show_usd(left)}","window":{window}}}'
                )
    return Standings(f"[{','.join(parts)}]")


def figure(axis: int, value: int) -> str | int:
    return show_usd(value) if axis == 0 else value


def amount(axis: int, value: int) -> str:
    """With its unit, for sentences: 0.15 USD, 1200 tokens."""
    return f"{brief(value)} USD" if axis == 0 else f"{value} {AXES[axis]}"


def brief(value: int) -> str:
    """Dollars with every digit that counts, and at least cents."""
    whole, _, fraction = show_usd(value).partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def denied(refusal: Refusal, amounts: Amounts, subject: Subject, **remedies: object) -> Denied:
    """The refusal with every number it rests on."""
    rule, meter, axis = refusal.rule, refusal.meter, refusal.axis
    limit, used, held = rule.limits[axis], meter.used[axis], meter.held[axis]
    return Denied(
        sentence(refusal, amounts, subject.component),
        hint="ask for less, choose a cheaper model, wait for the next window, or raise the limit",
        policy=rule.name,
        budget=rule.policy.budget,
        key=meter.key or None,
        axis=AXES[axis],
        asked=figure(axis, amounts[axis]),
        limit=figure(axis, limit),
        used=figure(axis, used),
        held=figure(axis, held),
        left=figure(axis, limit - used - held),
        resets_at=_until(meter),
        **remedies,
    )


def sentence(
    refusal: Refusal, amounts: Amounts, component: str, standing: str | None = None
) -> str:
    """The refusal as people read it."""
    axis = refusal.axis
    asked = f"cannot hold {amount(axis, amounts[axis])} for {component}: "
    return asked + (standing or standing_of(refusal))


def standing_of(refusal: Refusal) -> str:
    """What is left of the limit that refuses."""
    rule, meter, axis = refusal.rule, refusal.meter, refusal.axis
    limit = rule.limits[axis]
    left = limit - meter.used[axis] - meter.held[axis]
    until = _until(meter)
    return f"{rule.name} has {amount(axis, left)} left of {amount(axis, limit)}" + (
        f" until {until}" if until else ""
    )


def _until(meter: Meter) -> str | None:
    return rfc3339(meter.window.ends_ms) if meter.shown.ends else None


def consider(
    rules: Iterable[Rule], seats: Iterable[Seat], subject: Subject, amounts: Amounts, priority: int
) -> list[Considered]:
    """Every policy, whether it matches or not, and what it says about this very call."""
    seated = {rule.name: meter for rule, meter in seats}
    looked_at = []
    for rule in rules:
        meter = seated.get(rule.name)
        if meter is None:
            why_not, verdict, figures = rule.matches.why_not(subject), "does not match", []
        else:
            why_not, figures = None, standings([(rule, meter)])
            found = judge([(rule, meter)], amounts, priority)
            verdict = "denies" if found.refusal else "warns" if found.warnings else "admits"
        looked_at.append(
            Considered(rule.name, meter is not None, why_not, rule.policy.enforce, verdict, figures)
        )
    return looked_at
