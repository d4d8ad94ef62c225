"""Which keys may have been used: never a wrong no, seldom a wrong yes, and no memory for ever."""

import hashlib
from pathlib import Path

import anyio
import pytest

from actors.journal.projection import Changes
from actors.ledger import sieve
from actors.ledger.sieve import Sieve, UsedKeys
from actors.ports import Batch, KeptKey
from daemon.journal.store import SqliteStore
from protocols.journal import FoldKeys


def keys(first: int, last: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % number).digest()[:16] for number in range(first, last)]


@pytest.fixture(autouse=True)
def _small_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As full as a layer ever gets, with fewer keys."""
    monkeypatch.setattr(sieve, "BITS", 1 << 17)
    monkeypatch.setattr(sieve, "KEYS_MAX", (1 << 17) // 12)


def test_a_used_key_is_always_known_and_a_new_one_nearly_never() -> None:
    used = Sieve(60.0, lambda: 0.0)
    for key in keys(0, sieve.KEYS_MAX):
        used.add(key)

    assert all(key in used for key in keys(0, sieve.KEYS_MAX))
    assert sum(key in used for key in keys(100_000, 120_000)) < 200


def test_a_layer_goes_when_its_keys_are_older_than_the_journal_keeps_them() -> None:
    now_s = 0.0
    used = Sieve(60.0, lambda: now_s)
    first, second, third = (keys(n * sieve.KEYS_MAX, (n + 1) * sieve.KEYS_MAX) for n in range(3))
    for key in (*first, *second[:1]):
        used.add(key)
    now_s = 59.0
    for key in (*second[1:], *third[:1]):
        used.add(key)
    assert all(key in used for key in (*first, *second, *third[:1]))
    now_s = 61.0
    for key in (*third[1:], b"the next layers"):
        used.add(key + b" " * (16 - len(key)))
    assert all(key in used for key in (*second, *third))
    assert sum(key in used for key in first) < len(first) // 10


def test_keys_of_before_the_start_are_learnt_beside_everything(tmp_path: Path) -> None:
    """Until they are, every key is looked up."""
    before, later = keys(0, 3_000), keys(3_000, 6_000)
    used = UsedKeys(None)
    assert all(key in used for key in later)

    anyio.run(learn, tmp_path, before, used)
    assert all(key in used for key in before)
    assert sum(key in used for key in later) < 300
    used.new.add(later[0])
    assert later[0] in used


async def learn(home: Path, before: list[bytes], used: UsedKeys) -> None:
    store = await SqliteStore.open(home)
    try:
        kept = [KeptKey(key, b"", refused=False, answer="{}", at_ms=1) for key in before]
        await store.append(Batch([], Changes(), kept))
        await store.fold_keys(FoldKeys(used.came))
    finally:
        await store.close()
