"""What is to be reached, and what was: one line for each goal."""

from collections.abc import Mapping
from statistics import median
from typing import NamedTuple

from benchmarks.measure import Row, Sample, Samples

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
    Goal("policies", "p50 of a reserve, 1,000 policies of which 10 match ÷ 10", 1.2),
    Goal("ask_us", "CPU of an actor ask, 100 callers", 8, " µs"),
    Goal("hops_us", "CPU of three hops, the reply riding along", 15, " µs"),
    Goal("group_commit", "group commit ÷ one transaction each, 64 callers", 20, "", least=True),
    Goal("report_ms", "report: a month by component, model and day", 100, " ms"),
    Goal("start_s", "start from the long journal, after imports", 1, " s"),
    Goal("memory_mb", "memory with 1,000 components", 200, " MB"),
)


def from_samples(samples: Samples, long: str) -> dict[str, float]:
    """What the rounds tell of the goals."""
    empty = "empty journal"
    return {
        "reserve": cpu_ratio(samples, long, "reserve"),
        "settle": cpu_ratio(samples, long, "settle"),
        "batch": cpu_ratio(samples, "empty journal, batch of 100", "reserve"),
        "stream": cpu_ratio(samples, "empty journal, stream", "reserve"),
        "p99_1": median(s.p99 for s in samples[Row(1, long, "reserve", unix=False)]),
        "p99_64": median(s.p99 for s in samples[Row(64, long, "reserve", unix=False)]),
        "age": median(one.p50 / two.p50 for one, two in _pairs(samples, long, empty)),
        "rate": median(s.rate for s in samples[Row(64, long, "reserve", unix=False)]),
    }


def cpu_ratio(samples: Samples, target: str, request: str) -> float:
    own = samples[Row(64, target, request, unix=False)]
    bare = samples[Row(64, "bare aiohttp", "", unix=False)]
    return median(one.cpu / two.cpu for one, two in zip(own, bare, strict=True))


def _pairs(samples: Samples, one: str, other: str) -> list[tuple[Sample, Sample]]:
    rows = (samples[Row(64, name, "reserve", unix=False)] for name in (one, other))
    return list(zip(*rows, strict=True))


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
    if figure is None:
        return NOT_MEASURED
    text = f"{figure:,.0f}{goal.unit}" if figure >= 1000 else f"{figure:.3g}{goal.unit}"
    return f"**{text}**" if goal.reached(figure) else text
