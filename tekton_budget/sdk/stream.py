"""A stream that is passed on event by event, and settled when it ends."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

from tekton_budget.hold import AsyncHold, Hold
from tekton_budget.sdk.end import settle, settle_async
from tekton_budget.usage import usage_of


class Heard:
    """What the events of a stream said of its usage: the last word counts, nothing is added."""

    def __init__(self, *, hide_usage: bool) -> None:
        self.usage: dict[str, Any] = {}
        self.begun = False
        self.whole = False
        """Whether the last word on usage was heard; Anthropic's first one counts no output."""
        self._hide = hide_usage

    def hear(self, event: Any) -> bool:
        """Whether the caller gets to see this event."""
        self.begun = True
        for holder in (event, getattr(event, "message", None), getattr(event, "response", None)):
            told = usage_of(holder) if getattr(holder, "usage", None) is not None else {}
            self.whole |= bool(told) and getattr(event, "type", None) != "message_start"
            for name, value in told.items():
                merged = isinstance(value, dict) and isinstance(self.usage.get(name), dict)
                self.usage[name] = _later(self.usage[name], value) if merged else value
        return not (self._hide and getattr(event, "choices", None) == [] and self.usage)

    @property
    def used(self) -> dict[str, Any]:
        """Nothing, which costs what was held, unless all of it is known."""
        return self.usage if self.whole else {}


def _later(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Anthropic's closing event leaves out what its opening one said."""
    return before | {name: value for name, value in now.items() if value is not None}


class Stream:
    """As the SDK's own stream, which it wraps."""

    def __init__(self, inner: Any, hold: Hold, *, hide_usage: bool) -> None:
        self._inner = inner
        self._hold = hold
        self._heard = Heard(hide_usage=hide_usage)
        self._ended = False
        self._events = self._run()

    def _run(self) -> Iterator[Any]:
        try:
            for event in self._inner:
                if self._heard.hear(event):
                    yield event
        except BaseException as error:
            self._end(error)
            raise
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        if self._ended:
            return
        self._ended = True
        if self._heard.begun or error is None:
            settle(self._hold, self._heard.used)
        else:
            self._hold.__exit__(type(error), error, None)

    def __iter__(self) -> Iterator[Any]:
        return self._events

    def __next__(self) -> Any:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nobody reads on: what was heard is booked, or the hold itself."""
        self._inner.close()
        self._end(None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class AsyncStream:
    """As `Stream`, for coroutines."""

    def __init__(self, inner: Any, hold: AsyncHold, *, hide_usage: bool) -> None:
        self._inner = inner
        self._hold = hold
        self._heard = Heard(hide_usage=hide_usage)
        self._ended = False
        self._events = self._run()

    async def _run(self) -> AsyncIterator[Any]:
        try:
            async for event in self._inner:
                if self._heard.hear(event):
                    yield event
        except BaseException as error:
            await self._end(error)
            raise
        await self._end(None)

    async def _end(self, error: BaseException | None) -> None:
        if self._ended:
            return
        self._ended = True
        if self._heard.begun or error is None:
            await settle_async(self._hold, self._heard.used)
        else:
            await self._hold.end(error)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._events

    async def __anext__(self) -> Any:
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Nobody reads on: what was heard is booked, or the hold itself."""
        await self._inner.close()
        await self._end(None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
