"""The programs that measure run: each of them once, with tiny numbers. No figure is looked at."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import anyio
import pytest

from benchmarks import (
    debugging,
    extras,
    fanout,
    inside,
    prefill,
    reports,
    rules,
    saturation,
    streams,
)  # fmt: skip
from benchmarks.fanout import fanned_out
from benchmarks.fanout import table as readers_table
from benchmarks.goals import GOALS, from_samples, goals_table
from benchmarks.houses import Houses, spacious, targets
from benchmarks.measure import CROWD, Effort, Samples, measure
from benchmarks.profile import LOOP, STORE, looks, place_of
from benchmarks.profile import table as places_table
from benchmarks.report import as_json, begun_table, table
from benchmarks.saturation import flooded
from benchmarks.saturation import table as flood_table
from benchmarks.servers import Server, bare
from daemon.config.load import load

TINY = Effort(rounds=1, seconds=0.05, requests_max=20, callers=(1, CROWD))
LONG = "10 calls"
WITHIN_S = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with spacious("asyncio", tmp_path_factory.mktemp("house")) as started:
        yield started


def quiet(*_: object) -> None:
    """Nobody looks at the progress."""


def test_a_history_in_which_most_calls_are_copies_of_the_first_is_true(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefill, "MONTH_MS", 3_600_000)
    models = ("gpt-4o-mini", "gpt-4o")
    path = prefill.prefilled(tmp_path, 700, models=models, progress=quiet)

    assert prefill.prefilled(tmp_path, 700, models=models) == path, "and it is used again"
    assert reports.by_hand(path) > 0

    monkeypatch.setattr(prefill, "VERIFIED_MAX", 0)
    prefill.check(path.parent, 700, quiet)
    with pytest.raises(AssertionError, match="of 701 calls"):
        prefill.check(path.parent, 701, quiet)


@pytest.mark.parametrize(
    ("text", "policies"),
    [(rules.without_policies(), 0), (rules.text(), 10), (rules.with_a_hundred(), 100),
     (rules.with_strangers(), 1_000), (rules.with_room(77), 10)],
)  # fmt: skip
def test_there_are_as_many_policies_as_is_said(tmp_path: Path, text: str, policies: int) -> None:
    settings = load(rules.written(tmp_path, text), environ={})

    assert len({policy.name for policy in settings.policies}) == policies


@pytest.mark.anyio
async def test_every_row_is_measured_and_every_goal_is_told(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((fanout, "CALM_S"), (saturation, "AFTER_S"), (extras, "REPORTS")):
        monkeypatch.setattr(module, name, 1 if name == "REPORTS" else 0)
    with bare(tmp_path, "asyncio") as plain:
        houses = Houses(plain, server, server, server, server, server, server, server)
        samples: Samples = {}
        with anyio.fail_after(WITHIN_S):
            async for _, measured in measure(targets(houses, LONG), TINY):
                samples = measured
            found = from_samples(samples, LONG)
            found |= await extras.tails(server, 200.0, 0.2)
            found |= await extras.reporting(server)
            found |= await extras.with_components(server, 3)
            began = [await extras.begun("no journal", tmp_path / "new", "asyncio")]
            flood = await flooded(server, 0.4, connections=200)
            told = await fanned_out(server, (1, 2))
    found |= {"start_s": began[0].start_s, "refused_ms": flood.refused_p99}
    inside_alone = {"ask_us", "hops_us", "group_commit"}

    assert {goal.name for goal in GOALS} - found.keys() == inside_alone
    assert len(goals_table({"asyncio": found}).splitlines()) == len(GOALS) + 2
    assert len(table(samples).splitlines()) == len(samples) + 2
    assert len(begun_table(began).splitlines()) == 3
    assert len(readers_table(told).splitlines()) == 6
    assert flood.without_retry_after == 0
    assert flood_table(flood)
    assert as_json("", {"asyncio": found}, {"asyncio": samples}, {"asyncio": {"events": told}})


@pytest.mark.anyio
async def test_the_parts_are_measured_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CALLERS", "ASKS", "ROUNDS", "WRITERS", "WRITES"):
        monkeypatch.setattr(inside, name, 2)

    found = await inside.asks() | await inside.commits()

    assert found.keys() == {"ask_us", "hops_us", "group_commit"}


@pytest.mark.anyio
async def test_reports_and_readers_are_measured_beside_reserves(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "READERS", 3)
    with anyio.fail_after(WITHIN_S):
        assert reports.table(await reports.rounds(server, 1, 0.1), 1.0)
        assert streams.table(await streams.rounds(server, 1, 0.1))


def test_what_debugging_costs_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debugging, "EFFORT", TINY._replace(callers=(1,)))
    for name in ("RESERVES", "TURNS", "TIMES"):
        monkeypatch.setattr(debugging, name, 5)

    assert debugging.main() in (0, 1)


def test_a_sample_belongs_to_the_innermost_frame_of_ours() -> None:
    root = ["<module> (<string>:1)", "run (daemon/cli/__init__.py:36)", "_run_once (asyncio/b:1)"]
    writer = ["_bootstrap (threading.py:1)", "_connection_worker_thread (aiosqlite/core.py:66)"]
    heard = [*root, "_hear (actors/runtime/service.py:52)", "admit (actors/policy/moves.py:70)"]

    assert place_of(root) == LOOP
    assert place_of(heard) == place_of([*heard, "bisect (bisect.py:3)"])
    assert "policies" in str(place_of(heard))
    assert place_of([*writer, "write (daemon/journal/write.py:76)"]) == STORE
    assert place_of([*root, "EpollSelector.select (selectors.py:468)"]) is None


@pytest.mark.anyio
async def test_a_profile_is_taken_of_a_living_daemon(server: Server, tmp_path: Path) -> None:
    flames = tmp_path / "flames.svg"
    spy = [Path(sys.executable).with_name("py-spy"), "dump", "--pid", str(server.pid)]
    if subprocess.run(spy, capture_output=True, check=False).returncode:  # noqa: ASYNC221
        pytest.skip("py-spy may not look into other processes here")

    with anyio.fail_after(WITHIN_S):
        seen = await looks(server, 1.0, tmp_path, flames)

    assert median(look.shares.total() for look in seen) > 0
    assert "<svg" in flames.read_text(encoding="utf-8")
    assert len(places_table(seen).splitlines()) > len(seen)
