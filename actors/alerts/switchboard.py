"""All channels: each lane's delivery, how they are, and a trial of one."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from actors.alerts.channel import Channel, lanes_of
from actors.alerts.delivery import Delivery
from actors.alerts.dispatch import Dispatch
from actors.ports import NotDelivered, Notifier
from actors.runtime import NOBODY
from actors.tell import Tell
from actors.time import LedgerTime
from protocols.channels import Channels, ChannelShown, ChannelTested, TestChannel
from protocols.errors import NotFound
from protocols.events import Place, StoredEvent
from protocols.journal import Append
from protocols.message import Call
from protocols.period import rfc3339


class Switchboard:
    """A channel that is new begins with what happens from now on."""

    def __init__(
        self, tell: Tell, time: LedgerTime, ways: Mapping[Channel, Notifier], begin: Dispatch
    ) -> None:
        self.tell = tell
        self.time = time
        self.ways = ways
        self.deliveries = [
            Delivery(
                lane, notifier, begin.places.get(lane.name) or self._new(lane.name, begin.seq),
                [at for name, at in begin.places.items() if name.startswith(f"{lane.name}#")],
                tell, time, Random(),  # noqa: S311  # jitter
            )
            for channel, notifier in ways.items()
            for lane in lanes_of(channel)
        ]  # fmt: skip

    def open(self, spawn: Callable[..., object]) -> None:
        for delivery in self.deliveries:
            spawn(delivery.run)

    def close(self) -> None:
        for delivery in self.deliveries:
            delivery.close()

    def ring(self, *, news: bool) -> None:
        for delivery in self.deliveries:
            delivery.ring(news=news)

    def shown(self) -> Channels:
        return Channels([self._shown(delivery) for delivery in self.deliveries])

    async def test(self, ask: TestChannel, call: Call[Any]) -> None:
        """Send a trial event past all lanes; it is not in the outbox."""
        channel = next((one for one in self.ways if one.name == ask.name), None)
        if channel is None:
            known = ", ".join(one.name for one in self.ways) or "none is configured"
            call.refuse(NotFound(f"there is no channel {ask.name}", hint=f"there are: {known}"))
            return
        detail = '{"detail":"a trial of this channel; nothing has happened"}'
        trial = StoredEvent(
            0, 0, self.time.now_ms(), "channel.test", "info", "", ask.name, None, raised=False,
            data=detail,
        )  # fmt: skip
        failure = None
        try:
            await self.ways[channel].deliver([trial])
        except NotDelivered as error:
            failure = str(error)
        call.answer(ChannelTested(ask.name, failure is None, failure))

    def _new(self, name: str, seq: int) -> Place:
        self.tell("journal", Append([], place=Place(name, seq)), NOBODY)
        return Place(name, seq)

    def _shown(self, delivery: Delivery) -> ChannelShown:
        place, channel = delivery.place, delivery.lane.channel
        quiet = channel.quiet is not None and channel.quiet.holds(self.time.now_ms())
        shown = ChannelShown(delivery.lane.name, channel.kind, "ok", place.seq)
        shown.aside = len(delivery.aside)
        if place.since_ms is not None:
            shown.state, shown.failing_since = "failing", rfc3339(place.since_ms)
            shown.attempts, shown.failure = place.attempts, place.error
        elif quiet and not delivery.lane.urgent:
            shown.state = "quiet"
        return shown
