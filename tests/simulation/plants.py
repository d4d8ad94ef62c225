"""Faults on purpose: each breaks one promise, and the simulation has to find it.

Nothing of this is in the product: a plant replaces one of its functions while a story is told.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from actors.journal import chain, journal
from actors.journal.journal import Journal
from actors.ledger import ending, once, opening, task
from actors.policy import decide, places
from actors.policy.charges import Charges
from actors.policy.counter import Charge
from actors.policy.decide import Verdict
from actors.policy.rulebook import Rulebook
from actors.ports import StorageFailed
from actors.time import LedgerTime
from daemon.journal import start, write
from protocols import whole_cost

Plant = tuple[Any, str, Callable[[Any], Any]]
"""Whose attribute, its name, and what it becomes, made from what it was."""


def answers_before_commit(_: Any) -> Any:
    async def commit(self: Journal, taken: list[Any]) -> None:
        batch = self.number(taken)
        for one in taken:
            journal.answer(one.call, one.message.answer)
        if batch.entries or batch.keys:
            await self.store.append(batch)

    return commit


def answers_though_the_store_failed(commit: Any) -> Any:
    async def commit_anyway(self: Journal, taken: list[Any]) -> None:
        try:
            await commit(self, taken)
        except StorageFailed:
            for one in taken:
                journal.answer(one.call, one.message.answer)
            raise

    return commit_anyway


def drops_the_last_of_many(write_all: Any) -> Any:
    def write_most(db: Any, batch: Any, *rest: Any) -> None:
        write_all(db, replace(batch, entries=batch.entries[:3]), *rest)

    return write_most


def forgets_keys(write_all: Any) -> Any:
    return lambda db, batch, *rest: write_all(db, replace(batch, keys=[]), *rest)


def forgets_refusals(_: Any) -> Any:
    return lambda desk, task, error, call: desk.once.give_up(task, error, call)


def takes_one_key_for_another(digest: Any) -> Any:
    return lambda *parts: digest(*parts[:-1])


def admits_everything(_: Any) -> Any:
    return lambda _seats, _amounts, _priority: Verdict(None, [], near=False)


def looks_at_what_is_used_only(judge: Any) -> Any:
    class Blind:
        def __init__(self, meter: Any) -> None:
            self.meter = meter

        def __getattr__(self, name: str) -> Any:
            return [0, 0, 0] if name == "held" else getattr(self.meter, name)

    return lambda seats, *rest: judge([(rule, Blind(meter)) for rule, meter in seats], *rest)


def does_not_count_holds(_: Any) -> Any:
    return lambda self, amounts: self.held.__setitem__(slice(None), amounts)


def gives_nothing_back(_: Any) -> Any:
    return lambda self, axis: self.held[axis]


def expires_early(overdue: Any) -> Any:
    return lambda self, now: overdue(self, now + 10)


def never_expires(_: Any) -> Any:
    return lambda _self, _now: iter(())


def ends_as_often_as_asked(_: Any) -> Any:
    def end(desk: Any, task: Any, call: Any) -> None:
        hold = desk.holds.get(ending.id_of(task.request))
        if hold is None:
            ending.recall(desk, task, call)
        else:
            ending.go_on(desk, hold, task, call)

    return end


def follows_the_wall_clock(_: Any) -> Any:
    return lambda self: self.clock.now_ms()


def settles_at_todays_price(price_usage: Any) -> Any:
    return lambda book, provider, model, _pinned, *rest: price_usage(
        book, provider, model, None, *rest
    )


def rounds_down(cost: Any) -> Any:
    def rounded_down(usage: Any, version: Any, at: Any = None) -> Any:
        parts = whole_cost._parts(usage, version)
        usd, estimated = cost(usage, version, at)
        return usd if parts is None else parts // whole_cost.PARTS, estimated

    return rounded_down


def chains_to_nothing(hash_of: Any) -> Any:
    return lambda _before, *rest: hash_of(bytes(32), *rest)


def forgets_open_holds_at_the_start(_: Any) -> Any:
    return lambda _db: []


def forgets_windows_at_the_start(_: Any) -> Any:
    return lambda _self, _counter: None


def books_in_the_windows_of_now(settle: Any) -> Any:
    def elsewhere(world: Any, charge: Charge, ask: Any) -> Any:
        posted = settle(world, charge, ask)
        return replace(posted, places=replace(posted.places, windows=()))

    return elsewhere


PLANTS: dict[str, Plant] = {
    plant.__name__: (owner, name, plant)
    for owner, name, plant in (
        (Journal, "commit", answers_before_commit),
        (Journal, "commit", answers_though_the_store_failed),
        (write, "write", drops_the_last_of_many),
        (write, "write", forgets_keys),
        (opening, "refuse", forgets_refusals),
        (once, "digest", takes_one_key_for_another),
        (decide, "judge", admits_everything),
        (decide, "judge", looks_at_what_is_used_only),
        (Charge, "take_all", does_not_count_holds),
        (Charge, "drop", gives_nothing_back),
        (Charges, "overdue", expires_early),
        (Charges, "overdue", never_expires),
        (ending, "end", ends_as_often_as_asked),
        (LedgerTime, "now_ms", follows_the_wall_clock),
        (ending, "price_usage", settles_at_todays_price),
        (task, "cost_of_booking", rounds_down),
        (chain, "hash_of", chains_to_nothing),
        (start, "open_holds", forgets_open_holds_at_the_start),
        (Rulebook, "restore", forgets_windows_at_the_start),
        (places, "settle", books_in_the_windows_of_now),
    )
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    owner, attribute, plant = PLANTS[name]
    genuine = getattr(owner, attribute)
    setattr(owner, attribute, plant(genuine))
    try:
        yield
    finally:
        setattr(owner, attribute, genuine)
