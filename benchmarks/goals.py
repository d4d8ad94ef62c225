"""What is to be reached, and what was: one line for each goal."""

from collections.abc import Mapping
from math import isnan
from statistics import median
from typing import NamedTuple

from benchmarks.houses import EMPTY, OLD, STRANGERS
from benchmarks.measure import CROWD, Row, Sample, Samples

Found = Mapping[str, float]
"""What was measured on one event loop, by the names below."""
NOT_MEASURED = "not measured"


class Goal(NamedTuple):
    """`most` is the highest figure that reaches it; with `least`, the lowest."""

    name: str
    words: str
    most: float
    unit: str = ""
    least: bool = False

    def reached(self, figure: float) -> bool:
        return figure >= self.most if self.least else figure <= self.most

    def told(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.most:g}{self.unit}"


GOALS = (
    Goal("reserve", "CPU of a durable reserve, 64 callers ÷ bare answer", 1.6),
    Goal("settle", "CPU of a settle, 64 callers ÷ bare answer", 1.7),
    Goal("batch", "CPU of an operation in a batch of 100 ÷ bare answer", 0.25),
    Goal("stream", "CPU of an operation in an NDJSON stream ÷ bare answer", 0.2),
    Goal("p99_1", "p99 of a reserve, 1 caller", 5, " ms"),
    Goal("p99_64", "p99 of a reserve, 64 callers", 25, " ms"),
    Goal("p99_open", "p99 of a reserve, open loop at half of saturation", 10, " ms"),
    Goal("age", "p50 of a reserve with the long journal ÷ with an empty one", 1.2),
    Goal("old", f"p50 of a reserve with {OLD} ÷ with an empty journal", 1.2),
    Goal("policies", "p50 of a reserve, 1,000 policies of which 10 match ÷ 10", 1.2),
    Goal("ask_us", "CPU of an actor ask, 100 callers", 8, " µs"),
    Goal("hops_us", "CPU of three hops, the reply riding along", 15, " µs"),
    Goal("group_commit", "group commit ÷ one transaction each, 64 callers", 20, "", least=True),
    Goal("report_ms", "report: a month by component, model and day", 100, " ms"),
    Goal("start_s", "start from the longest journal, after imports", 1, " s"),
    Goal("memory_mb", "memory with 1,000 components", 200, " MB"),
    Goal("refused_ms", "p99 of a refusal (429), at three times saturation", 50, " ms"),
)


def from_samples(samples: Samples, long: str) -> dict[str, float]:
    """What the rounds tell of the goals."""
    found = {
        "reserve": cpu_ratio(samples, long, "reserve"),
        "settle": cpu_ratio(samples, long, "settle"),
        "batch": cpu_ratio(samples, f"{EMPTY}, batch of 100", "reserve"),
        "stream": cpu_ratio(samples, f"{EMPTY}, stream", "reserve"),
        "p99_1": median(s.p99 for s in samples[Row(1, long, "reserve", unix=False)]),
        "p99_64": median(s.p99 for s in reserves_of(samples, long)),
        "rate": median(s.rate for s in reserves_of(samples, long)),
        "age": p50_ratio(samples, long, EMPTY),
        "policies": p50_ratio(samples, STRANGERS, EMPTY),
    }
    if Row(CROWD, OLD, "reserve", unix=False) in samples:
        found["old"] = p50_ratio(samples, OLD, EMPTY)
    return found


def reserves_of(samples: Samples, target: str) -> list[Sample]:
    return samples[Row(CROWD, target, "reserve", unix=False)]


def cpu_ratio(samples: Samples, target: str, request: str) -> float:
    own = samples[Row(CROWD, target, request, unix=False)]
    bare = samples[Row(CROWD, "bare aiohttp", "", unix=False)]
    return median(one.cpu / two.cpu for one, two in zip(own, bare, strict=True))


def p50_ratio(samples: Samples, one: str, other: str) -> float:
    pairs = zip(reserves_of(samples, one), reserves_of(samples, other), strict=True)
    return median(a.p50 / b.p50 for a, b in pairs)


def goals_table(found: Mapping[str, Found]) -> str:
    """Each goal beside what was found on each loop."""
    loops = list(found)
    lines = [
        f"| measure | goal | {' | '.join(loops)} |",
        f"| --- | ---: | {' | '.join('---:' for _ in loops)} |",
    ]
    for goal in GOALS:
        cells = [_cell(goal, found[loop].get(goal.name)) for loop in loops]
        lines.append(f"| {goal.words} | {goal.told()} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(goal: Goal, figure: float | None) -> str:
    if figure is None or isnan(figure):
        return NOT_MEASURED
    text = f"{figure:,.0f}{goal.unit}" if figure >= 1000 else f"{figure:.3g}{goal.unit}"
    return f"**{text}**" if goal.reached(figure) else text
