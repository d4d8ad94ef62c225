"""pykka's future, awaitable on the loop and still blocking in threads."""

import asyncio  # noqa: TID251
import contextlib
import queue
import sys
import threading
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Generic, TypeAlias, TypeVar

import pykka

T = TypeVar("T")

ExcInfo: TypeAlias = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class BlockingOnLoop(RuntimeError):
    """Somebody is about to stop the whole loop to wait for one answer."""

    def __init__(self, future: "LoopFuture[Any]") -> None:
        super().__init__(
            "get(), ask() and stop() would block the event loop: "
            "use await, as in `await ref.ask(message, block=False)`"
        )
        self.future = future


class LoopFuture(pykka.Future[T], Generic[T]):
    """Set once, from any thread. `await` it on a loop; `get()` it in a thread without one."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._outcome: tuple[Any, ExcInfo | None] | None = None
        self._wakers: list[Callable[[], object]] = []

    def get(self, *, timeout: float | None = None) -> T:
        if self.is_pending():
            self._block(timeout)
        if self._get_hook is not None:
            return super().get(timeout=timeout)
        return self._result()

    def set(self, value: T | None = None) -> None:
        self._finish((value, None))

    def set_exception(self, exc_info: ExcInfo | None = None) -> None:
        self._finish((None, exc_info or sys.exc_info()))

    def set_get_hook(self, func: Callable[[float | None], T]) -> None:
        with self._lock:
            if self._outcome is not None:
                raise queue.Full
            super().set_get_hook(func)
        self._wake()

    def __await__(self) -> Generator[Any, None, T]:
        """Wait without blocking.

        A hooked future (`stop()`, `map()`, `join()` and their like) is tried, and tried again
        after each inner future it would have blocked on.
        """
        while True:
            if self.is_pending():
                yield from self.waiter().__await__()
            elif self._get_hook is None:
                return self._result()
            else:
                try:
                    return self.get()
                except BlockingOnLoop as blocked:
                    if not blocked.future.is_pending():  # an actor's own mistake, not ours
                        raise
                    yield from blocked.future.waiter().__await__()

    __iter__ = __await__

    def is_pending(self) -> bool:
        return self._outcome is None and self._get_hook is None

    def _result(self) -> T:
        assert self._outcome is not None
        value, exc_info = self._outcome
        if exc_info is None:
            return value  # type: ignore[no-any-return]
        kind, error, traceback = exc_info
        if error is None:
            assert kind is not None
            error = kind()
        raise error.with_traceback(traceback)

    def _finish(self, outcome: tuple[Any, ExcInfo | None]) -> None:
        with self._lock:
            if not self.is_pending():
                raise queue.Full
            self._outcome = outcome
        self._wake()

    def _block(self, timeout: float | None) -> None:
        if running_loop() is not None:
            raise BlockingOnLoop(self)
        done = threading.Event()
        self._when_done(done.set)
        if not done.wait(timeout):
            raise pykka.Timeout(f"{timeout} seconds")

    def waiter(self) -> "asyncio.Future[None]":
        """Make a future of this very waiter: cancelled with it, it leaves the answer alone."""
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        self._when_done(lambda: loop.call_soon_threadsafe(release, waiter))
        return waiter

    def _when_done(self, waker: Callable[[], object]) -> None:
        with self._lock:
            if self.is_pending():
                self._wakers.append(waker)
                return
        waker()

    def _wake(self) -> None:
        wakers, self._wakers = self._wakers, []
        for waker in wakers:
            with contextlib.suppress(RuntimeError):  # the waiter's loop is closed by now
                waker()


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def release(waiter: "asyncio.Future[None]") -> None:
    """Wake a waiter, unless it was cancelled or woken before."""
    if not waiter.done():
        waiter.set_result(None)
