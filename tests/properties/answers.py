"""The daemon's answers beside the model's."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from hypothesis.stateful import multiple
from pydantic_core import from_json

from protocols.errors import BudgetError, Denied, HoldEnded, Unpriced
from protocols.ledger import HoldShown, ShowAllocation, ShowReservation
from protocols.policy.messages import Balance
from protocols.written import writer
from tests.harness.house import Ask
from tests.properties import sums
from tests.properties.model import Booked, Hold, Three, Verdict

REFUSALS = {"denied": Denied, "unpriced": Unpriced, "hold-ended": HoldEnded}


def plain(answer: Any) -> Any:
    """As a caller reads it, whoever made it."""
    if isinstance(answer, BudgetError):
        return answer.problem()
    return from_json(writer(type(answer))(answer))


def kept(answer: Any) -> bool:
    """A refusal for lack of budget is kept for its key; other refusals have run nothing."""
    return isinstance(answer, Denied) or not isinstance(answer, BudgetError)


def nanos(figure: object) -> int:
    """Of USD, or of a plain count."""
    return int(figure.replace(".", "")) if isinstance(figure, str) else int(str(figure))


def millis(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def check_refused(verdict: Verdict, answer: Any) -> Any:
    """The same refusal with the same figures."""
    assert isinstance(answer, REFUSALS[verdict.says]), answer
    check_figures(verdict, answer.facts)
    return multiple()


def check_figures(verdict: Verdict, facts: Any) -> None:
    told = {name: facts[name] for name in verdict.figures}
    assert told == verdict.figures


def check_admitted(
    verdict: Verdict, hold: Hold, standings: list[tuple[object, ...]], answer: Any
) -> Hold:
    """The same hold, and every policy where the model has it; the hold learns its id."""
    assert not isinstance(answer, BudgetError), answer
    hold.id = answer.reservation_id if hold.covers is None else answer.allocation_id
    assert answer.outcome == verdict.says
    assert asdict(answer.held) == figures(hold.held)
    assert answer.expires_at == sums.time(hold.expires)
    assert [standing_row(row) for row in answer.policies] == standings
    return hold


def check_booked(booked: Booked, hold: Hold | None, answer: Any) -> None:
    if booked.kind == "hold-ended":
        check_ended(booked.status, answer)
        return
    assert not isinstance(answer, BudgetError), answer
    assert (answer.kind, answer.status) == (booked.kind, booked.status)
    assert (answer.cost_usd, answer.tokens) == (sums.usd(booked.usd), booked.tokens)
    assert answer.reservation_id == (None if hold is None else hold.id)


def check_released(was: str, hold: Hold, answer: Any) -> None:
    """`was`: what the hold was before."""
    if was != "held":
        check_ended(was, answer)
    else:
        assert (answer.reservation_id, answer.status) == (hold.id, "released")


def check_row(row: tuple[object, ...], answer: Any) -> None:
    assert hold_row(answer) == row


def check_ended(status: str, answer: Any) -> None:
    """Somebody was first, and the refusal says who."""
    assert isinstance(answer, HoldEnded), answer
    assert answer.facts["ended"] == status


def figures(amounts: Three) -> dict[str, object]:
    return {"usd": sums.usd(amounts[0]), "tokens": amounts[1], "calls": amounts[2]}


def showing(hold: Hold) -> Ask:
    if hold.covers is None:
        return Ask("show_reservation", ShowReservation(reservation_id=hold.id))
    return Ask("show_allocation", ShowAllocation(allocation_id=hold.id))


def model_row(hold: Hold) -> tuple[object, ...]:
    parent = hold.parent.id if hold.parent is not None else None
    held, spent = figures(hold.held), figures(hold.spent)
    return hold.status, held, spent, sums.time(hold.expires), parent


def hold_row(shown: HoldShown) -> tuple[object, ...]:
    held, spent = asdict(shown.held), asdict(shown.spent)
    return shown.status, held, spent, shown.expires_at, shown.allocation_id


def standing_row(row: Any) -> tuple[object, ...]:
    window = (row.window.starts, row.window.ends)
    return row.policy, row.axis, row.limit, row.used, row.held, row.left, *window


def balance_row(row: Balance) -> tuple[object, ...]:
    policy, *rest = standing_row(row)
    return policy, row.key, *rest
