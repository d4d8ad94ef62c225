"""One reader of the outbox: from where, what of it, page after page, for as long as it likes."""

from fnmatch import fnmatchcase
from typing import Annotated

import anyio
from aiohttp import web
from pydantic import Field, ValidationError

from protocols.errors import Busy
from protocols.events import EventType, ReadEvents
from protocols.feed import Feed, Frame, frame
from protocols.http.invalid import invalid, refuse
from protocols.message import Ask, Caller, Value
from protocols.names import Component

PAGE = 100
BUSY_S = 0.25
"""How long a reader stands back when the journal has too much to do."""


class Wanted(Value):
    """What a reader asks for in its query."""

    after: Annotated[str, Field(pattern=r"^(evt_)?[0-9]{1,18}$")] | None = Field(
        default=None, description="the last event it has seen; without it, only what is new"
    )
    component: Component | None = None
    type: EventType | None = None
    alerts: bool = False


def wanted(request: web.Request) -> Wanted:
    """Read the query; `Last-Event-ID`, which a browser sends by itself, stands for `after`."""
    fields = dict(request.query)
    last = request.headers.get("Last-Event-ID")
    if last is not None:
        fields["after"] = last
    try:
        return Wanted.model_validate_strings(fields)
    except ValidationError as error:
        raise invalid(Wanted, fields, error) from None


class Reading:
    """Where a reader is. Only what it may see and wants is handed on."""

    def __init__(self, ask: Ask, feed: Feed, caller: Caller, what: Wanted) -> None:
        self._ask = ask
        self._feed = feed
        self._caller = caller
        self._what = what
        self.seq = begin(what.after, feed.head)

    async def page(self) -> list[Frame]:
        """Wait for what comes next. It may be nothing, when nothing of it was wanted.

        Who stops waiting has missed nothing: the place moves on only with what is handed out.
        """
        await self._feed.turn(self.seq)
        frames = self._feed.since(self.seq)
        if frames is None:
            frames = await self._from_store()
        page = frames[:PAGE]
        if page:
            self.seq = page[-1].seq
        return [one for one in page if self._fits(one)]

    async def _from_store(self) -> list[Frame]:
        """It is further behind than what is kept in memory."""
        try:
            ask = ReadEvents(after=self.seq, limit=PAGE)
            return [frame(event) for event in await self._ask("journal", ask, self._caller)]
        except Busy:
            await anyio.sleep(BUSY_S)
            return []

    def _fits(self, one: Frame) -> bool:
        what, component = self._what, one.event.component
        if component != "":
            if not self._caller.may_act_for(component):
                return False
            if what.component not in (None, component):
                return False
        if what.alerts and not one.about_alert:
            return False
        return what.type is None or fnmatchcase(one.event.type, what.type)


def begin(after: str | None, head: int) -> int:
    """Where to go on. Raises `Invalid` for a place that the outbox does not have yet."""
    if after is None:
        return head
    seq = int(after.removeprefix("evt_"))
    if seq > head:
        raise refuse(
            {
                "field": "after",
                "problem": f"there is no event {seq}; the newest is {head}",
                "remedy": "begin with after=0: this is not the journal you read before",
            }
        )
    return seq
