"""The one interceptor: when debugging is on, what each actor hears, and what came of it."""

from time import perf_counter
from typing import Any

from protocols.debug import debug_log
from protocols.errors import BudgetError
from protocols.message import Call


def overhear(actor: str, message: object, call: Call[Any]) -> Call[Any]:
    """Say what is heard. The call that is given back also says how it is answered, once."""
    debug_log.debug(
        component_of(actor),
        f"hears {type(message).__name__}",
        {"actor": actor, "caller": call.caller.name, "message": message},
    )
    return call if isinstance(call, Overheard) else Overheard(call, actor, type(message).__name__)


def component_of(actor: str) -> str:
    """`ledger:apollo` → `budget_ledger`."""
    return f"budget_{actor.partition(':')[0]}"


class Overheard:
    """A call that tells of its answer. It travels on like the one inside."""

    __slots__ = ("_asked", "_began_s", "_call", "_first", "caller")

    def __init__(self, call: Call[Any], first: str, asked: str) -> None:
        self.caller = call.caller
        self._call = call
        self._first = first
        self._asked = asked
        self._began_s = perf_counter()

    def answer(self, reply: Any) -> None:
        self._tell("answered", {"reply": reply})
        self._call.answer(reply)

    def refuse(self, error: BudgetError) -> None:
        self._tell("refused", error.problem())
        self._call.refuse(error)

    def _tell(self, end: str, what: dict[str, object]) -> None:
        after_ms = round((perf_counter() - self._began_s) * 1000, 3)
        about = {"actor": self._first, "after_ms": after_ms}
        debug_log.debug(component_of(self._first), f"{self._asked} is {end}", about | what)
