"""Who watches a resource hears that it has changed, in both eras of the protocol.

What changed comes from the outbox, like every live event. Only the address is told: whoever hears
of it reads it again, with their own rights.
"""

import json
from collections.abc import Iterable, Iterator

from anyio import BrokenResourceError, ClosedResourceError
from mcp.server.session import ServerSession
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    ResourcesListChanged,
    ResourceUpdated,
)
from mcp.shared.exceptions import MCPError
from mcp_types import EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams

from protocols.events import StoredEvent
from protocols.feed import Feed
from protocols.mcp.context import Context
from protocols.mcp.resources import EVERYTHING, address, price_address

ABOUT_POLICIES = ("policy.", "budget.", "call.denied", "threshold.", "limit.", "window.")
SESSIONS_MAX = 1000
WATCHED_MAX = 200
"""Addresses one session may watch."""


def addresses(event: StoredEvent) -> Iterator[str]:
    """The resources that an event says something new about."""
    if event.type.startswith(ABOUT_POLICIES):
        yield EVERYTHING
        yield address(event.subject)
    elif event.type == "price.changed":
        for version in json.loads(event.data).get("price_versions", ()):
            provider, _, model = version.partition("@")[0].partition("/")
            yield price_address(provider, model)


class Changes:
    """Reads the outbox along, and tells those who watch."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._bus = InMemorySubscriptionBus()
        self._watching: dict[str, tuple[ServerSession, set[str]]] = {}
        """Sessions of the older era, by their id."""
        self.listen = ListenHandler(self._bus)

    async def run(self) -> None:
        seq = self._feed.head
        while True:
            await self._feed.turn(seq)
            frames = self._feed.since(seq) or []
            seq = frames[-1].seq if frames else self._feed.head
            events = [frame.event for frame in frames]
            await self._tell(dict.fromkeys(uri for event in events for uri in addresses(event)))
            if any(event.type in ("policy.changed", "policy.removed") for event in events):
                await self._bus.publish(ResourcesListChanged())

    async def _tell(self, changed: Iterable[str]) -> None:
        for uri in changed:
            await self._bus.publish(ResourceUpdated(uri=uri))
            for name, (session, watched) in list(self._watching.items()):
                if uri not in watched:
                    continue
                try:
                    await session.send_resource_updated(uri)
                except (MCPError, ClosedResourceError, BrokenResourceError):
                    self._watching.pop(name, None)

    async def subscribe(self, ctx: Context, params: SubscribeRequestParams) -> EmptyResult:
        """Keep the newest sessions: those that went away are never told of it."""
        name = _session(ctx)
        _, watched = self._watching.pop(name, (ctx.session, set()))
        if len(watched) < WATCHED_MAX:
            watched.add(params.uri)
        self._watching[name] = (ctx.session, watched)
        while len(self._watching) > SESSIONS_MAX:
            del self._watching[next(iter(self._watching))]
        return EmptyResult()

    async def unsubscribe(self, ctx: Context, params: UnsubscribeRequestParams) -> EmptyResult:
        _, watched = self._watching.get(_session(ctx), (ctx.session, set()))
        watched.discard(params.uri)
        return EmptyResult()


def _session(ctx: Context) -> str:
    assert ctx.request is not None, "only HTTP reaches this server"
    name: str = ctx.request.headers.get("mcp-session-id", "")
    return name
