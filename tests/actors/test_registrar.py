"""Tokens end on their day, and a registrar that fell knows what is on disk, no more."""

import pytest

from actors.time import LedgerTime
from actors.tokens.known import ID, Known, KnownTokens, digest, new_token
from actors.tokens.registrar import Registrar
from protocols.errors import Unauthenticated
from protocols.message import Caller
from tests.harness.clock import FakeClock

TOKEN = new_token()


def body(**fields: object) -> dict[str, object]:
    return {
        "name": "apollo", "id": TOKEN[ID], "role": "report", "components": ["apollo"],
        "digest": digest(TOKEN).hex(), "made_ms": 1_000, "by": "admin", "expires_ms": None,
        "why": None,
    } | fields  # fmt: skip


def registered(clock: FakeClock, *kept: dict[str, object]) -> KnownTokens:
    tokens = KnownTokens("hint", clock.now_ms)
    Registrar(lambda *_: None, LedgerTime(clock, 0), tokens, kept)
    return tokens


def test_a_token_is_good_until_its_last_millisecond() -> None:
    clock = FakeClock(1_000)
    tokens = registered(clock, body(expires_ms=61_000))

    clock.pass_by(59_999)
    assert tokens.caller(f"Bearer {TOKEN}").components == {"apollo"}
    clock.pass_by(1)
    with pytest.raises(Unauthenticated, match="has expired"):
        tokens.caller(f"Bearer {TOKEN}")


def test_after_a_fall_only_what_is_on_disk_is_known() -> None:
    clock = FakeClock(1_000)
    tokens = registered(clock, body())
    tokens.learn(Known("filed123", digest("x"), Caller("filed", "read"), "a file"))
    heard: list[str] = []
    tokens.ended.append(heard.append)

    Registrar(lambda *_: None, LedgerTime(clock, 0), tokens, [])

    assert heard == ["apollo"]
    assert list(tokens.by_id) == ["filed123"]
