"""Every invariant after every step of seeded stories; and the faults that the stories must find."""

import logging
from collections.abc import Iterator

import pytest

from tests.simulation.auditor import Violation
from tests.simulation.plants import PLANTS, planted
from tests.simulation.story import tell

SEEDS = 60
FOUND_WITHIN = 60
"""Stories until a planted fault has to be found."""


@pytest.fixture(autouse=True, scope="module")
def _silence() -> Iterator[None]:
    """Falls and broken disks are what it is about; nobody need read of each."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("first", range(0, SEEDS, 20))
def test_no_story_breaks_an_invariant(first: int) -> None:
    for seed in range(first, first + 20):
        try:
            tally = tell(seed)
        except Violation as violation:
            pytest.fail(f"seed {seed}: {violation}; `python -m tests.simulation 1 --first {seed}`")
        assert tally.kills > 1
        assert tally.entries > 10


def test_a_seed_tells_the_same_story_again() -> None:
    """To the last entry: the digest is that of the journal's chain."""
    assert tell(7) == tell(7)
    assert tell(7).digest != tell(8).digest


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_found(name: str) -> None:
    with planted(name), pytest.raises((Violation, KeyError, AssertionError)):
        list(map(tell, range(FOUND_WITHIN)))
