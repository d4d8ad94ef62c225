"""An independent judge: reads what the journal says, line by line, and knows what must hold.

It shares no code with the daemon. Dicts and sums only; prices from a table of its own.
"""

import hashlib
import json
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

AXES = ("usd", "tokens", "calls")
BOOKS = ("settled", "overrun", "late", "drawn", "recorded")
RATES = {
    "openai/small@1": {"input": "0.0375", "cache_read": "0.009375", "output": "0.15"},
    "openai/large@1": {"input": "3", "cache_read": "0.3", "output": "15"},
    "openai/small@2": {"input": "0.07", "cache_read": "0.02", "output": "0.3"},
    "openai/large@2": {"input": "7", "cache_read": "0.7", "output": "31"},
}
"""USD per million, by price version."""


class Violation(AssertionError):
    """An invariant does not hold."""


def must(holds: bool, invariant: str, *about: object) -> None:  # noqa: FBT001
    if not holds:
        raise Violation(f"{invariant}: {' '.join(map(str, about))}")


@dataclass
class Window:
    policy: str
    key: str
    starts_ms: int
    used: list[int] = field(default_factory=lambda: [0, 0, 0])
    held: list[int] = field(default_factory=lambda: [0, 0, 0])
    excess: list[int] = field(default_factory=lambda: [0, 0, 0])


@dataclass
class Hold:
    amounts: list[int]
    windows: list[int]
    price: str
    operation: str
    due_ms: int
    status: str = "held"


