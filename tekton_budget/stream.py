"""Asks of many coroutines over one connection that stays open: NDJSON both ways.

Each is a line with a number, and its outcome comes as a line with the same number, whatever the
order. A connection that breaks leaves unknown what was under way: it is asked again under the same
key, over the next one.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from itertools import count

from tekton_budget.ask import PREFIX, Ask, Json, compact
from tekton_budget.async_wire import AsyncWire, Link, head, header, parts
from tekton_budget.errors import BudgetError, broke_off, read
from tekton_budget.find import Place
from tekton_budget.item import item, outcome

LINE_MAX = 65_536
"""Longer ones go in a request of their own, so that nobody waits behind them."""
KIND = "application/x-ndjson"
OPENING: Ask[Json] = Ask("POST", f"{PREFIX}/stream", {}, dict)
HEADERS = {"Accept": KIND, "Content-Type": KIND, "Transfer-Encoding": "chunked"}


class StreamWire:
    """Sends what may go among others over one connection, and all else as `AsyncWire` does."""

    def __init__(self, where: Callable[[], Place], timeout_s: float) -> None:
        self._plain = AsyncWire(where, timeout_s)
        self._timeout_s = timeout_s
        self._opening: asyncio.Task[Stream] | None = None

    async def send(self, ask: Ask[object]) -> dict[str, object]:
        """The answer as JSON. Raises `BudgetError`."""
        told = item(ask)
        line = b"" if told is None else compact(told)
        if not 0 < len(line) <= LINE_MAX:
            return await self._plain.send(ask)
        stream = await self._stream()
        return await stream.send(line, self._timeout_s)

    async def _stream(self) -> "Stream":
        """The one that is open; all who need a new one wait for the same."""
        opening = self._opening
        if opening is None or _gone(opening):
            self._opening = opening = asyncio.create_task(self._open())
        try:
            return await asyncio.shield(opening)
        except BudgetError as error:
            raise copy(error) from None

    async def _open(self) -> "Stream":
        return Stream(await self._plain.open())

    async def close(self) -> None:
        opening, self._opening = self._opening, None
        if opening is not None:
            with suppress(BudgetError):
                await (await opening).close(self._timeout_s)
        await self._plain.close()


def _gone(opening: "asyncio.Task[Stream]") -> bool:
    if not opening.done():
        return False
    return opening.cancelled() or opening.exception() is not None or opening.result().over


class Stream:
    """One connection. Once `over` it takes no more."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._numbers = count(1)
        self._lines: list[bytes] = []
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        """In the order in which they were said. Who stopped waiting keeps the place."""
        self._nameless: list[BudgetError] = []
        """Refusals of lines that could not even be read, in their order."""
        self._heard = 0
        self.over = False
        link.writer.write(header(OPENING, link.place, HEADERS))
        self._reading = asyncio.create_task(self._read())

    async def send(self, line: bytes, timeout_s: float) -> Json:
        """The answer as JSON. Raises `BudgetError`."""
        heard = self._heard
        try:
            async with asyncio.timeout(timeout_s):
                await self._link.writer.drain()
                return await self._say(line)
        except OSError as problem:
            if isinstance(problem, TimeoutError) and self._heard == heard:  # nobody is answered
                self._reading.cancel()
            raise broke_off(self._link.place.url, problem) from None

    def _say(self, line: bytes) -> "asyncio.Future[Json]":
        if self.over:
            raise ConnectionError("the stream has ended")
        number, loop = next(self._numbers), asyncio.get_running_loop()
        if not self._lines:  # what is said in one turn of the loop goes in one piece
            loop.call_soon(self._flush)
        self._lines.append(b'{"id":%d,%b\n' % (number, line[1:]))
        self._waiting[number] = answer = loop.create_future()
        return answer

    def _flush(self) -> None:
        text = b"".join(self._lines)
        self._lines.clear()
        if text and not self._link.writer.is_closing():
            self._link.writer.write(b"%x\r\n%b\r\n" % (len(text), text))

    def _finish(self) -> None:
        """Say no more. What was said is still answered."""
        if not self.over:
            self.over = True
            self._flush()
            self._link.writer.write(b"0\r\n\r\n")

    async def _read(self) -> None:
        url = self._link.place.url
        refusal: BudgetError = broke_off(url, ConnectionError("it does not answer"))
        try:
            await self._listen()
            self._give_back()
            refusal = broke_off(url, EOFError("the stream has ended"))
        except BudgetError as error:
            refusal = error
        except (OSError, EOFError, ValueError, LookupError, asyncio.LimitOverrunError) as problem:
            refusal = broke_off(url, problem)
        finally:
            self._end(refusal)

    async def _listen(self) -> None:
        """Take every outcome to who waits for it, until there are no more."""
        url, reader = self._link.place.url, self._link.reader
        status, headers = await head(reader)
        body = parts(reader, headers)
        if headers.get("content-type") != KIND:
            read(url, status, b"".join([part async for part in body]))
            raise ValueError("it answers, but not with a stream")
        rest = b""
        async for part in body:
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                self._hear(json.loads(line))

    def _hear(self, told: Json) -> None:
        self._heard += 1
        found = outcome(told)
        if told["id"] is not None:
            _answer(self._waiting.pop(told["id"]), found)
        elif isinstance(found, BudgetError):
            self._nameless.append(found)
            self._finish()  # in the end it shows whose it is

    def _give_back(self) -> None:
        """All that was read has been answered: the first of the rest could not be read."""
        for refusal, number in zip(self._nameless, list(self._waiting), strict=False):
            _answer(self._waiting.pop(number), refusal)

    def _end(self, refusal: BudgetError) -> None:
        self.over = True
        self._link.writer.transport.abort()
        for answer in self._waiting.values():
            _answer(answer, copy(refusal))

    async def close(self, timeout_s: float) -> None:
        """Once all that was said is answered, but for those who answer too late."""
        self._finish()
        await asyncio.wait([self._reading], timeout=timeout_s)
        self._reading.cancel()
        with suppress(OSError):
            await self._link.writer.wait_closed()


def _answer(answer: "asyncio.Future[Json]", found: Json | BudgetError) -> None:
    if answer.done():  # nobody waits any more
        return
    if isinstance(found, BudgetError):
        answer.set_exception(found)
    else:
        answer.set_result(found)
