"""The long run's program runs, and its judge knows a leak when it sees one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.soak.judge import MB, Sample, findings
from tests.soak.run import soak

STEADY = [
    Sample(at_s=n, operations=100 * n, rss_bytes=90 * MB, threads=6, descriptors=30,
           wal_bytes=4 * MB, p50_ms=2.0, p99_ms=9.0)
    for n in range(40)
]  # fmt: skip


@pytest.mark.anyio
async def test_a_short_run_goes_through_and_its_journal_verifies(tmp_path: Path) -> None:
    samples: list[Sample] = []
    found = await soak(tmp_path, 3.0, 400.0, 0.25, samples.append)

    assert [one for one in found if not one.startswith(("rss", "p99", "desc"))] == []
    assert samples[-1].operations > samples[0].operations > 0


def test_what_stays_as_it_is_is_no_leak() -> None:
    assert findings(STEADY) == []


@pytest.mark.parametrize(
    ("name", "a_step"),
    [("rss_bytes", 2 * MB), ("threads", 1), ("descriptors", 1), ("p99_ms", 20.0)],
)
def test_what_only_grows_is_found(name: str, a_step: Any) -> None:
    growing = [
        replace(one, **{name: getattr(one, name) + a_step * n}) for n, one in enumerate(STEADY)
    ]
    assert any(name in found for found in findings(growing))


def test_a_log_that_grows_too_large_and_a_standstill_are_found() -> None:
    large = [*STEADY[:-1], replace(STEADY[-1], wal_bytes=70 * MB)]
    assert any("log" in found for found in findings(large))
    still = [replace(one, operations=7) for one in STEADY]
    assert any("nothing was answered" in found for found in findings(still))
