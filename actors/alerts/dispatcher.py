"""The alert dispatcher: hears what was written to the outbox and passes it on.

An organ: when it falls, budgets go on, the outbox fills, and it goes on from there.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from actors.alerts.channel import Channel
from actors.alerts.dispatch import Dispatch
from actors.alerts.feed import LiveFeed
from actors.alerts.outbox import News
from actors.alerts.switchboard import Switchboard
from actors.ports import Notifier
from actors.runtime import NOBODY, Awaited, ServiceActor
from actors.tell import Tell
from actors.time import LedgerTime
from protocols.alerts import AcknowledgeAlert, AlertShown, ShowAlert
from protocols.channels import ListChannels, TestChannel
from protocols.errors import BudgetError
from protocols.events import ReadEvents, StoredEvent
from protocols.journal import Append, Draft
from protocols.message import Call

PAGE = 500
RESOLVED_AT_ONCE = 500


@dataclass(slots=True)
class Missed:
    """What was written while nobody heard."""

    events: list[StoredEvent]


@dataclass(slots=True)
class Turn:
    """The timer: end the alerts whose window has ended."""


Heard = News | Missed | Turn | AcknowledgeAlert | ListChannels | TestChannel


class AlertDispatcher(ServiceActor):
    """Keeps the feed whole, ends alerts at their window's turn, notes who has seen them."""

    def __init__(
        self,
        tell: Tell,
        time: LedgerTime,
        feed: LiveFeed,
        begin: Dispatch,
        ways: Mapping[Channel, Notifier],
    ) -> None:
        super().__init__("alerts")
        self.tell = tell
        self.time = time
        self.feed = feed
        self.switchboard = Switchboard(tell, time, ways, begin)
        feed.begin(begin.seq)
        self.ends = [(alert.ends_ms, alert.id) for alert in begin.open if alert.ends_ms is not None]
        heapq.heapify(self.ends)
        self.behind = False
        """Whether what was missed is being read."""

    def on_start(self) -> None:
        self.switchboard.open(self.spawn)
        self.catch_up()

    def on_stop(self) -> None:
        self.switchboard.close()

    def on_failure(self, *_: object) -> None:
        """Whoever comes next has channels of its own."""
        self.switchboard.close()

    def receive(self, message: Heard, call: Call[Any]) -> None:
        match message:
            case News():
                self.hear(message)
            case Missed():
                self.behind = False
                self.publish(message.events)
                if len(message.events) == PAGE:
                    self.catch_up()
            case Turn():
                self.resolve()
                self.switchboard.ring(news=False)
            case AcknowledgeAlert():
                self.spawn(self.acknowledge, message, call)
            case ListChannels():
                call.answer(self.switchboard.shown())
            case TestChannel():
                self.spawn(self.switchboard.test, message, call)
            case _:
                assert_never(message)

    def hear(self, news: News) -> None:
        """What was just written. If something before it is missing, all of it is read instead."""
        for alert in news.raised:
            if alert.ends_ms is not None:
                heapq.heappush(self.ends, (alert.ends_ms, alert.id))
        if news.events[0].seq > self.feed.head + 1:
            self.catch_up()
        else:
            self.publish(news.events)

    def publish(self, events: list[StoredEvent]) -> None:
        self.feed.publish(events)
        self.switchboard.ring(news=bool(events))

    def catch_up(self) -> None:
        if not self.behind:
            self.behind = True
            self.spawn(self.read)

    async def read(self) -> None:
        asked = Awaited()
        self.tell("journal", ReadEvents(after=self.feed.head, limit=PAGE), asked)
        try:
            events = await asked.reply()
        except BudgetError:  # the journal is on its way out, and the daemon with it
            events = []
        self.tell("alerts", Missed(events), NOBODY)

    def resolve(self) -> None:
        """An alert is about a window; when that has ended, so has the alert."""
        now_ms = self.time.now_ms()
        over: list[str] = []
        while self.ends and self.ends[0][0] <= now_ms and len(over) < RESOLVED_AT_ONCE:
            over.append(heapq.heappop(self.ends)[1])
        if over:
            draft = Draft("alert_resolved", "", over[0], {"alerts": over})
            self.tell("journal", Append([draft]), NOBODY)

    async def acknowledge(self, ask: AcknowledgeAlert, call: Call[Any]) -> None:
        """Write down who has seen it, unless somebody has before."""
        try:
            alert = await self.show(ask.alert_id, call)
            if alert.acknowledged_by is None:
                body = {"by": call.caller.name, "note": ask.note}
                draft = Draft("alert_acknowledged", alert.component, alert.alert_id, body)
                written = Awaited(call.caller)
                self.tell("journal", Append([draft], answer=True), written)
                await written.reply()
                alert = await self.show(ask.alert_id, call)
        except BudgetError as error:
            call.refuse(error)
        else:
            call.answer(alert)

    async def show(self, name: str, call: Call[Any]) -> AlertShown:
        asked = Awaited(call.caller)
        self.tell("journal", ShowAlert(alert_id=name), asked)
        alert: AlertShown = await asked.reply()
        return alert
