"""The actor of hindsight: replays the past beside its inbox, on the store's reading thread."""

from collections.abc import Callable
from typing import Any, assert_never

from actors.hindsight.draft import draft_of
from actors.hindsight.replay import Replay as Replaying
from actors.hindsight.run import Run, Runs
from actors.hindsight.savings import Tally as SavingsTally
from actors.reports.span import spans
from actors.routing.router import Router, World
from actors.runtime import Awaited, ServiceActor
from actors.tell import Tell
from actors.time import LedgerTime
from protocols.errors import BudgetError, Busy
from protocols.hindsight import Replay, ShowReplay
from protocols.journal import FoldPast
from protocols.message import Call
from protocols.period import Window
from protocols.prices import PriceBook
from protocols.reports import ShowReport, Span
from protocols.savings import FindSavings
from protocols.tiers import TierTable

AT_ONCE_MAX = 2
"""So many walks through the past at a time: each keeps a thread busy."""

Heard = Replay | ShowReplay | FindSavings


class Hindsight(ServiceActor):
    """Knows nothing of its own: the past is in the journal, the present is asked for."""

    def __init__(
        self,
        tell: Tell,
        time: LedgerTime,
        book: Callable[[], PriceBook],
        tiers: TierTable,
        router: Router,
    ) -> None:
        super().__init__("hindsight")
        self.tell = tell
        self.time = time
        self.book = book
        self.tiers = tiers
        self.router = router
        self.under_way: list[FoldPast] = []
        self.runs = Runs()

    def receive(self, message: Heard, call: Call[Any]) -> None:
        match message:
            case Replay():
                self.replay(message, call)
            case ShowReplay():
                self.show_replay(message, call)
            case FindSavings():
                self.find_savings(message, call)
            case _:
                assert_never(message)

    def on_stop(self) -> None:
        """Nobody is there any more for what a long walk would find."""
        for fold in self.under_way:
            fold.stop = True

    def replay(self, ask: Replay, call: Call[Any]) -> None:
        """Drafts are read before anything else, so that a wrong one is refused at once."""
        span = self.span(ask)
        draft = draft_of(ask, self.book(), self.tiers, self.router)
        again = Replaying(draft, span, ask.component)
        run = Run(call.caller.name, ask.progress, again, span, ask.limit)
        fold = FoldPast(span.starts_ms, span.ends_ms, again.begin, again.add, run.progress)
        if ask.wait:
            self.begin(fold, run.shown, call)
            return
        told = Awaited(call.caller)
        self.begin(fold, run.shown, told)
        self.runs.add(run)
        self.spawn(run.wait_for, told)
        call.answer(run.shown_now())

    def show_replay(self, ask: ShowReplay, call: Call[Any]) -> None:
        run = self.runs.find(ask.replay_id, call.caller.name)
        if run.ended.is_set() or not ask.wait_s:
            run.tell(call)
        else:
            self.spawn(run.tell_later, ask.wait_s, call)

    def find_savings(self, ask: FindSavings, call: Call[Any]) -> None:
        span = self.span(ask)
        tally = SavingsTally(ask, span)
        world = World(self.book(), self.tiers, None, self.time.now_ms())
        fold = FoldPast(span.starts_ms, span.ends_ms, tally.begin, tally.add, lambda *_: None)
        self.begin(fold, lambda: tally.shown(self.router, world), call)

    def span(self, ask: Replay | FindSavings) -> Window:
        usual: Span | None = None if ask.since else "last_30_days"
        report = ShowReport(span=ask.span or usual, since=ask.since, until=ask.until, zone=ask.zone)
        return spans(report, self.time.now_ms())[0]

    def begin(self, fold: FoldPast, shown: Callable[[], object], call: Call[Any]) -> None:
        if len(self.under_way) >= AT_ONCE_MAX:
            raise Busy(
                f"{len(self.under_way)} walks through the past are under way",
                hint="ask again when one has ended",
                retry_after_s=1,
            )
        self.under_way.append(fold)
        self.spawn(self.fold, fold, shown, call)

    async def fold(self, fold: FoldPast, shown: Callable[[], object], call: Call[Any]) -> None:
        asked = Awaited(call.caller)
        try:
            self.tell("journal", fold, asked)
            await asked.reply()
        except BudgetError as error:
            call.refuse(error)
        else:
            call.answer(shown())
        finally:
            fold.stop = True
            self.under_way = [other for other in self.under_way if other is not fold]
