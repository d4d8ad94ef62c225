"""What was booked before a policy was made, in the windows that are still open.

A limit set in the afternoon counts the morning, too. The walk through the journal happens beside
the daemon's work; the policy counts new calls from the first moment, so a booking that already
names one of its windows is left out here.
"""

from actors.policy.rule import Rule
from actors.subject import read_subject
from protocols.journal import BOOKINGS, Entry
from protocols.names import made_ms
from protocols.period import BUCKETS, SCOPE_MS, Window, window_at

Sums = dict[tuple[str, Window], list[int]]


class Tally:
    """Filled by the journal, entry by entry; then the policy engine has it back."""

    def __init__(self, rule: Rule, now_ms: int) -> None:
        self.rule = rule
        self.now_ms = now_ms
        self.sums: Sums = {}
        self._own: set[int] = set()
        self._sessions: dict[str, Window] = {}

    @property
    def since_ms(self) -> int:
        """No entry before this can matter."""
        rule = self.rule
        if rule.length_ms is not None:
            return self.now_ms - rule.length_ms - rule.length_ms // BUCKETS
        if rule.scoped:
            return self.now_ms - SCOPE_MS
        return window_at(rule.policy.period, rule.policy.zone, self.now_ms).starts_ms

    def add(self, entry: Entry) -> None:
        body = entry.body
        if entry.kind == "window_opened":
            if body["policy"] == self.rule.name and body["counting"] == self.rule.counting:
                self._own.add(body["window"])
        elif entry.kind in BOOKINGS:
            self._book(entry)

    def _book(self, entry: Entry) -> None:
        body = entry.body
        subject = read_subject(entry.component, body)
        if not self.rule.matches(subject):
            return
        key = self.rule.key_of(subject)
        if key is None:
            return
        covered = body.get("covered", (False, False, False))
        for axis, name in enumerate(("usd", "tokens", "calls")):
            places = body["parent_windows"] if covered[axis] else body["windows"]
            if self._own.isdisjoint(places):
                held_ms = self._held_ms(entry, at_parent=covered[axis])
                self._count(key, held_ms, axis, body[name])

    def _held_ms(self, entry: Entry, *, at_parent: bool) -> int:
        """A booking belongs to the window in which its hold was made."""
        if at_parent:
            return made_ms(entry.body["parent"])
        return entry.at_ms if entry.kind == "recorded" else made_ms(entry.subject)

    def _count(self, key: str, at_ms: int, axis: int, amount: int) -> None:
        window = self._window(key, at_ms)
        if window.starts_ms <= self.now_ms < window.ends_ms:
            self.sums.setdefault((key, window), [0, 0, 0])[axis] += amount

    def _window(self, key: str, at_ms: int) -> Window:
        policy = self.rule.policy
        if self.rule.scoped:
            return self._sessions.setdefault(key, window_at(policy.period, policy.zone, at_ms))
        return window_at(policy.period, policy.zone, at_ms)
