"""Channels: where alerts go beside the streams, and how that goes."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from protocols.message import Request

ChannelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
ChannelKind = Literal["log", "webhook", "apprise"]


@dataclass(slots=True)
class ChannelShown:
    """One channel. `quiet`: it waits for the end of its quiet hours."""

    name: str
    kind: ChannelKind
    state: Literal["ok", "failing", "quiet"]
    delivered_seq: Annotated[
        int, Field(description="up to this event nothing is left to send, but for what is aside")
    ]
    failing_since: str | None = None
    attempts: int = 0
    failure: str | None = None
    aside: Annotated[int, Field(description="events it does not take, tried beside the others")] = 0


@dataclass(slots=True)
class Channels:
    items: list[ChannelShown]


class ListChannels(Request[Channels]):
    """Where alerts go: log, webhooks and what apprise reaches; what is failing, and since when."""


@dataclass(slots=True)
class ChannelTested:
    name: str
    delivered: bool
    failure: str | None = None


class TestChannel(Request[ChannelTested]):
    """Send a trial event through a channel now, quiet hours or not."""

    __test__ = False
    name: ChannelName
