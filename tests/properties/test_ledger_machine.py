"""The ledger against a model of plain dicts: any order of events, any crash, any clock.

The real actors on the real store, reached as the doors reach them; the clock, the power and the
disk are ours. After every step everything that can be looked at is compared with the model.
`BUDGET_PROOF=long` tries some fifty times as many and longer stories.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any, NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from protocols.errors import KeyReused, Unavailable
from protocols.journal import EntryShown, ListEntries
from protocols.ledger import (
    Allocate,
    Check,
    Extend,
    ExtendAllocation,
    HoldShown,
    ListAllocations,
    ListReservations,
    Record,
    Release,
    ReleaseAllocation,
    Reserve,
    Settle,
)
from protocols.policy.messages import RemovePolicy, ShowBalances
from tests.harness.house import Ask, World
from tests.properties import sums
from tests.properties.answers import (
    balance_row,
    check_admitted,
    check_booked,
    check_figures,
    check_refused,
    check_released,
    check_row,
    hold_row,
    kept,
    millis,
    model_row,
    nanos,
    plain,
    showing,
)
from tests.properties.book import PROVIDERS, book
from tests.properties.model import AXES, NONE, Facts, Hold, Model, Rule, Three, Verdict, without
from tests.properties.stories import (
    Call,
    amounts,
    calls,
    limits,
    pauses,
    request,
    rules,
    starts,
    steps,
    usages,
)

ENDS = ("settled", "overrun", "released", "expired")
PAGE = 1000

Checker = Callable[[Any], Any]


class Step(NamedTuple):
    """A request, and what the model does and expects: `expect()` gives the check of the answer."""

    ask: Ask
    expect: Callable[[], Checker]


@dataclass
class Seen:
    """Everything that can be looked at, at one moment."""

    balances: list[tuple[object, ...]]
    holds: dict[str, HoldShown]


class LedgerMachine(RuleBasedStateMachine):
    """Everything that callers, clocks, operators and accidents do."""

    holds = Bundle("holds")
    allocations = Bundle("allocations")

    @initialize(start=starts, first=st.lists(rules, min_size=1, max_size=3))
    def open_the_house(self, start: int, first: list[Rule]) -> None:
        self.world = World(start, book())
        self.model = Model(self.world.clock)
        self.keys = count()
        self.answered: list[tuple[Ask, Any]] = []
        self.entries: list[EntryShown] = []
        self.seen: Seen | None = None
        for policy in first:
            self.set_policy(policy)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.everything_is_as_it_was()
        finally:
            self.world.close()

    # Time

    @rule(ms=pauses)
    def time_passes(self, ms: int) -> None:
        """Nobody asks anything; whether a sweep comes is not to matter."""
        self.world.clock.pass_by(ms)
        self.seen = None

    @rule(ms=steps)
    def the_wall_clock_is_set(self, ms: int) -> None:
        """I25 No money from the clock: it goes back and forth, the other one goes on."""
        self.world.clock.step(ms)
        self.seen = None

    @rule()
    def the_timer_sweeps(self) -> None:
        self.world.sweep()
        self.look()

    # Policies

    @rule(policy=rules)
    def set_policy(self, policy: Rule) -> None:
        self.model.now()
        after = self.model.set_rule(policy)
        shown = self.world.ask(Ask("set_policy", request(policy)))
        assert (shown.policy.name, shown.revision) == (after.name, after.revision)
        self.look()

    @precondition(lambda self: self.model.rules)
    @rule(which=st.integers(0), new=limits, enforce=st.sampled_from(["hard", "soft", "warn"]))
    def change_a_limit(self, which: int, new: tuple[Any, ...], enforce: str) -> None:
        """Its counters go on."""
        before = self.model.sorted_rules()[which % len(self.model.rules)]
        changes = {"limits": new, "enforce": enforce, "override": None}
        self.set_policy(Rule(**(vars(before) | changes)))

    @precondition(lambda self: self.model.rules)
    @rule(which=st.integers(0))
    def remove_policy(self, which: int) -> None:
        name = sorted(self.model.rules)[which % len(self.model.rules)]
        del self.model.rules[name]
        assert self.world.ask(Ask("remove_policy", RemovePolicy(name=name))).name == name
        self.look()

    # Calls

    @rule(target=holds, call=calls, keyed=st.booleans())
    def reserve(self, *, call: Call, keyed: bool) -> Any:
        """I1 Admission, I3 All or nothing: judged exactly as the model judges."""
        return self.take(self.reserving(call), keyed=keyed)

    @rule(target=holds, call=calls, allocation=allocations, keyed=st.booleans())
    def draw(self, *, call: Call, allocation: Hold, keyed: bool) -> Any:
        return self.take(self.reserving(call, allocation), keyed=keyed)

    @rule(
        target=allocations, call=calls, sums_of=amounts, covers=st.tuples(*[st.booleans()] * 3),
        keyed=st.booleans(),
    )  # fmt: skip
    def allocate(
        self, *, call: Call, sums_of: Three, covers: tuple[bool, bool, bool], keyed: bool
    ) -> Any:
        step = self.allocating(call, sums_of, covers if any(covers) else (False, True, False))
        return self.take(step, keyed=keyed)

    @rule(call=calls)
    def check(self, call: Call) -> None:
        """The answer to `check` is what `reserve` would say, and nothing is held."""
        verdict = self.weigh(call)
        checked = self.world.ask(Ask("check", Check(**call.fields)))
        assert checked.outcome == verdict.says
        if verdict.says == "denied":
            check_figures(verdict, checked.denial)
        self.look()

    @rule(hold=holds, usage=usages, final=st.booleans(), keyed=st.booleans())
    def settle(self, *, hold: Hold, usage: dict[str, int] | None, final: bool, keyed: bool) -> None:
        """I4 Reality is never dropped: below, at, above the hold, in parts, late, or untold."""
        self.take(self.settling(hold, usage, final=final), keyed=keyed)

    @rule(hold=holds, keyed=st.booleans())
    def release(self, *, hold: Hold, keyed: bool) -> None:
        self.take(self.releasing(hold), keyed=keyed)

    @rule(hold=allocations, keyed=st.booleans())
    def release_allocation(self, *, hold: Hold, keyed: bool) -> None:
        self.take(self.releasing(hold), keyed=keyed)

    @rule(hold=holds | allocations, more=amounts, ttl_s=st.sampled_from([None, 30, 7200]))
    def extend(self, *, hold: Hold, more: Three, ttl_s: int | None) -> None:
        self.take(self.extending(hold, more, ttl_s), keyed=ttl_s is None)

    @rule(call=calls, usage=usages, keyed=st.booleans())
    def record(self, *, call: Call, usage: dict[str, int] | None, keyed: bool) -> None:
        self.take(self.recording(call, usage or call.estimate or {"input": 1}), keyed=keyed)

    @rule(call=calls, usage=usages, allocation=allocations)
    def record_from(self, *, call: Call, usage: dict[str, int] | None, allocation: Hold) -> None:
        used = usage or {"output": 100}
        self.take(self.recording(call, used, allocation), keyed=False)

    # The same again

    @precondition(lambda self: self.answered)
    @rule(which=st.integers(0))
    def repeat(self, which: int) -> None:
        """I12 Same key, same answer."""
        self.ask_again(*self.answered[which % len(self.answered)])
        self.look()

    @precondition(lambda self: self.answered)
    @rule(which=st.integers(0))
    def reuse_a_key(self, which: int) -> None:
        """I13 Same key, other body: refused, and nothing changes."""
        ask, _ = self.answered[which % len(self.answered)]
        fields = {"metadata": {"other": "body"}}
        if "metadata" not in type(ask.request).model_fields:
            fields = {"usage": {"input": 7}} if "usage" in ask.request.model_fields_set else {}
        if not fields or getattr(ask.request, "usage", None) == fields.get("usage", 0):
            return
        other = ask._replace(request=ask.request.model_copy(update=fields))
        assert isinstance(self.world.ask(other), KeyReused)
        self.look()

    # All at once

    @rule(target=holds, call=calls, callers=st.integers(2, 8))
    def storm(self, *, call: Call, callers: int) -> Any:
        """Many look at the same moment: as many get through as fit, and no more."""
        step = self.reserving(call)
        checks = [step.expect() for _ in range(callers)]
        answers = self.world.ask_at_once([step.ask] * callers)
        found = [check(answer) for check, answer in zip(checks, answers, strict=True)]
        self.look()
        return multiple(*(hold for hold in found if isinstance(hold, Hold)))

    @rule(target=holds, call=calls, callers=st.integers(2, 4))
    def impatience(self, *, call: Call, callers: int) -> Any:
        """I13 A key in flight: who repeats it waits for the same answer; it happens once."""
        step = self.reserving(call)
        ask = step.ask._replace(key=f"key-{next(self.keys)}")
        check = step.expect()
        first, *others = self.world.ask_at_once([ask] * callers)
        assert all(plain(other) == plain(first) for other in others)
        found = check(first)
        self.remember(ask, first)
        self.look()
        return found

    @rule(hold=holds, usage=usages, settle_first=st.booleans())
    def race(self, *, hold: Hold, usage: dict[str, int] | None, settle_first: bool) -> None:
        """I7 One end: a hold is settled and released at the same moment."""
        pair = [self.settling(hold, usage, final=True), self.releasing(hold)]
        if not settle_first:
            pair.reverse()
        checks = [step.expect() for step in pair]
        answers = self.world.ask_at_once([step.ask for step in pair])
        for check, answer in zip(checks, answers, strict=True):
            check(answer)
        self.look()

    # Accidents

    @rule(down_ms=pauses)
    def crash(self, down_ms: int) -> None:
        """I11 Durability: what was answered is true afterwards."""
        self.world.crash(down_ms)
        self.wake_up()

    @rule(down_ms=pauses)
    def restart(self, down_ms: int) -> None:
        self.world.restart(down_ms)
        self.wake_up()

    @rule()
    def the_policy_engine_falls(self) -> None:
        """All of the spine is rebuilt from the journal while the clock goes on."""
        self.look()
        self.world.fell_the_spine()
        self.model.now()
        self.model.forget_monotonic_time()
        self.everything_is_as_it_was()

    @rule(target=holds, call=calls, written=st.booleans())
    def reserve_without_an_answer(self, *, call: Call, written: bool) -> Any:
        """I10, I11: the disk breaks under it, then the power; its key tells what became of it."""
        return self.lose_the_answer(self.reserving(call), written=written)

    @rule(hold=holds, usage=usages, final=st.booleans(), written=st.booleans())
    def settle_without_an_answer(
        self, *, hold: Hold, usage: dict[str, int] | None, final: bool, written: bool
    ) -> None:
        self.lose_the_answer(self.settling(hold, usage, final=final), written=written)

    # What must hold

    @precondition(lambda self: self.seen)
    @invariant()
    def balances_are_what_the_model_adds_up(self) -> None:
        """I1, I3, I8, I9, I14, I16, I23, I25: used, held and left of every open window.

        The model's "held" is the sum over its open holds; nothing is kept to be forgotten.
        """
        assert self.seen.balances == self.model.balances()

    @precondition(lambda self: self.seen)
    @invariant()
    def holds_are_what_the_model_says(self) -> None:
        """I7, I8, I9: what is open, what it holds and has spent, what became of the others."""
        told = {name: hold_row(shown) for name, shown in self.seen.holds.items()}
        assert told == {hold.id: model_row(hold) for hold in self.model.holds}

    @precondition(lambda self: self.seen)
    @invariant()
    def limits_are_passed_only_by_recorded_overruns(self) -> None:
        """I2 Cap: used + held ≤ limit + overruns."""
        for name, key, axis, _, used, held, *_ in self.seen.balances:
            rule_ = self.model.rules[str(name)]
            number = AXES.index(str(axis))
            reach = self.model.reach(rule_, str(key or ""))
            beyond = sum(self.model.excess[place, number] for place in reach)
            cap = self.model.caps[rule_.name, rule_.counting, number]
            assert nanos(used) + nanos(held) <= cap + beyond

    @precondition(lambda self: self.seen)
    @invariant()
    def nothing_is_negative(self) -> None:
        """I5: neither counters nor holds; only what is left may be."""
        for _, _, _, _, used, held, *_ in self.seen.balances:
            assert nanos(used) >= 0
            assert nanos(held) >= 0
        for hold in self.seen.holds.values():
            assert min(nanos(hold.held.usd), hold.held.tokens, hold.held.calls) >= 0

    @precondition(lambda self: self.seen)
    @invariant()
    def entries_are_gapless_and_time_never_goes_back(self) -> None:
        """I17 Order."""
        assert [entry.seq for entry in self.entries] == list(range(1, len(self.entries) + 1))
        assert all(one.at <= other.at for one, other in pairwise(self.entries))

    @precondition(lambda self: self.seen)
    @invariant()
    def every_hold_ends_once(self) -> None:
        """I7 One end; `late` comes only after `expired`."""
        ended: Counter[str] = Counter()
        for entry in self.entries:
            if entry.kind in ENDS and entry.body.get("final", True):
                ended[entry.subject] += 1
            if entry.kind == "late":
                assert ended[entry.subject] == 1
        assert all(times == 1 for times in ended.values())

    @precondition(lambda self: self.seen)
    @invariant()
    def no_window_opens_twice_and_none_overlap(self) -> None:
        """I24, I25: windows of one counter meet or lie apart, whatever the clock did."""
        opened: dict[tuple[Any, ...], list[tuple[int, int]]] = defaultdict(list)
        for entry in self.entries:
            if entry.kind == "window_opened":
                body = entry.body
                window = (body["starts_ms"], body["ends_ms"])
                opened[body["policy"], body["counting"], body["key"]].append(window)
        for windows in opened.values():
            for (starts_1, ends_1), (starts_2, ends_2) in pairwise(windows):
                bucket = ends_1 - starts_1 == ends_2 - starts_2 == sums.HOUR + sums.MINUTE
                assert starts_2 >= (starts_1 + sums.MINUTE if bucket else ends_1)

    # How

    def take(self, step: Step, *, keyed: bool) -> Any:
        """Do one thing, here and there, and compare. Gives the hold that came of it, if any."""
        ask = step.ask
        if keyed:
            ask = ask._replace(key=f"key-{next(self.keys)}")
        check = step.expect()
        answer = self.world.ask(ask)
        found = check(answer)
        self.remember(ask, answer)
        self.look()
        entry_id = getattr(answer, "entry_id", None)
        assert entry_id in (None, *(e.entry_id for e in self.entries))  # I14 Read your writes
        return found

    def remember(self, ask: Ask, answer: Any) -> None:
        if ask.key is not None and kept(answer):
            self.answered.append((ask, plain(answer)))

    def ask_again(self, ask: Ask, answer: Any) -> None:
        assert plain(self.world.ask(ask)) == answer

    def lose_the_answer(self, step: Step, *, written: bool) -> Any:
        self.look()
        ask = step.ask._replace(key=f"key-{next(self.keys)}")
        self.world.break_the_store("after" if written else "before")
        answer = self.world.ask(ask)
        if not self.world.store_broke():  # refused before there was anything to write
            found = step.expect()(answer)
            self.look()
            return found
        assert isinstance(answer, Unavailable)
        assert answer.facts["outcome"] == "unknown"
        check = step.expect() if written else None
        self.world.crash()
        self.wake(adopt=not written)
        if check is None:
            check = step.expect()
        answer = self.world.ask(ask)
        found = check(answer)
        self.remember(ask, answer)
        self.everything_is_as_it_was()
        return found

    def wake_up(self) -> None:
        self.wake()
        self.everything_is_as_it_was()

    def wake(self, *, adopt: bool = False) -> None:
        """Tell the model of a new life. A window may have been opened for a call that was lost."""
        new = self.read_entries()
        last = self.entries[-1].at if self.entries else None
        self.model.restart(0 if last is None else millis(last))
        for entry in new if adopt else ():
            if entry.kind == "window_opened":
                self.model.adopt(entry.body)

    def everything_is_as_it_was(self) -> None:
        """I11, I12, I15, I16, I18: every answer, every entry; and it all adds up."""
        for ask, answer in self.answered:
            self.ask_again(ask, answer)
        self.look()
        before, self.entries = self.entries, []
        self.read_entries()
        assert self.entries[: len(before)] == before
        assert self.world.verify().problems == []

    def look(self) -> None:
        self.model.now()
        shown = self.world.ask(Ask("show_balances", ShowBalances(limit=PAGE)))
        self.world.flush()
        lists = [
            Ask("list_reservations", ListReservations(limit=PAGE)),
            Ask("list_allocations", ListAllocations(limit=PAGE)),
        ]
        listed = [hold for answer in self.world.ask_at_once(lists) for hold in answer.items]
        self.read_entries()
        self.seen = Seen([balance_row(row) for row in shown.items], {h.id: h for h in listed})
        for hold in self.model.holds[-2:]:
            assert hold_row(self.world.ask(showing(hold))) == model_row(hold)

    def read_entries(self) -> list[EntryShown]:
        """Read on from the last entry known."""
        new: list[EntryShown] = []
        cursor: str | None = str(len(self.entries))
        while cursor is not None:
            page = self.world.ask(Ask("list_entries", ListEntries(limit=PAGE, cursor=cursor)))
            new += page.items
            cursor = page.next_cursor
        self.entries += new
        return new

    # One request of each kind, and what the model expects of it

    def weigh(self, call: Call, parent: Hold | None = None) -> Verdict:
        return self.model.weigh(call.facts, call.amounts, priced=call.priced, parent=parent)

    def reserving(self, call: Call, parent: Hold | None = None) -> Step:
        fields = call.fields
        if parent is not None:
            fields["allocation_id"] = parent.id

        def expect() -> Checker:
            verdict = self.weigh(call, parent)
            if not verdict.admits:
                return lambda answer: check_refused(verdict, answer)
            hold = self.model.hold(self.new_hold(call, call.amounts, parent=parent), verdict)
            own = without(hold.held, hold.covered)
            standings = self.model.standings(call.facts, alone=own)
            return lambda answer: check_admitted(verdict, hold, standings, answer)

        return Step(Ask("reserve", Reserve(**fields)), expect)

    def allocating(self, call: Call, given: Three, covers: tuple[bool, bool, bool]) -> Step:
        facts = Facts(call.facts.component, "any", call.facts.context or "s", call.facts.priority)
        held = tuple(given[axis] if covers[axis] else 0 for axis in range(3))
        fields: dict[str, Any] = {
            "component": facts.component, "context_id": facts.context, "ttl_s": call.ttl_s,
            "priority": facts.priority, "provider": "openai",
        }  # fmt: skip
        told = {"usd": sums.usd(held[0]), "tokens": held[1], "calls": held[2]}
        fields |= {axis: told[axis] for n, axis in enumerate(AXES) if covers[n]}

        def expect() -> Checker:
            verdict = self.model.weigh(facts, held)
            if not verdict.admits:
                return lambda answer: check_refused(verdict, answer)
            new = self.new_hold(call, held, facts=facts)
            new.covers = covers
            hold = self.model.hold(new, verdict)
            standings = self.model.standings(facts, alone=held)
            return lambda answer: check_admitted(verdict, hold, standings, answer)

        return Step(Ask("allocate", Allocate(**fields)), expect)

    def new_hold(
        self, call: Call, held: Three, *, facts: Facts | None = None, parent: Hold | None = None
    ) -> Hold:
        return Hold(
            facts=facts or call.facts,
            model=call.facts.model,
            held=held,
            places=(),
            deadline=self.world.clock.monotonic() + call.ttl_s,
            expires=self.model.ledger_ms + call.ttl_s * 1000,
            estimate=call.estimate,
            parent=parent,
        )

    def settling(self, hold: Hold, usage: dict[str, int] | None, *, final: bool) -> Step:
        """`usage` None: exactly what was estimated."""
        used = hold.estimate if usage is None else usage

        def expect() -> Checker:
            fits = all(count <= hold.estimate.get(kind, 0) for kind, count in used.items())
            untouched = hold.open and hold.spent == NONE
            held = hold.held[0]
            booked = self.model.settle(hold, used, final=final)
            if fits and untouched and held >= sums.nanos_up(hold.model, hold.estimate):
                assert booked.usd <= held  # I6 One rounding
            return lambda answer: check_booked(booked, hold, answer)

        request = Settle(reservation_id=hold.id, usage=used, final=final)
        return Step(Ask("settle", request), expect)

    def releasing(self, hold: Hold) -> Step:
        def expect() -> Checker:
            was = self.model.release(hold)
            return lambda answer: check_released(was, hold, answer)

        if hold.covers is None:
            return Step(Ask("release", Release(reservation_id=hold.id)), expect)
        return Step(Ask("release_allocation", ReleaseAllocation(allocation_id=hold.id)), expect)

    def extending(self, hold: Hold, more: Three, ttl_s: int | None) -> Step:
        fields: dict[str, Any] = {"usd": sums.usd(more[0]), "tokens": more[1], "ttl_s": ttl_s}
        if hold.covers is None:
            more = (*more[:2], 0)
            ask = Ask("extend", Extend(reservation_id=hold.id, **fields))
        else:
            fields["calls"] = more[2]
            ask = Ask("extend_allocation", ExtendAllocation(allocation_id=hold.id, **fields))

        def expect() -> Checker:
            verdict = self.model.extend(hold, more, ttl_s)
            if not verdict.admits:
                return lambda answer: check_refused(verdict, answer)
            row = model_row(hold)
            return lambda answer: check_row(row, answer)

        return Step(ask, expect)

    def recording(self, call: Call, usage: dict[str, int], parent: Hold | None = None) -> Step:
        facts = call.facts
        request = Record(
            component=facts.component, provider=PROVIDERS[facts.model], model=facts.model,
            context_id=facts.context, usage=usage,
            allocation_id=None if parent is None else parent.id,
        )  # fmt: skip

        def expect() -> Checker:
            booked = self.model.record(facts, usage, parent)
            return lambda answer: check_booked(booked, None, answer)

        return Step(Ask("record", request), expect)


PROFILES = {
    "short": settings(max_examples=60, stateful_step_count=40),
    "long": settings(max_examples=1500, stateful_step_count=80),
}
TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(
    PROFILES[os.environ.get("BUDGET_PROOF", "short")],
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
