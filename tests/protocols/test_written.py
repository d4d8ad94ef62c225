"""A reply that has part of its JSON already is the same document as one written whole."""

import pytest
from pydantic import TypeAdapter
from pydantic_core import from_json

from protocols.ledger import Held, Reservation
from protocols.policy.charge import Standing, WindowShown
from protocols.policy.standing import Standings
from protocols.written import writer

WINDOW = WindowShown("2026-11-24T00:00:00.000Z", None)
ROWS = [
    Standing("a", "usd", "1.000000000", "0.100000000", "0.000000000", "0.900000000", WINDOW),
    Standing("b", "calls", 7, 3, 0, 4, WINDOW),
]
TEXT = TypeAdapter(list[Standing]).dump_json(ROWS).decode()


def reservation(policies: "Standings | list[Standing]") -> Reservation:
    return Reservation(
        "rsv_1", "held", "allowed", "apollo", "openai", "gpt-4o", Held("0.1", 2, 1), "v",
        estimated=False, expires_at="later", warnings=[], policies=policies,
    )  # fmt: skip


def test_standings_that_have_their_json_are_spliced_in() -> None:
    plain = from_json(TypeAdapter(Reservation).dump_json(reservation(ROWS)))

    assert from_json(writer(Reservation)(reservation(Standings(TEXT)))) == plain
    assert from_json(writer(Reservation)(reservation(ROWS))) == plain
    assert from_json(writer(Reservation)(reservation(Standings("[]")))) == plain | {"policies": []}


def test_the_text_that_goes_out_is_the_text_that_a_repeated_key_gets() -> None:
    """To the byte: a kept answer is read and written again after a restart."""
    written = writer(Reservation)(reservation(Standings(TEXT)))
    again = TypeAdapter(Reservation).validate_json(written)

    assert writer(Reservation)(again) == written


def test_standings_that_only_go_out_are_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Standings, "_read")

    assert b'"policy":"a"' in writer(Reservation)(reservation(Standings(TEXT)))


def test_whoever_writes_them_the_ordinary_way_gets_the_same() -> None:
    kind = TypeAdapter(Reservation)

    assert from_json(kind.dump_json(reservation(Standings(TEXT)))) == from_json(
        kind.dump_json(reservation(ROWS))
    )


def test_standings_read_as_the_list_they_are() -> None:
    told = Standings(TEXT)

    assert told == ROWS
    assert (len(told), told[1], told[:1], list(told)) == (2, ROWS[1], ROWS[:1], ROWS)
