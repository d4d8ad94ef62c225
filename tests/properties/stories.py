"""What may happen: the calls, policies, pauses and clock steps that stories are made of.

Few values, close to each other, so that limits are met exactly and windows change often. Times are
quarters of a second, which floats know exactly.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from protocols.policy.messages import SetPolicy
from tests.properties import sums
from tests.properties.book import PROVIDERS
from tests.properties.model import AXES, Facts, Rule, Three
from tests.properties.sums import DAY, HOUR, MINUTE, NANO, SECOND


@dataclass(frozen=True)
class Call:
    """A call about to be made, with its estimate or a given sum."""

    facts: Facts
    input: int
    output: int
    usd: int | None
    ttl_s: int

    @property
    def estimate(self) -> dict[str, int]:
        counts = {"input": self.input, "output": self.output}
        return {kind: count for kind, count in counts.items() if count}

    @property
    def amounts(self) -> Three:
        nanos = sums.nanos_up(self.facts.model, self.estimate) if self.usd is None else self.usd
        return nanos, self.input + self.output, 1

    @property
    def priced(self) -> bool:
        return self.facts.model != "mystery" or self.usd is not None

    @property
    def fields(self) -> dict[str, Any]:
        """Of a reserve or a check."""
        facts = self.facts
        return {
            "component": facts.component, "provider": PROVIDERS[facts.model],
            "model": facts.model, "context_id": facts.context, "priority": facts.priority,
            "input_tokens": self.input, "max_output_tokens": self.output, "ttl_s": self.ttl_s,
            "usd": None if self.usd is None else sums.usd(self.usd),
        }  # fmt: skip


def request(policy: Rule) -> SetPolicy:
    """The request that sets a rule of the model's."""
    berlin = policy.period == "berlin"
    given = (sums.told(axis, n) if n is not None else None for axis, n in enumerate(policy.limits))
    override = None
    if policy.override is not None:
        priority, more = policy.override
        extra = {axis: sums.told(n, more[n]) for n, axis in enumerate(AXES)}
        override = {"priority": priority, **extra}
    return SetPolicy.model_validate(
        {
            "name": policy.name,
            "match": {"component": policy.component, "model": policy.model},
            "each": "component" if policy.each else None,
            "limit": dict(zip(AXES, given, strict=True)),
            "period": "daily" if berlin else policy.period,
            "zone": "Europe/Berlin" if berlin else "UTC",
            "enforce": policy.enforce,
            "override": override,
            "unpriced": policy.unpriced,
        }
    )


components = st.sampled_from(["a", "b"])
models = st.sampled_from(["small", "small", "large", "large", "tiny", "mystery"])
tokens = st.sampled_from([0, 1, 3, 100, 333, 1000])
cents = st.sampled_from([0, 1, NANO // 1000, NANO // 100, NANO // 10])

facts = st.builds(
    Facts,
    component=components,
    model=models,
    context=st.sampled_from([None, "s", "t"]),
    priority=st.sampled_from([5, 8, 10]),
)
calls = st.builds(
    Call,
    facts=facts,
    input=tokens,
    output=tokens,
    usd=st.none() | cents,
    ttl_s=st.sampled_from([1, 60, 300, 7200, 86_400]),
)
amounts = st.tuples(cents, st.sampled_from([0, 100, 1000, 5000]), st.sampled_from([0, 1, 5]))
counts = st.integers(1, 1500)
usages = st.none() | st.dictionaries(
    st.sampled_from(["input", "cache_read", "output"]), counts, max_size=3
)
"""None: exactly as estimated. Nothing: the caller does not know."""

limits = st.tuples(
    st.none() | cents,
    st.none() | st.sampled_from([0, 500, 1333, 2000, 10_000]),
    st.none() | st.sampled_from([0, 1, 3, 10]),
).filter(lambda three: three != (None, None, None))


@st.composite
def _rules(draw: st.DrawFn) -> Rule:
    enforce = draw(st.sampled_from(["hard", "hard", "hard", "hard", "soft", "warn", "ignore"]))
    may_pass = enforce == "hard" and draw(st.booleans())
    override = (draw(st.sampled_from([8, 10])), (NANO // 100, 500, 1)) if may_pass else None
    return Rule(
        name=draw(st.sampled_from("pqrs")),
        component=draw(st.sampled_from([None, None, "a"])),
        model=draw(st.sampled_from([None, None, None, "large"])),
        each=draw(st.booleans()),
        period=draw(
            st.sampled_from(["total", "daily", "berlin", "hourly", "rolling:1h", "per_session"])
        ),
        limits=draw(limits),
        enforce=enforce,
        override=override,
        unpriced=draw(st.sampled_from(["refuse", "envelope"])),
    )


rules = _rules()

starts = st.sampled_from(
    [
        sums.clocks_change(2026, 3) - 150 * MINUTE,  # 22:30 UTC: Berlin's day of 23 hours is near
        sums.clocks_change(2026, 10) - 3 * HOUR - SECOND // 4,  # and its day of 25 hours
        1_767_225_540_000,  # 23:59 UTC on New Year's Eve
    ]
)
pauses = st.sampled_from(
    [0, SECOND // 4, SECOND, 59 * SECOND, MINUTE, 5 * MINUTE, HOUR - SECOND, HOUR, 2 * HOUR, DAY]
)
steps = st.sampled_from(
    [-30 * DAY, -DAY, -HOUR, -MINUTE, -SECOND, SECOND, MINUTE, HOUR, 25 * HOUR, 400 * DAY]
)
