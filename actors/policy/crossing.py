"""Thresholds a decision has just reached, each told once for each window and level."""

from collections.abc import Iterable
from typing import Any

from actors.policy.counter import Counter
from actors.policy.rule import Rule, millionths
from protocols.policy.charge import AXES, Crossed


def crossings(charged: Iterable[tuple[Rule, Counter]]) -> Crossed:
    """What to write down with the entry; marks the counters, so that it is said only now.

    Used plus held counts, as it does for the limit itself. A rolling window is asked as a whole
    and marked in its newest part: it may be told again once that part has left.
    """
    found: Crossed = []
    for rule, counter in charged:
        meter = counter.meter
        for axis in rule.axes:
            level = meter.used[axis] + meter.held[axis]
            if not level or level < rule.floors[axis] or not counter.id:
                continue
            for at, share in rule.marks[axis]:
                if level < at:
                    break
                mark = (axis, at, millionths(share))
                if not meter.has_crossed(mark):
                    counter.cross(mark)
                    found.append(_crossed(rule, counter, axis, at, share))
    return found


def _crossed(rule: Rule, counter: Counter, axis: int, at: int, share: float) -> dict[str, Any]:
    meter, policy = counter.meter, rule.policy
    return {
        "policy": rule.name, "budget": policy.budget, "key": counter.key, "window": counter.id,
        "starts_ms": counter.window.starts_ms, "ends_ms": counter.window.ends_ms,
        "axis": AXES[axis], "threshold": share, "at": at, "enforce": policy.enforce,
        "limit": rule.limits[axis], "used": meter.used[axis], "held": meter.held[axis],
    }  # fmt: skip
