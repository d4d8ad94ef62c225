"""What every test has: one event loop, asyncio's."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
