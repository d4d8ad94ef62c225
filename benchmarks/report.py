"""From samples to a Markdown table."""

import json
from collections.abc import Iterable, Mapping
from math import isnan
from pathlib import Path
from statistics import median

from benchmarks.extras import Begun
from benchmarks.goals import GOALS, Found
from benchmarks.measure import Row, Sample, Samples

HEAD = (
    "| callers | server | request | requests/s | p50 ms | p95 ms | p99 ms | CPU µs "
    "| CPU ÷ bare | rate ÷ bare |\n"
    "| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def table(samples: Samples) -> str:
    """Medians over the rounds; a ratio is the median of the ratios within each round."""
    rows = sorted(samples, key=place)
    return "\n".join((HEAD, *(line(row, samples[row], beside(row, samples)) for row in rows)))


def begun_table(began: list[Begun]) -> str:
    lines = ["| start on | ready after | of it journal and actors | memory |"]
    lines += ["| --- | ---: | ---: | ---: |"]
    lines += [
        f"| {one.journal} | {one.ready_s:.2f} s | {one.start_s:.2f} s | {one.memory_mb:.0f} MB |"
        for one in began
    ]
    return "\n".join(lines)


def place(row: Row) -> tuple[object, ...]:
    """What came by the unix socket goes below, the bare endpoint above what is compared with it."""
    return row.callers, row.unix, row.request != "", row.target, row.request


def beside(row: Row, samples: Samples) -> list[Sample]:
    """The bare endpoint's samples of the same rounds, callers and transport."""
    return samples[next(
        other for other in samples
        if not other.request and (other.callers, other.unix) == (row.callers, row.unix)
    )]  # fmt: skip


def line(row: Row, own: list[Sample], bare: list[Sample]) -> str:
    pairs = list(zip(own, bare, strict=True))
    told = (
        str(row.callers),
        row.target,
        row.request or "-",
        _median("{:,.0f}", (s.rate for s in own)),
        _median("{:.2f}", (s.p50 for s in own)),
        _median("{:.2f}", (s.p95 for s in own)),
        _median("{:.2f}", (s.p99 for s in own)),
        _median("{:.0f}", (s.cpu for s in own)),
        _median("{:.2f}", (s.cpu / b.cpu for s, b in pairs)),
        _median("{:.2f}", (s.rate / b.rate for s, b in pairs)),
    )
    return f"| {' | '.join(told)} |"


def _median(form: str, figures: Iterable[float]) -> str:
    figure = median(figures)
    return "-" if isnan(figure) else form.format(figure)


def as_json(
    told: str,
    found: Mapping[str, Found],
    samples: Mapping[str, Samples],
    extras: Mapping[str, Mapping[str, object]],
) -> str:
    """All of it, for programs: the run, each goal's figure, every sample of every round."""
    rows = [
        {"loop": loop, **row._asdict(), "rounds": [sample._asdict() for sample in own]}
        for loop, rows in samples.items()
        for row, own in rows.items()
    ]
    goals = [
        goal._asdict() | {loop: found[loop].get(goal.name) for loop in found} for goal in GOALS
    ]
    text = {"run": told.splitlines(), "goals": goals, "rows": rows, "extras": extras}
    return json.dumps(text, indent=1)


def put_into(path: Path, text: str, mark: str = "run") -> None:
    """Replace what stands between the markers."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    page = path.read_text(encoding="utf-8")
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
