"""One lane on its way: read from the outbox, sent, and only then counted as delivered.

At least once: a crash between the two sends again, under the same id.
"""

import logging
from random import Random
from typing import Any

import anyio

from actors.alerts.channel import Lane, retry_s
from actors.alerts.notice import noticed
from actors.ports import NotDelivered, Notifier
from actors.runtime import NOBODY, Awaited
from actors.tell import Tell
from actors.time import LedgerTime
from protocols.errors import BudgetError
from protocols.events import Place, ReadEvents, Severity, StoredEvent
from protocols.journal import Append
from protocols.period import rfc3339

log = logging.getLogger("budget.alerts")

PAGE = 100
JITTER = 0.2


class Delivery:
    """Goes on where its place is. Woken by news and once a second."""

    def __init__(
        self,
        lane: Lane,
        notifier: Notifier,
        place: Place,
        tell: Tell,
        time: LedgerTime,
        random: Random,
    ) -> None:
        self.lane = lane
        self.place = place
        self.notifier = notifier
        self._tell = tell
        self._time = time
        self._random = random
        self._life = anyio.CancelScope()
        self._bell = anyio.Event()
        self._due = time.monotonic()
        """When to try again, on the monotonic clock; a restart tries at once."""
        self.news = True
        """Whether there may be something after the place."""

    def ring(self, *, news: bool) -> None:
        self.news = self.news or news
        self._bell.set()

    def close(self) -> None:
        """Leave off, in the middle of a delivery too: the next to begin sends that again."""
        self._life.cancel()

    async def run(self) -> None:
        """Until it is closed."""
        with self._life:
            await self._go_on()

    async def _go_on(self) -> None:
        page: list[StoredEvent] = []
        while True:
            if not page and self.news:
                self.news = False
                page = await self._read()
                self.news = self.news or len(page) == PAGE
            mine = [event for event in page if self.lane.takes(event)]
            if page and not mine:
                self.place.seq = page[-1].seq
                page = []
            elif mine and not self._waits(mine[0]):
                sent = await self._send(mine)
                page = [event for event in page if event.seq > self.place.seq] if sent else page
            else:
                await self._bell.wait()
                self._bell = anyio.Event()

    def _waits(self, first: StoredEvent) -> bool:
        return self._time.monotonic() < self._due or self.lane.waits(first, self._time.now_ms())

    async def _read(self) -> list[StoredEvent]:
        asked = Awaited()
        alerts = not self.lane.channel.everything
        ask = ReadEvents(after=self.place.seq, limit=PAGE, alerts=alerts)
        self._tell("journal", ask, asked)
        try:
            events: list[StoredEvent] = await asked.reply()
        except BudgetError:
            return []
        return events

    async def _send(self, mine: list[StoredEvent]) -> bool:
        """One, or a whole burst where the channel groups. Whether the place has moved."""
        channel = self.lane.channel
        batch = mine if channel.group_s and not self.lane.urgent else mine[:1]
        place = self.place
        try:
            await self.notifier.deliver(batch)
        except NotDelivered as error:
            return self._failed(str(error), batch)
        if place.since_ms is not None:
            self._notice("channel.recovered", "info", f"channel {channel.name} delivers again")
        self._move(batch[-1].seq)
        return True

    def _failed(self, why: str, batch: list[StoredEvent]) -> bool:
        place, now_ms = self.place, self._time.now_ms()
        name = self.lane.channel.name
        if place.since_ms is None:
            place.since_ms = now_ms
            self._notice("channel.failing", "warning", f"channel {name} does not deliver: {why}")
        place.attempts += 1
        place.error = why[:500]
        if now_ms - place.since_ms >= self.lane.channel.give_up_s * 1000:
            since = rfc3339(place.since_ms)
            log.error("channel %s gives up event %d, failing since %s", name, batch[0].seq, since)
            self._notice(
                "channel.gaveup", "critical", f"channel {name} gave up an event: {why}",
                events=[event.seq for event in batch],
            )  # fmt: skip
            self._move(batch[-1].seq)
            return True
        wait_s = retry_s(place.attempts) * self._random.uniform(1 - JITTER, 1 + JITTER)
        self._due = self._time.monotonic() + wait_s
        log.warning("channel %s failed, again in %.0f s: %s", name, wait_s, why)
        self._keep()
        return False

    def _move(self, seq: int) -> None:
        place = self.place
        place.seq, place.since_ms, place.attempts, place.error = seq, None, 0, None
        self._keep()

    def _keep(self) -> None:
        at = self.place
        copy = Place(at.name, at.seq, at.since_ms, at.attempts, at.error)
        self._tell("journal", Append([], place=copy), NOBODY)

    def _notice(self, kind: str, severity: Severity, detail: str, **data: Any) -> None:
        """Said to everybody, so that another channel may carry it."""
        name = self.lane.channel.name
        closes = f"channel.failing {name}" if kind == "channel.recovered" else None
        draft = noticed(kind, severity, name, detail, closes=closes, channel=name, **data)
        self._tell("journal", Append([draft]), NOBODY)
