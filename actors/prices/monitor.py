"""The price monitor: owns what models cost, from whom that is known, and since when.

Sources are asked beside the inbox and judged on a thread; what comes of it returns as a message.
A price takes effect when the entry that says so is on disk, never before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never

from actors.prices import decisions, shows
from actors.prices.catalogue import Catalogue
from actors.prices.impact import ImpactSums
from actors.prices.in_force import Bound, InForce, Kept
from actors.prices.inflow import Inflow
from actors.prices.known import Key, key_of
from actors.prices.refresh import Came, Judged, Refresh
from actors.runtime import NOBODY, Awaited, ServiceActor
from actors.tell import Tell
from actors.time import LedgerTime
from protocols.errors import BudgetError
from protocols.journal import Append, FoldBookings
from protocols.message import Call
from protocols.period import rfc3339
from protocols.prices import ListPrices, PriceBook, PriceVersion, Quote, list_prices, quote
from protocols.prices.changes import (
    ApprovePrice,
    DiffPrices,
    ListPriceHistory,
    ListQuarantine,
    PinPrice,
    PreviewPrice,
    PriceChange,
    RejectPrice,
    RollbackPrice,
    SetPrice,
    ShowPrice,
)
from protocols.prices.names import provider_name
from protocols.prices.sources import ApproveSource, ListPriceSources, RefreshPrices, SourceList

DAY_MS = 86_400_000


@dataclass(slots=True)
class Tick:
    """The timer: ask whoever is due, put in force what was decided for now."""


Told = Tick | Came | Judged | Kept | Bound
Look = Quote | ListPrices | ShowPrice | ListPriceHistory | DiffPrices | ListQuarantine
Heard = (
    Told | Look | ListPriceSources | PreviewPrice | RefreshPrices | ApproveSource
    | decisions.Decision
)  # fmt: skip


class PriceMonitor(ServiceActor):
    """Hears sources, people and the timer; `publish` hands a new book to all who decide."""

    def __init__(
        self,
        tell: Tell,
        time: LedgerTime,
        catalogue: Catalogue,
        inflow: Inflow,
        publish: Callable[[PriceBook], None],
    ) -> None:
        super().__init__("prices")
        self.tell = tell
        self.time = time
        self.catalogue = catalogue
        self.inflow = inflow
        self.in_force = InForce(tell, time, catalogue, publish, self.spawn)
        self.refresh = Refresh(inflow, self.in_force, self.spawn)
        self.folds: list[FoldBookings] = []

    def on_start(self) -> None:
        self.in_force.publish(self.in_force.book)
        self.spawn(self.in_force.correct, NOBODY, int)

    def receive(self, message: Heard, call: Call[Any]) -> None:
        match message:
            case Tick() | Came() | Judged() | Kept() | Bound():
                self.hear(message, call)
            case RefreshPrices():
                self.refresh.begin(self.inflow.named(message.source), call)
            case ApproveSource():
                self.approve_source(message, call)
            case ApprovePrice() | RejectPrice() | SetPrice() | PinPrice() | RollbackPrice():
                self.decide(message, call)
            case PreviewPrice():
                self.preview(message, call)
            case ListPriceSources():
                call.answer(SourceList(self.inflow.shown()))
            case _:
                call.answer(self.look_up(message))

    def hear(self, message: Told, call: Call[Any]) -> None:
        """What comes back from beside the inbox, and the timer."""
        match message:
            case Tick():
                self.look_at_the_clock()
            case Came():
                self.refresh.came(message.results, call)
            case Judged():
                self.refresh.judged(message, call)
            case Kept():
                self.in_force.kept(message, call)
            case Bound():
                self.in_force.bound(message, call)
            case _:
                assert_never(message)

    def look_up(self, ask: Look) -> object:
        book, now_ms = self.in_force.book, self.time.now_ms()
        match ask:
            case Quote():
                return quote(book, ask, self.version_at(ask))
            case ListPrices():
                return list_prices(book, ask)
            case ShowPrice():
                return shows.show_price(self.catalogue, book, ask, self.inflow.offers(), now_ms)
            case ListPriceHistory():
                return shows.history(self.catalogue, book, ask, now_ms)
            case DiffPrices():
                return shows.diff(self.catalogue, ask)
            case ListQuarantine():
                return shows.quarantine(self.catalogue, ask, now_ms)
            case _:
                assert_never(ask)

    def look_at_the_clock(self) -> None:
        due = self.inflow.due()
        if due and not self.refresh.under_way:
            self.refresh.begin(due, NOBODY)
        for draft in self.inflow.grown_stale():
            self.tell("journal", Append([draft]), NOBODY)
        change_ms = self.catalogue.next_change_ms(self.in_force.book_ms)
        if change_ms is not None and change_ms <= self.time.now_ms():
            self.in_force.bind(NOBODY, int)

    def version_at(self, ask: Quote) -> PriceVersion | None:
        """The version that was in force at the moment asked for, if one is named."""
        if ask.at is None:
            return None
        at_ms = int(ask.at.timestamp() * 1000)
        known = self.catalogue.find(ask.provider, ask.model, at_ms, self.in_force.book)
        return None if known is None else known.version

    def approve_source(self, ask: ApproveSource, call: Call[Any]) -> None:
        """Believe a whole file that was kept aside, and judge its rows."""
        (source,) = self.inflow.named(ask.source)
        self.refresh.approved(source, call)

    def decide(self, ask: decisions.Decision, call: Call[Any]) -> None:
        key = key_of(provider_name(ask.provider), ask.model)
        at_ms = self.time.now_ms()
        before = self.catalogue.current(key, at_ms)
        moment = decisions.Moment(call.caller.name, at_ms, rfc3339(at_ms))
        change = decisions.decide(self.catalogue, ask, self.offers(key), moment)

        def reply(corrected: int) -> PriceChange:
            after = self.catalogue.current(key, self.time.now_ms())
            return PriceChange(
                provider=key[0],
                model=ask.model,
                price_version=None if after is None else after.version.id,
                before=None if before is None else before.version.id,
                pinned=key in self.catalogue.pins,
                corrected_calls=corrected,
            )

        self.in_force.keep(change, call, reply)

    def preview(self, ask: PreviewPrice, call: Call[Any]) -> None:
        """What a price would have made of the last days; the answer comes from the journal."""
        key = key_of(provider_name(ask.provider), ask.model)
        at_ms = self.time.now_ms()
        stamp = rfc3339(at_ms)
        if ask.price is not None:
            version = decisions.own_version(ask.provider, ask.model, ask.price, stamp)
        else:
            moment = decisions.Moment(call.caller.name, at_ms, stamp)
            version = decisions.proposed(self.catalogue, key, ask.source, self.offers(key), moment)
        since_ms = at_ms - ask.days * DAY_MS
        now = self.catalogue.current(key, at_ms)
        name = version if now is None else now.version
        self.spawn(self.fold, ImpactSums(version), f"{name.provider}/{name.model}@", since_ms, call)

    async def fold(self, sums: ImpactSums, prefix: str, since_ms: int, call: Call[Any]) -> None:
        asked, fold = Awaited(call.caller), FoldBookings(prefix, since_ms, sums.add)
        self.folds.append(fold)
        self.tell("journal", fold, asked)
        try:
            await asked.reply()
        except BudgetError as error:
            call.refuse(error)
        else:
            call.answer(sums.shown(since_ms))
        finally:
            self.folds.remove(fold)

    def on_stop(self) -> None:
        """Whoever asked was refused by now."""
        for fold in self.folds:
            fold.stop = True

    def offers(self, key: Key) -> decisions.Offers:
        """What each source says of this model now."""
        return {
            source: offer
            for source, offer in self.inflow.offers()
            if offer.starts is None and key_of(offer.provider, offer.model) == key
        }
