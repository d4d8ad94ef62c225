"""A policy made ready to decide with: compiled match, integer limits, its open counters."""

from collections.abc import Iterator

from actors.policy.counter import Counter, Meter, Rolling
from actors.policy.match import OF_MODEL, Matcher
from protocols.money import show_usd
from protocols.period import SCOPES, Window, rolling_ms, window_at
from protocols.policy.charge import AXES, Amounts, Subject
from protocols.policy.policy import SOFT_PRIORITY, Policy

UNLIMITED = 1 << 62
UNOPENED_MAX = 64


class Rule:
    """One policy. `counting` numbers the meaning of its counters: it changes with what it matches,
    whom it counts apart, its period or its zone, and not with its limits.
    """

    def __init__(self, policy: Policy, revision: int, counting: int, by: str, at_ms: int) -> None:
        self.policy = policy
        self.name = policy.name
        self.revision = revision
        self.counting = counting
        self.by = by
        self.at_ms = at_ms
        self.limits = Amounts(*(_or_unlimited(getattr(policy.limit, axis)) for axis in AXES))
        self.limit_usd = show_usd(self.limits.usd)
        self.axes = tuple(i for i in range(3) if self.limits[i] < UNLIMITED)
        self.written = tuple((i, self.limits[i], self._head(i)) for i in self.axes)
        """Of each limit: axis, limit, and how its standing begins in JSON."""
        self.warn_at = tuple(sorted(policy.warn_at))
        self.floors = tuple(self._floor(limit) for limit in self.limits)
        self.marks = tuple(self._marks(limit) for limit in self.limits)
        self.enforces = policy.enforce in ("soft", "hard")
        self.refuses_unpriced = (
            self.enforces and policy.limit.usd is not None and policy.unpriced == "refuse"
        )
        self.scoped = policy.period in SCOPES and policy.period != "total"
        self.length_ms = rolling_ms(policy.period)
        self.tagged = bool(policy.match.tags)
        self.matches = Matcher(policy.match)
        self.each_model = policy.each in OF_MODEL
        self.meters: dict[str, Meter] = {}
        self.unopened: dict[str, Counter] = {}
        """Counters of now that nothing was charged to yet, so that they need not be made again."""

    def _floor(self, limit: int) -> int:
        """The level below which there is nothing to say on this axis."""
        if self.policy.enforce == "ignore" or limit == UNLIMITED:
            return UNLIMITED
        lowest = min((threshold_level(limit, at) for at in self.warn_at), default=limit)
        return min(lowest, limit)

    def _marks(self, limit: int) -> tuple[tuple[int, float], ...]:
        """The levels that are told when they are reached, the lowest first: (level, share)."""
        return tuple((threshold_level(limit, at), at) for at in sorted({*self.warn_at, 1.0}))

    def _head(self, axis: int) -> str:
        limit = f'"{self.limit_usd}"' if axis == 0 else self.limits[axis]
        return f'{{"policy":"{self.name}","axis":"{AXES[axis]}","limit":{limit},"used":'

    def key_of(self, subject: Subject) -> str | None:
        """Which counter the call falls into; None for a call that is a session of its own."""
        each = self.policy.each
        part = "" if each is None else _part(each, subject)
        if not self.scoped:
            return part
        if subject.context_id is None:
            return None
        scope = subject.context_id
        if self.policy.period == "per_task":
            scope = f"{scope} {subject.task_type}"
        return f"{part} {scope}" if each is not None else scope

    def cap(self, axis: int, priority: int) -> int:
        """How far this priority may go on this axis."""
        limit = self.limits[axis]
        if not self.enforces or (self.policy.enforce == "soft" and priority >= SOFT_PRIORITY):
            return UNLIMITED
        override = self.policy.override
        if override is not None and priority >= override.priority:
            extra: int = getattr(override, AXES[axis])
            return limit + extra
        return limit

    def threshold(self, axis: int, level: int) -> float | None:
        """The highest threshold that the level has reached."""
        reached = [at for at in self.warn_at if level >= threshold_level(self.limits[axis], at)]
        return reached[-1] if reached else None

    def attach(self, counter: Counter) -> None:
        """Make a counter the one that new charges of its key go to."""
        self.unopened.pop(counter.key, None)
        if self.length_ms is None:
            self.meters[counter.key] = counter
            return
        rolling = self.meters.get(counter.key)
        if not isinstance(rolling, Rolling):
            rolling = self.meters[counter.key] = Rolling(counter.key, self.length_ms)
        rolling.add(counter)

    def detach(self, counter: Counter, now_ms: int) -> None:
        """Its window has closed: let go of the meter that counted nothing since."""
        meter = self.meters.get(counter.key)
        if isinstance(meter, Rolling):
            meter.advance(now_ms)
        if meter is counter or (isinstance(meter, Rolling) and not meter.buckets):
            del self.meters[counter.key]

    def current(self, key: str, now_ms: int) -> Counter | None:
        """The open counter of this key, if its window still contains the instant."""
        meter = self.meters.get(key)
        if isinstance(meter, Rolling):
            meter.advance(now_ms)
            newest = meter.buckets[-1] if meter.buckets else None
            if newest is None or now_ms >= newest.window.ends_ms - meter.length_ms:
                return None
            return newest
        if meter is None or now_ms >= meter.window.ends_ms:
            return None
        return meter

    def next(self, key: str | None, now_ms: int) -> Counter:
        """The counter that a call would open. A storm of refusals opens none: it is made once.

        A session's begins with the call, so it is made for each.
        """
        known = None if key is None or self.scoped else self.unopened.get(key)
        if known is not None and not known.id and self._is_of(known.window, now_ms):
            return known
        window = window_at(self.policy.period, self.policy.zone, now_ms)
        counter = Counter(0, self.name, self.counting, key or "", window)
        if key is not None and not self.scoped:
            if len(self.unopened) >= UNOPENED_MAX:
                self.unopened.clear()
            self.unopened[key] = counter
        return counter

    def _is_of(self, window: Window, now_ms: int) -> bool:
        """Whether that window, or bucket, is charged at this moment."""
        return window.starts_ms <= now_ms < window.ends_ms - (self.length_ms or 0)

    def open_meters(self, now_ms: int) -> Iterator[Meter]:
        """What counts now; closed windows are forgotten on the way."""
        for key, meter in list(self.meters.items()):
            if isinstance(meter, Rolling):
                meter.advance(now_ms)
            ended = (
                not meter.buckets
                if isinstance(meter, Rolling)
                else (now_ms >= meter.window.ends_ms)
            )
            if ended:
                del self.meters[key]
            else:
                yield meter


def same_counting(one: Policy, other: Policy) -> bool:
    return (one.match, one.each, one.period, one.zone) == (
        other.match, other.each, other.period, other.zone
    )  # fmt: skip


def threshold_level(limit: int, at: float) -> int:
    """The level at which a threshold is reached: whole numbers, in millionths of the limit."""
    return -(-limit * millionths(at) // 1_000_000)


def millionths(share: float) -> int:
    return round(share * 1_000_000)


def _or_unlimited(limit: int | None) -> int:
    return UNLIMITED if limit is None else limit


def _part(each: str, subject: Subject) -> str:
    if each.startswith("tag."):
        return dict(subject.tags).get(each[4:], "")
    value: str | None = getattr(subject, each)
    return value or ""
