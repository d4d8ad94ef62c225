"""What an entry changes: the tables are these changes added up, and nothing else.

The journal applies them as it writes; `budget verify` adds them up again from the entries.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from actors.journal.facet import RollupKey, facet_of
from actors.journal.facts import Fact, crossings_of, facts_of
from protocols.journal import BOOKINGS, ENDS, Entry
from protocols.period import QUARTER_MS
from protocols.policy.charge import ALLOCATION

SUMS = (
    "calls", "usd", "tokens", "input", "cache_read", "cache_write", "output", "reasoning",
    "denied", "overruns", "late", "estimated",
)  # fmt: skip
"""What a roll-up adds up. `estimated` counts calls whose price was not exact."""

AXIS_OF_SUMS = (2, 0, 1, 1, 1, 1, 1, 1, None, None, None, None)
"""The axis that each sum belongs to: what an allocation covers counts in the allocation's
policies. What is of no axis counts in the call's own."""

_CACHE_WRITES = ("cache_write_5m", "cache_write_1h", "cache_write_12h")


@dataclass(slots=True)
class HoldOpened:
    id: str
    component: str
    expires_ms: int
    usd: int
    tokens: int
    calls: int
    seq: int


@dataclass(slots=True)
class HoldMoved:
    """None leaves a field as it is; what was spent is added."""

    id: str
    status: str | None = None
    expires_ms: int | None = None
    left: tuple[int, int, int] | None = None
    spent_usd: int = 0
    spent_tokens: int = 0
    spent_calls: int = 0
    late: bool = False


@dataclass(slots=True)
class Changes:
    """Of one batch of entries, added up before they touch a table."""

    rollups: dict[RollupKey, list[int]] = field(default_factory=dict)
    windows: dict[int, list[int]] = field(default_factory=dict)
    opened: list[HoldOpened] = field(default_factory=list)
    moved: list[HoldMoved] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        kind = entry.kind
        if kind in BOOKINGS:
            self._book(entry)
        elif kind in ("held", "allocated"):
            self._open(entry)
        elif kind == "corrected":
            self._correct(entry)
        elif kind in ("imported", "import_undone"):
            self._import(entry)
        elif kind == "denied":
            self._rollup(entry, entry.at_ms, (), refusing(entry))[SUMS.index("denied")] += 1
        elif kind in ENDS:
            left = None if kind == "expired" else (0, 0, 0)
            self.moved.append(HoldMoved(entry.subject, status=kind, left=left))
            self._move_parent(entry.body)
        elif kind == "extended":
            left, expires_ms = entry.body["left"], entry.body["expires_ms"]
            self.moved.append(HoldMoved(entry.subject, expires_ms=expires_ms, left=tuple(left)))
            self._move_parent(entry.body)
        else:
            self.facts.extend(facts_of(entry))
        if "crossed" in entry.body:
            self.facts.extend(crossings_of(entry))

    def _open(self, entry: Entry) -> None:
        body = entry.body
        self.opened.append(
            HoldOpened(
                entry.subject, entry.component, body["expires_ms"],
                body["usd"], body["tokens"], body["calls"], entry.seq,
            )
        )  # fmt: skip
        self._move_parent(body)

    def _book(self, entry: Entry) -> None:
        body, kind = entry.body, entry.kind
        sums = booked_sums(kind, body)
        amounts = (body["usd"], body["tokens"], body["calls"])
        covered = body.get("covered")
        if covered is None:
            add(self._rollup(entry, entry.at_ms, body["windows"]), sums)
            self._use(body["windows"], *amounts)
        else:
            self._book_covered(entry, sums, covered)
        if kind != "recorded":
            ends = body["final"]
            self.moved.append(
                HoldMoved(
                    entry.subject, status="settled" if ends else None, left=tuple(body["left"]),
                    spent_usd=body["usd"], spent_tokens=body["tokens"], spent_calls=body["calls"],
                    late=kind == "late",
                )
            )  # fmt: skip
        self._move_parent(body, spent=body)
        if body.get("provisional"):
            row = (entry.seq, entry.component, body["provider"], body["model"])
            self.facts.append(Fact("provisional", entry.seq, row))

    def _book_covered(self, entry: Entry, sums: tuple[int, ...], covered: list[bool]) -> None:
        """Each axis counts in the call's own windows, or in those of its allocation."""
        for key, inside in (("windows", False), ("parent_windows", True)):
            windows = entry.body[key]
            part = [
                amount if (axis is not None and covered[axis]) == inside else 0
                for amount, axis in zip(sums, AXIS_OF_SUMS, strict=True)
            ]
            add(self._rollup(entry, entry.at_ms, windows), part)
            calls, usd, tokens = part[:3]
            self._use(windows, usd, tokens, calls)

    def _correct(self, entry: Entry) -> None:
        """A booking at a provisional price gets its real one, in the time and windows it is in."""
        body, usd = entry.body, entry.body["usd"]
        sums = self._rollup(entry, body["booked_ms"], body["windows"])
        sums[SUMS.index("usd")] += usd
        sums[SUMS.index("estimated")] -= int(not body["estimated"])
        self._use(body["windows"], usd, 0, 0)
        self.moved.extend(HoldMoved(hold, spent_usd=usd) for hold in body["holds"])
        self.facts.append(Fact("provisional", body["of"], None))

    def _import(self, entry: Entry) -> None:
        """Usage of the past, or its taking out again: in its own time and in no window."""
        body = entry.body
        add(self._rollup(entry, body["at_ms"], ()), booked_sums(entry.kind, body))
        row: tuple[Any, ...] | None = None
        if entry.kind == "imported":
            figures = (body["at_ms"], body["usd"], body["tokens"])
            row = (body["key"], entry.subject, entry.seq, *figures)
        self.facts.append(Fact("imported", body["key"], row))

    def _use(self, windows: Iterable[int], usd: int, tokens: int, calls: int) -> None:
        for window in windows:
            used = self.windows.setdefault(window, [0, 0, 0])
            used[0] += usd
            used[1] += tokens
            used[2] += calls

    def _move_parent(self, body: dict[str, Any], spent: dict[str, Any] | None = None) -> None:
        held = body.get("parent_held")
        if held is None:
            return
        usd, tokens, calls = (
            (0, 0, 0) if spent is None else (spent["usd"], spent["tokens"], spent["calls"])
        )
        self.moved.append(HoldMoved(body["parent"], None, None, tuple(held), usd, tokens, calls))

    def _rollup(
        self, entry: Entry, at_ms: int, windows: Sequence[int], refused_by: str = ""
    ) -> list[int]:
        key = (at_ms - at_ms % QUARTER_MS, facet_of(entry, windows, refused_by))
        return self.rollups.setdefault(key, [0] * len(SUMS))


def refusing(entry: Entry) -> str:
    """The policy that said no; an allocation that had too little is none."""
    name = entry.body["policy"] or ""
    return "" if name.startswith(ALLOCATION) else name


def add(sums: list[int], more: Sequence[int]) -> None:
    for place, amount in enumerate(more):
        sums[place] += amount


def booked_sums(kind: str, body: dict[str, Any]) -> tuple[int, ...]:
    """What one booking adds to its roll-up, in the order of SUMS."""
    usage = body["usage"]
    get = usage.get
    return (
        body["calls"], body["usd"], body["tokens"],
        get("input", 0), get("cache_read", 0), sum([get(name, 0) for name in _CACHE_WRITES]),
        get("output", 0), get("reasoning", 0),
        0, int(kind == "overrun" or body.get("overrun", False)), int(kind == "late"),
        int(body["estimated"]),
    )  # fmt: skip
