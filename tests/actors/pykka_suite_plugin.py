"""Runs inside pykka's own test suite and gives it a second runtime: our actors on a loop.

The suite is synchronous, so the loop lives in a background thread, and everything the suite does
comes from another thread.
"""

import threading
import time
from collections.abc import Iterator

import anyio
import pytest
from tests.types import Runtime

from actors.runtime import ActorLoop, LoopActor, LoopFuture
from tests.conftest import RUNTIMES  # pykka's tests, not ours

RUNTIMES["loop"] = pytest.param(
    Runtime(
        name="loop",
        actor_class=LoopActor,
        event_class=threading.Event,
        future_class=LoopFuture,
        sleep_func=time.sleep,
    ),
    id="loop",
)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Name the runtimes anew: the suite's fixture read the table before we could add to it."""
    if "runtime" in metafunc.fixturenames:
        both = pytest.mark.parametrize(
            "runtime", [*RUNTIMES.values()], indirect=True, scope="session"
        )
        metafunc.definition.add_marker(both)


@pytest.fixture(scope="session", autouse=True)
def _loop() -> Iterator[None]:
    started, over = threading.Event(), threading.Event()

    async def live() -> None:
        async with ActorLoop():
            started.set()
            await anyio.to_thread.run_sync(over.wait)

    thread = threading.Thread(target=anyio.run, args=(live,))
    thread.start()
    assert started.wait(5)
    yield
    over.set()
    thread.join(5)
    assert not thread.is_alive()