class Auditor:
    """`shifted`: the clock was set, so the entries' times say nothing of how long a hold lived."""

    def __init__(self) -> None:
        self.seq = 0
        self.hash = bytes(32)
        self.at_ms = 0
        self.caps: dict[str, list[float]] = {}
        self.windows: dict[int, Window] = {}
        self.places: set[tuple[object, ...]] = set()
        self.holds: dict[str, Hold] = {}
        self.effects: Counter[str] = Counter()
        self.kinds: dict[int, str] = {}
        self.shifted = False

    def read(self, db: sqlite3.Connection, now_ms: int) -> None:
        """Judge what was written since; `now_ms` is what the clock says, whatever entries say."""
        rows = db.execute(
            "SELECT seq, at_ms, kind, component, subject, body, hash FROM entry WHERE seq > ? "
            "ORDER BY seq", (self.seq,),
        ).fetchall()  # fmt: skip
        (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM entry").fetchone()
        must(last >= self.seq, "I11 what was written stays", last, self.seq)
        for row in rows:
            self.chain(*row[:-1], digest=row[-1])
            must(self.shifted or row[1] <= now_ms, "I17 no entry from the future", row[0])
            self.kinds[row[0]] = row[2]
            self.entry(row[2], row[4], json.loads(row[5]), row[1])
        self.caps_hold()

    def chain(self, seq: int, at_ms: int, *named: str, digest: bytes) -> None:
        must(seq == self.seq + 1, "I17 no gap", seq, self.seq)
        must(at_ms >= self.at_ms, "I17 time never goes back", seq)
        line = "\n".join(map(str, (seq, at_ms, *named))).encode()
        must(hashlib.sha256(self.hash + line).digest() == digest, "I18 chain", seq)
        self.seq, self.hash, self.at_ms = seq, digest, at_ms

    def entry(self, kind: str, subject: str, body: dict[str, Any], at_ms: int) -> None:
        if kind == "policy_set":
            self.policy(subject, body["after"]["limit"])
        elif kind == "window_opened":
            place = (body["policy"], body["counting"], body["key"], body["starts_ms"])
            must(place not in self.places, "I25 no window opens twice", place)
            self.places.add(place)
            self.windows[body["window"]] = Window(body["policy"], body["key"], body["starts_ms"])
        elif kind == "held":
            self.held(subject, body)
        elif kind == "extended":
            self.hold_again(self.holds[subject], body["left"])
        elif kind in BOOKS:
            self.booked(kind, subject, body)
        elif kind in ("released", "expired"):
            self.ended(kind, subject, at_ms)

    def policy(self, name: str, limit: dict[str, Any]) -> None:
        """The cap is the highest limit there ever was: a lower one binds only what comes after."""
        told = [limit["usd"], limit["tokens"], limit["calls"]]
        told[0] = None if told[0] is None else int(Fraction(told[0]) * 10**9)
        before = self.caps.get(name, [0, 0, 0])
        self.caps[name] = [
            max(old, float("inf") if new is None else new)
            for old, new in zip(before, told, strict=True)
        ]

    def held(self, name: str, body: dict[str, Any]) -> None:
        must(name not in self.holds, "I7 an id is one hold", name)
        operation = body["metadata"]["operation"]
        self.effect(operation)
        amounts = [body[axis] for axis in AXES]
        places = body["windows"], body["price_version"], operation
        hold = Hold([0, 0, 0], *places, due_ms=body["expires_ms"])
        self.holds[name] = hold
        self.hold_again(hold, amounts)

    def effect(self, operation: str) -> None:
        self.effects[operation] += 1
        must(self.effects[operation] == 1, "I12 a key has one effect", operation)

    def hold_again(self, hold: Hold, amounts: list[int]) -> None:
        """Hold this much from now on."""
        must(hold.status == "held" or not any(amounts), "I7 what has ended holds nothing")
        for number in hold.windows:
            window = self.windows[number]
            for axis in range(3):
                window.held[axis] += amounts[axis] - hold.amounts[axis]
                must(window.held[axis] >= 0, "I5 nothing is negative", window)
        hold.amounts = list(amounts)

    def booked(self, kind: str, name: str, body: dict[str, Any]) -> None:
        amounts = [body[axis] for axis in AXES]
        usage = body["usage"]
        if not body.get("at_hold"):
            must(amounts[0] == cost(body["price_version"], usage), "I6 the cost is exact", body)
        before = [0, 0, 0]
        if kind == "recorded":
            self.effect(body["tags"]["operation"])
        else:
            hold = self.holds[name]
            before = hold.amounts
            must(body["price_version"] == hold.price, "I19 the price of the reserve", name)
            after = "expired" if kind == "late" else "held"
            must(hold.status == after, "I7 a hold ends once", name, kind, hold.status)
            must(sorted(body["windows"]) == sorted(hold.windows), "I23 windows of the reserve")
            if kind != "late":
                self.hold_again(hold, [0, 0, 0] if body["final"] else body["left"])
            if body["final"]:
                hold.status = "settled"
        for number in body["windows"]:
            window = self.windows[number]
            for axis in range(3):
                window.used[axis] += amounts[axis]
                window.excess[axis] += max(0, amounts[axis] - before[axis])

    def ended(self, kind: str, name: str, at_ms: int) -> None:
        hold = self.holds[name]
        must(hold.status == "held", "I7 a hold ends once", name, hold.status, kind)
        if kind == "expired" and not self.shifted:
            # By the entries' own times: an entry whose caller left is read late by us.
            must(at_ms >= hold.due_ms - 1000, "I8 not early", name, at_ms, hold.due_ms)
        self.hold_again(hold, [0, 0, 0])
        hold.status = kind

    def caps_hold(self) -> None:
        for window in self.windows.values():
            for axis in range(3):
                cap = self.caps[window.policy][axis] + window.excess[axis]
                total = window.used[axis] + window.held[axis]
                must(total <= cap, "I2 cap", window, AXES[axis], cap)

    def open_holds(self) -> list[str]:
        return [name for name, hold in self.holds.items() if hold.status == "held"]

    def level(self, policy: str, key: str, starts_ms: int) -> tuple[list[int], list[int]]:
        """What is used and held in one window."""
        for window in self.windows.values():
            if (window.policy, window.key, window.starts_ms) == (policy, key, starts_ms):
                return window.used, window.held
        raise Violation(f"I16 a window that was never opened: {policy} {key} {starts_ms}")


def cost(version: str, usage: dict[str, int]) -> int:
    """Nano-dollars, rounded half to even."""
    rates = RATES[version]
    return round(sum(Fraction(rates[kind]) * 1000 * usage.get(kind, 0) for kind in rates))
