"""What every test has: one event loop, asyncio's."""

import os

import pytest

os.environ["BUDGET_PRICES__REFRESH_HOURS"] = "0"
"""No daemon that a test starts asks the internet what models cost."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
