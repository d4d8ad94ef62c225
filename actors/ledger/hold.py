"""A hold as its ledger knows it: the facts of the call, its pinned price, what is spent."""

from dataclasses import dataclass, field
from typing import Any

from protocols.ledger import Held, HoldShown
from protocols.message import Call
from protocols.money import show_usd
from protocols.period import rfc3339
from protocols.policy.charge import ZERO, Amounts, Places, Subject
from protocols.prices import PriceVersion


@dataclass(slots=True)
class Hold:
    """A reservation or an allocation. `held` shrinks as parts are booked."""

    id: str
    subject: Subject
    priority: int
    price: PriceVersion | None
    estimated: bool
    asked: Amounts
    held: Amounts
    expires_ms: int
    deadline: float
    places: Places
    metadata: dict[str, Any]
    estimate: dict[str, int] | None = None
    """What the call was thought to use at most, by kind; None for a sum given."""
    needs: tuple[str, ...] = ()
    exact_model: bool = False
    instead_of: str | None = None
    """The model that was asked for, where a limit let another take its place."""
    status: str = "held"
    spent: Amounts = ZERO
    lapsed: Amounts = ZERO
    """What it held when it expired, less what came late."""
    late: bool = False
    ending: bool = False
    latecomers: "list[tuple[Any, Call[Any]]]" = field(default_factory=list)
    """(task, call) of who else wants to end it while its end is on the way."""

    @property
    def unspent(self) -> Amounts:
        """What a settle without usage costs: what is held, or was when the hold expired."""
        return self.held if self.status == "held" else self.lapsed

    def spend(self, amounts: Amounts) -> None:
        spent = self.spent
        self.spent = Amounts(spent[0] + amounts[0], spent[1] + amounts[1], spent[2] + amounts[2])

    @property
    def is_allocation(self) -> bool:
        return self.id.startswith("alc_")


def shown(hold: Hold, now: float) -> HoldShown:
    """As it stands now: past its deadline it has expired, swept or not."""
    expired = hold.status == "held" and hold.deadline <= now
    return HoldShown(
        id=hold.id,
        status="expired" if expired else hold.status,
        component=hold.subject.component,
        provider=hold.subject.provider,
        model=hold.subject.model,
        task_type=hold.subject.task_type,
        context_id=hold.subject.context_id,
        held=figures(Amounts() if expired else hold.held),
        spent=figures(hold.spent),
        price_version=hold.price.id if hold.price is not None else "",
        estimated=hold.estimated,
        expires_at=rfc3339(hold.expires_ms),
        allocation_id=hold.places.parent,
        metadata=hold.metadata,
    )


def less(amounts: Amounts, taken: Amounts) -> Amounts:
    """What remains, never below nothing."""
    return Amounts(*(max(0, one - other) for one, other in zip(amounts, taken, strict=True)))


def figures(amounts: Amounts) -> Held:
    return Held(show_usd(amounts.usd), amounts.tokens, amounts.calls)


def places_body(places: Places) -> dict[str, Any]:
    """Where a charge sits, as JSON values."""
    body: dict[str, Any] = {"windows": list(places.windows), "turn": places.turn}
    if places.parent is not None:
        body["parent"] = places.parent
        body["parent_windows"] = list(places.parent_windows)
        body["covered"] = list(places.covered)
        if places.parent_held is not None:
            body["parent_held"] = list(places.parent_held)
    return body


def read_places(body: dict[str, Any]) -> Places:
    covered = body.get("covered", [False, False, False])
    return Places(
        windows=tuple(body["windows"]),
        parent=body.get("parent"),
        parent_windows=tuple(body.get("parent_windows", ())),
        covered=(covered[0], covered[1], covered[2]),
    )
