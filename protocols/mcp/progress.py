"""Signs of life while a call takes long, for a client that asked for them."""

from collections.abc import Awaitable
from typing import TypeVar

import anyio

from protocols.mcp.context import Context

T = TypeVar("T")

EVERY_S = 2.0


class Course:
    """How far a call has come, where it tells: entries read, and how many there are."""

    def __init__(self) -> None:
        self.seen: tuple[int, int] | None = None

    def take(self, done: int, total: int) -> None:
        """May be called on another thread."""
        self.seen = done, total


async def progressing(ctx: Context, what: str, work: Awaitable[T], course: Course) -> T:
    """Say that it has begun and that it still goes on; how far it is only where it is known."""
    report = ctx.session.report_progress

    async def go_on() -> None:
        seconds = 0.0
        while True:
            if course.seen is None:
                await report(seconds, None, f"{what} has been at it for {seconds:g} s")
            else:
                done, total = course.seen
                await report(done, total, f"{done:,} of {total:,} entries")
            await anyio.sleep(EVERY_S)
            seconds += EVERY_S

    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(go_on)
        try:
            return await work
        except Exception as error:  # noqa: BLE001  # goes on below, and not as a group
            failure = error
        finally:
            tasks.cancel_scope.cancel()
    assert failure is not None
    raise failure
