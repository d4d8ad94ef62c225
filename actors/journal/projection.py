"""What an entry changes: the tables are these changes added up, and nothing else.

The journal applies them as it writes; `budget verify` adds them up again from the entries.
"""

from dataclasses import dataclass, field
from typing import Any

from protocols.journal import BOOKINGS, ENDS, Entry
from protocols.period import HOUR_MS

SUMS = (
    "calls", "usd", "tokens", "input", "cache_read", "cache_write", "output", "reasoning",
    "denied", "overruns", "late", "estimated",
)  # fmt: skip
"""What a roll-up adds up. `estimated` counts calls whose price was not exact."""

RollupKey = tuple[int, str, str, str, str]
"""Hour (ms), component, provider, model, task type."""

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
    late: bool = False


@dataclass(slots=True)
class Fact:
    """A row of a small table that an entry replaces: ledger, price, window, policy, budget, seed.

    No row means: it is gone.
    """

    table: str
    key: str | int
    row: tuple[Any, ...] | None


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
        elif kind == "denied":
            self._rollup(entry)[SUMS.index("denied")] += 1
        elif kind in ENDS:
            self.moved.append(HoldMoved(entry.subject, status=kind, left=(0, 0, 0)))
            self._move_parent(entry.body)
        elif kind == "extended":
            left, expires_ms = entry.body["left"], entry.body["expires_ms"]
            self.moved.append(HoldMoved(entry.subject, expires_ms=expires_ms, left=tuple(left)))
            self._move_parent(entry.body)
        else:
            self.facts.extend(facts_of(entry))

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
        sums = self._rollup(entry)
        for name, amount in booked_sums(kind, body).items():
            sums[SUMS.index(name)] += amount
        amounts = (body["usd"], body["tokens"], body["calls"])
        covered = body.get("covered", (False, False, False))
        self._use(body["windows"], amounts, covered, wanted=False)
        self._use(body.get("parent_windows", ()), amounts, covered, wanted=True)
        if kind != "recorded":
            ends = body["final"] or kind == "late"
            self.moved.append(
                HoldMoved(
                    entry.subject, status="settled" if ends else None, left=tuple(body["left"]),
                    spent_usd=body["usd"], spent_tokens=body["tokens"], late=kind == "late",
                )
            )  # fmt: skip
        self._move_parent(body, spent=body)

    def _use(
        self, windows: Any, amounts: tuple[int, int, int], covered: Any, *, wanted: bool
    ) -> None:
        for window in windows:
            used = self.windows.setdefault(window, [0, 0, 0])
            for axis in range(3):
                if covered[axis] is wanted:
                    used[axis] += amounts[axis]

    def _move_parent(self, body: dict[str, Any], spent: dict[str, Any] | None = None) -> None:
        held = body.get("parent_held")
        if held is None:
            return
        usd, tokens = (0, 0) if spent is None else (spent["usd"], spent["tokens"])
        self.moved.append(
            HoldMoved(body["parent"], left=tuple(held), spent_usd=usd, spent_tokens=tokens)
        )

    def _rollup(self, entry: Entry) -> list[int]:
        body = entry.body
        hour = entry.at_ms - entry.at_ms % HOUR_MS
        key = (hour, entry.component, body["provider"], body["model"], body["task_type"])
        return self.rollups.setdefault(key, [0] * len(SUMS))


def booked_sums(kind: str, body: dict[str, Any]) -> dict[str, int]:
    """What one booking adds to its roll-up."""
    usage = body["usage"]
    return {
        "calls": body["calls"],
        "usd": body["usd"],
        "tokens": body["tokens"],
        "input": usage.get("input", 0),
        "cache_read": usage.get("cache_read", 0),
        "cache_write": sum(usage.get(name, 0) for name in _CACHE_WRITES),
        "output": usage.get("output", 0),
        "reasoning": usage.get("reasoning", 0),
        "overruns": int(kind == "overrun" or body.get("overrun", False)),
        "late": int(kind == "late"),
        "estimated": int(body["estimated"]),
    }


def facts_of(entry: Entry) -> list[Fact]:
    """Rows of the small tables."""
    body, name = entry.body, entry.subject
    match entry.kind:
        case "window_opened":
            window = body["window"]
            row = (
                window, body["policy"], body["counting"], body["key"],
                body["starts_ms"], body["ends_ms"],
            )  # fmt: skip
            return [Fact("window", window, row)]
        case "ledger_opened":
            return [Fact("ledger", body["number"], (body["number"], entry.component))]
        case "priced":
            return [Fact("price", name, (name, body))]
        case "policy_set":
            kept = (name, body["after"], body["revision"], body["counting"], body["by"])
            return [Fact("policy", name, (*kept, body["at_ms"])), *seed(f"policy {name}", body)]
        case "policy_removed":
            return [Fact("policy", name, None)]
        case "budget_set":
            fact = Fact("budget", name, (name, body["after"]))
            return [fact, *seed(f"budget {name}", body)]
        case unknown:
            raise ValueError(f"entry {entry.seq} is of unknown kind {unknown!r}")


def seed(about: str, body: dict[str, Any]) -> list[Fact]:
    """Which text of `budget.toml` was applied last."""
    return [Fact("seed", about, (about, body["seed"]))] if "seed" in body else []
