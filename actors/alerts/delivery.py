"""One lane on its way: read from the outbox, sent, and only then counted as delivered.

At least once: a crash between the two sends again, under the same id. In order, but for an event
that is not taken while the one behind it is: that one is set aside, and tried again by itself.
"""

import logging
from dataclasses import dataclass, replace
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
TRIES = 3
"""After so many failures of one event the next is tried, to see whose fault it is."""
PROBE_S = 60.0
"""So often, while that fails as well: then nobody is there, and all wait in order."""
ASIDE_MAX = 100


@dataclass(slots=True)
class Aside:
    """An event that was passed by."""

    place: Place
    """Its `seq` is the event itself."""
    due: float
    """When to try again, on the monotonic clock."""


class Delivery:
    """Goes on where its place is. Woken by news and once a second."""

    def __init__(
        self,
        lane: Lane,
        notifier: Notifier,
        place: Place,
        aside: list[Place],
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
        self._due = self._probe = time.monotonic()
        """When to try again, on the monotonic clock; a restart tries at once."""
        self.aside = [Aside(one, self._due) for one in aside]
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
            if self.news and (not page or self.place.attempts >= TRIES):
                self.news = False
                page = await self._read(self.place.seq)
                self.news = self.news or len(page) == PAGE
            mine = [event for event in page if self.lane.takes(event)]
            late = next((one for one in self.aside if one.due <= self._time.monotonic()), None)
            if page and not mine:
                self.place.seq = page[-1].seq
                page = []
            elif late is not None:
                await self._send_aside(late)
            elif mine and (moved := await self._send_what_may(mine)) is not None:
                page = [event for event in page if event.seq > self.place.seq] if moved else page
            else:
                await self._bell.wait()
                self._bell = anyio.Event()

    async def _send_what_may(self, mine: list[StoredEvent]) -> bool | None:
        """Whether the place has moved; None when nothing may be sent yet."""
        now, place = self._time.monotonic(), self.place
        if self.lane.waits(mine[0], self._time.now_ms()):
            return None
        if now >= self._due:
            return await self._send(mine)
        may_pass = place.attempts >= TRIES and now >= self._probe and len(self.aside) < ASIDE_MAX
        if may_pass and len(mine) > 1 and not self.lane.waits(mine[1], self._time.now_ms()):
            return await self._pass_by(mine[0], mine[1])
        return None

    async def _read(self, after: int, limit: int = PAGE) -> list[StoredEvent]:
        asked = Awaited()
        alerts = not self.lane.channel.everything
        self._tell("journal", ReadEvents(after=after, limit=limit, alerts=alerts), asked)
        try:
            events: list[StoredEvent] = await asked.reply()
        except BudgetError:
            return []
        return events

    async def _send(self, mine: list[StoredEvent]) -> bool:
        """One, or a whole burst where the channel groups. Whether the place has moved."""
        grouped = self.lane.channel.group_s and not self.lane.urgent
        batch = mine if grouped and self.place.attempts < TRIES else mine[:1]
        try:
            await self.notifier.deliver(batch)
        except NotDelivered as error:
            return self._failed(str(error), batch)
        self._delivered(batch[-1], "")
        return True

    def _failed(self, why: str, batch: list[StoredEvent]) -> bool:
        place = self.place
        if place.since_ms is None:
            place.since_ms = self._time.now_ms()
            name = self.lane.channel.name
            self._notice("channel.failing", "warning", f"channel {name} does not deliver: {why}")
        due = self._missed(place, why, [event.seq for event in batch])
        if due is None:
            self._move(batch[-1].seq)
            return True
        self._due = due
        self._keep(place)
        return False

    def _missed(self, place: Place, why: str, events: list[int]) -> float | None:
        """Count a failure. When to try again; None, once that is given up."""
        assert place.since_ms is not None, "it has failed"
        name, now_ms = self.lane.channel.name, self._time.now_ms()
        place.attempts += 1
        place.error = why[:500]
        if now_ms - place.since_ms >= self.lane.channel.give_up_s * 1000:
            since = rfc3339(place.since_ms)
            log.error("channel %s gives up event %d, failing since %s", name, events[0], since)
            detail = f"channel {name} gave up an event: {why}"
            self._notice("channel.gaveup", "critical", detail, events=events)
            return None
        wait_s = retry_s(place.attempts) * self._random.uniform(1 - JITTER, 1 + JITTER)
        log.warning("channel %s failed, again in %.0f s: %s", name, wait_s, why)
        return self._time.monotonic() + wait_s

    async def _pass_by(self, first: StoredEvent, second: StoredEvent) -> bool:
        """Try the next; if it is taken, the first was the fault, and stands in nobody's way."""
        try:
            await self.notifier.deliver([second])
        except NotDelivered:
            self._probe = self._time.monotonic() + PROBE_S
            return False
        one = Aside(
            replace(self.place, name=f"{self.lane.name}#{first.seq}", seq=first.seq),
            self._time.monotonic(),
        )
        self.aside.append(one)
        self._keep(one.place)
        self._delivered(second, f", all but event {first.seq}")
        return True

    async def _send_aside(self, one: Aside) -> None:
        """An event that was passed by, as soon as it may be sent."""
        seq = one.place.seq
        found = await self._read(seq - 1, 1)
        if not found or self.lane.waits(found[0], self._time.now_ms()):
            one.due = self._time.monotonic() + PROBE_S
            return
        wanted = found[0].seq == seq and self.lane.takes(found[0])
        try:
            if wanted:
                await self.notifier.deliver(found)
        except NotDelivered as error:
            due = self._missed(one.place, str(error), [seq])
            if due is not None:
                one.due = due
                self._keep(one.place)
                return
        self.aside.remove(one)
        one.place.over = True
        self._keep(one.place)

    def _delivered(self, last: StoredEvent, but: str) -> None:
        name = self.lane.channel.name
        if self.place.since_ms is not None:
            self._notice("channel.recovered", "info", f"channel {name} delivers again{but}")
        self._move(last.seq)

    def _move(self, seq: int) -> None:
        place = self.place
        place.seq, place.since_ms, place.attempts, place.error = seq, None, 0, None
        self._due = self._probe = self._time.monotonic()
        self._keep(place)

    def _keep(self, at: Place) -> None:
        self._tell("journal", Append([], place=replace(at)), NOBODY)

    def _notice(self, kind: str, severity: Severity, detail: str, **data: Any) -> None:
        """Said to everybody, so that another channel may carry it."""
        name = self.lane.channel.name
        closes = f"channel.failing {name}" if kind == "channel.recovered" else None
        draft = noticed(kind, severity, name, detail, closes=closes, channel=name, **data)
        self._tell("journal", Append([draft]), NOBODY)
