"""Ids: ordered as they were made, and nobody guesses the next."""

from protocols.names import RESERVATION, hold_id, ledger_of


def test_ids_of_one_millisecond_grow_in_the_order_they_were_made() -> None:
    made = [hold_id(RESERVATION, 1_700_000_000_000, 7) for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert {ledger_of(one) for one in made} == {7}


def test_a_later_millisecond_is_a_greater_id() -> None:
    assert hold_id(RESERVATION, 2, 1) < hold_id(RESERVATION, 3, 1)
