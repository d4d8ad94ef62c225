"""Metrics in the text that Prometheus reads (version 0.0.4).

No label can take any number of values: models, policies and sources are cut off at a bound, and
no metric is labelled with a component, a session, a tag or a token.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

PREFIX = "tekton_budget_"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Number = int | float | str
"""A string is a decimal written out: money never becomes a float here."""


@dataclass(slots=True)
class Family:
    """One metric with all its samples: (suffix, labels, value)."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    samples: list[tuple[str, Mapping[str, str], Number]] = field(default_factory=list)

    def add(self, value: Number, **labels: str) -> "Family":
        self.samples.append(("", labels, value))
        return self


def gauge(name: str, words: str) -> Family:
    return Family(name, "gauge", words)


def counter(name: str, words: str) -> Family:
    return Family(name, "counter", words)


def histogram(
    name: str, words: str, bounds: Sequence[float], counts: Sequence[int], total: float
) -> Family:
    """`counts` has one more place than `bounds`, for what is beyond them."""
    family = Family(name, "histogram", words)
    seen = 0
    for bound, count in zip([*map(str, bounds), "+Inf"], counts, strict=True):
        seen += count
        family.samples.append(("_bucket", {"le": bound}, seen))
    family.samples += [("_sum", {}, total), ("_count", {}, seen)]
    return family


def exposition(families: Iterable[Family]) -> bytes:
    """All of it; a metric without a sample is left out."""
    lines: list[str] = []
    for one in families:
        if one.samples:
            name = PREFIX + one.name
            lines += [f"# HELP {name} {one.help}", f"# TYPE {name} {one.kind}"]
            lines += [f"{name}{end}{_labels(labels)} {value}" for end, labels, value in one.samples]
    return "\n".join([*lines, ""]).encode()


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    told = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(told) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
