"""The pace of a budget: where its plain rate leads by the end of the window. No forecast."""

from actors.policy import decide
from actors.policy.counter import Meter, Rolling
from actors.policy.rule import Rule
from protocols.period import FOREVER_MS, rfc3339
from protocols.reports import Pace

PASSED_MIN = 0.01
"""Earlier in its window a rate is noise."""
SHARE_DIGITS = 4


def pace(rule: Rule, meter: Meter, axis: int, now_ms: int) -> Pace:
    at = decide.standing(rule, meter, axis)
    limit, used = rule.limits[axis], meter.used[axis]
    passed = passed_ms(rule, meter, now_ms)
    length_ms = meter.window.ends_ms - meter.window.starts_ms
    share = None if passed is None else round(passed / length_ms, SHARE_DIGITS)
    steady = passed is not None and share is not None and share >= PASSED_MIN
    at_end = used * length_ms // passed if steady and passed else None
    runs_out_ms = None
    if at_end is not None and passed and at_end > limit:
        runs_out_ms = max(now_ms, meter.window.starts_ms + limit * passed // used)
    return Pace(
        policy=at.policy,
        budget=rule.policy.budget,
        key=meter.key or None,
        axis=at.axis,
        limit=at.limit,
        used=at.used,
        held=at.held,
        left=at.left,
        window_starts=at.window.starts,
        window_ends=at.window.ends,
        used_share=round(used / limit, SHARE_DIGITS) if limit else None,
        passed_share=share,
        at_end=None if at_end is None else decide.figure(axis, at_end),
        runs_out_at=None if runs_out_ms is None else rfc3339(runs_out_ms),
    )


def passed_ms(rule: Rule, meter: Meter, now_ms: int) -> int | None:
    """How much of the window has passed; None where a window does not pass in this sense."""
    window = meter.window
    if isinstance(meter, Rolling) or rule.scoped or window.ends_ms >= FOREVER_MS:
        return None
    return max(0, now_ms - window.starts_ms)
