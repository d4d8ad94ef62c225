"""From rows of roll-ups to a report: sums in whole numbers, rounded once, sorted, cut."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from actors.journal.projection import SUMS, add
from actors.reports.groups import Key, Place
from protocols.money import round_half_even, show_usd
from protocols.period import Window, rfc3339
from protocols.reports import Figures, ReportRow, ShowReport, SpendReport

TOKENS_PER_RATE = 1_000_000
CACHE_READ = SUMS.index("cache_read")
ORDERS = {"cost": "usd", "tokens": "tokens", "calls": "calls", "denied": "denied"}

SumRow = tuple[int, ...]
"""Piece, facet, and the sums of both in the order of SUMS."""


@dataclass(slots=True)
class Tally:
    """The sums of one group, and the exact dollars that caches saved it."""

    sums: list[int]
    saved_usd: Decimal = Decimal(0)

    @classmethod
    def none(cls) -> "Tally":
        return cls([0] * len(SUMS))

    def take(self, sums: Sequence[int], saving: Decimal) -> None:
        add(self.sums, sums)
        if saving:
            self.saved_usd += sums[CACHE_READ] * saving / TOKENS_PER_RATE

    def level(self, name: str) -> int:
        return self.sums[SUMS.index(name)]

    @property
    def figures(self) -> Figures:
        (
            calls, usd, tokens, plain, read, write, output, reasoning,
            denied, overruns, late, estimated,
        ) = self.sums  # fmt: skip
        return Figures(
            cost_usd=show_usd(usd),
            tokens=tokens,
            input_tokens=plain,
            cache_read_tokens=read,
            cache_write_tokens=write,
            output_tokens=output,
            reasoning_tokens=reasoning,
            calls=calls,
            denied=denied,
            overruns=overruns,
            late=late,
            estimated=estimated,
            cache_saved_usd=show_usd(round_half_even(self.saved_usd) if self.saved_usd else 0),
        )


Tallies = dict[tuple[int, Key], Tally]
"""By piece of time and group."""


def tally(rows: Iterable[SumRow], places: Mapping[int, Place]) -> tuple[Tallies, Tally]:
    """Each facet in all its groups; in the total once."""
    found: Tallies = {}
    total = Tally.none()
    for piece, facet, *sums in rows:
        place = places[facet]
        total.take(sums, place.saving)
        for key in place.keys:
            found.setdefault((piece, key), Tally.none()).take(sums, place.saving)
    return found, total


def report(
    ask: ShowReport,
    span: Window,
    windows: Sequence[Window],
    found: Tallies,
    total: Tally,
    before: tuple[Window, Tallies, Tally] | None,
) -> SpendReport:
    earlier: Mapping[tuple[int, Key], Tally] = {} if before is None else before[1]
    if ask.every is not None and not ask.group_by:  # a series has no gaps
        found = {(piece, ()): Tally.none() for piece in range(len(windows))} | found
    keys = list(found)
    if before is not None:
        keys += [key for key in earlier if key not in found]
    keys.sort(key=lambda key: rank(ask, key, found, earlier))
    kept = keys[: ask.limit]
    answer = SpendReport(
        since=rfc3339(span.starts_ms),
        until=rfc3339(span.ends_ms),
        zone=ask.zone,
        every=ask.every,
        group_by=list(ask.group_by),
        pieces=[] if ask.every is None else [rfc3339(window.starts_ms) for window in windows],
        total=total.figures,
        items=[row(ask, windows, key, found, earlier) for key in kept],
        left_out=len(keys) - len(kept),
        overlapping=overlaps(ask),
    )
    if before is not None:
        answer.before_since = rfc3339(before[0].starts_ms)
        answer.before_until = rfc3339(before[0].ends_ms)
        answer.total_before = before[2].figures
    return answer


def overlaps(ask: ShowReport) -> bool:
    """Whether a call may fall into several groups."""
    return bool({"policy", "budget"} & set(ask.group_by))


def rank(
    ask: ShowReport,
    key: tuple[int, Key],
    found: Mapping[tuple[int, Key], Tally],
    earlier: Mapping[tuple[int, Key], Tally],
) -> tuple[int, int, list[str]]:
    """Pieces of time in order; in each, the largest first, then by name."""
    now, then = found.get(key) or Tally.none(), earlier.get(key) or Tally.none()
    if ask.order == "change":
        size = abs(now.level("usd") - then.level("usd"))
    else:
        size = now.level(ORDERS[ask.order])
    return key[0], -size, [value or "" for value in key[1]]


def row(
    ask: ShowReport,
    windows: Sequence[Window],
    key: tuple[int, Key],
    found: Mapping[tuple[int, Key], Tally],
    earlier: Mapping[tuple[int, Key], Tally],
) -> ReportRow:
    piece, values = key
    now = found.get(key) or Tally.none()
    window = None if ask.every is None else windows[piece]
    made = ReportRow(
        starts=None if window is None else rfc3339(window.starts_ms),
        ends=None if window is None else rfc3339(window.ends_ms),
        group=dict(zip(ask.group_by, values, strict=True)),
        figures=now.figures,
    )
    if ask.compare and ask.every is None:
        then = earlier.get(key) or Tally.none()
        made.before = then.figures
        made.change_usd = show_usd(now.level("usd") - then.level("usd"))
    return made
