"""What every test has: one event loop, asyncio's."""

import os

import pytest
from hypothesis import settings

os.environ["BUDGET_PRICES__REFRESH_HOURS"] = "0"
"""No daemon that a test starts asks the internet what models cost."""

settings.register_profile("house", deadline=None)
"""No example is judged by the clock: a machine that others use as well is slow at times."""
settings.load_profile("house")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
