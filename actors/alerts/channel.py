"""What a channel wants to hear, and when. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from protocols.channels import ChannelKind
from protocols.events import SEVERITIES, Severity, StoredEvent
from protocols.period import zone

MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day, in a zone, in which only what is critical is sent. May pass midnight."""

    starts_min: int
    ends_min: int
    zone: str

    def holds(self, now_ms: int) -> bool:
        at = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone(self.zone))
        since = (at.hour * 60 + at.minute - self.starts_min) % MINUTES
        return since < (self.ends_min - self.starts_min) % MINUTES


@dataclass(frozen=True, slots=True)
class Channel:
    """One way out."""

    name: str
    kind: ChannelKind
    severity: Severity = "info"
    everything: bool = False
    """Every event; otherwise only what raises, acknowledges or ends an alert."""
    quiet: Quiet | None = None
    group_s: int = 0
    """Wait so long for more of the same burst, and send all of it as one."""
    give_up_s: int = 24 * 3600

    def wants(self, event: StoredEvent) -> bool:
        return SEVERITIES.index(event.severity) >= SEVERITIES.index(self.severity)


@dataclass(frozen=True, slots=True)
class Lane:
    """A channel's events in order. What is critical has a lane of its own, so that it need not
    wait for quiet hours to end or for a burst to be over.
    """

    channel: Channel
    urgent: bool
    both: bool = False
    """Whether all events take this lane: nothing of this channel ever waits."""

    @property
    def name(self) -> str:
        return f"{self.channel.name} urgent" if self.urgent else self.channel.name

    def takes(self, event: StoredEvent) -> bool:
        return self.channel.wants(event) and (
            self.both or self.urgent == (event.severity == "critical")
        )

    def waits(self, event: StoredEvent, now_ms: int) -> bool:
        """Whether it is too early to send this one and what came after it."""
        if self.urgent:
            return False
        channel = self.channel
        if channel.quiet is not None and channel.quiet.holds(now_ms):
            return True
        return now_ms < event.at_ms + channel.group_s * 1000


def lanes_of(channel: Channel) -> tuple[Lane, ...]:
    if channel.quiet is None and not channel.group_s:
        return (Lane(channel, urgent=False, both=True),)
    return (Lane(channel, urgent=True), Lane(channel, urgent=False))


def retry_s(attempts: int) -> float:
    """How long to wait after so many failures: 5 seconds, doubling, at most an hour."""
    return float(min(5 * 2 ** min(attempts - 1, 16), 3600))
