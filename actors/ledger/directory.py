"""Which ledger keeps which component, and what all ledgers have in common."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from actors.runtime import NOBODY
from actors.tell import Tell
from protocols.errors import Forbidden, NotFound
from protocols.journal import Append, Draft
from protocols.names import HOLD_ID, ledger_of
from protocols.prices import PriceVersion
from protocols.prices.kept import to_body

NAMES_MAX = 256
_HOLD = re.compile(HOLD_ID, re.ASCII)


class Directory:
    """Numbers for components: an id of a hold carries the number of the ledger that made it."""

    def __init__(
        self,
        tell: Tell,
        numbers: dict[int, str],
        priced: set[str],
        components_max: int,
        open_max: int,
    ) -> None:
        self.tell = tell
        self.components_max = components_max
        self.open_max = open_max
        """Holds that one component may have open: nobody starves the others by hoarding."""
        self.unrecognised: Counter[str] = Counter()
        """Fields of usage objects that nobody understood: name → bookings that had it."""
        self._component = dict(numbers)
        self._number = {component: number for number, component in numbers.items()}
        self._priced = set(priced)

    def number_of(self, component: str) -> int:
        """The component's number; a new one is written down. Raises `Forbidden` past the limit."""
        number = self._number.get(component)
        if number is not None:
            return number
        if len(self._number) >= self.components_max:
            raise Forbidden(
                f"{self.components_max} components have a ledger; {component} would be one more",
                hint="raise limits.components in budget.toml, or use a name that exists",
            )
        number = len(self._number) + 1
        self._number[component] = number
        self._component[number] = component
        draft = Draft("ledger_opened", component, component, {"number": number})
        self.tell("journal", Append([draft]), NOBODY)
        return number

    def address(self, to: str) -> str:
        """`hold:rsv_…` becomes the name of the ledger that keeps it. Raises `NotFound`."""
        kind, _, name = to.partition(":")
        if kind != "hold":
            return to
        component = self._component.get(ledger_of(name)) if _HOLD.fullmatch(name) else None
        if component is None:
            raise unknown_hold(name)
        return f"ledger:{component}"

    def note_unrecognised(self, names: Iterable[str]) -> None:
        """Count what was not understood; the names are callers', so only so many are kept."""
        for name in names:
            if name in self.unrecognised or len(self.unrecognised) < NAMES_MAX:
                self.unrecognised[name] += 1

    def price_drafts(self, version: PriceVersion) -> list[Draft]:
        """The rates themselves, the first time this journal books or holds with them."""
        if version.id in self._priced:
            return []
        self._priced.add(version.id)
        body: dict[str, Any] = to_body(version)
        return [Draft("priced", "", version.id, body)]


def unknown_hold(name: str) -> NotFound:
    return NotFound(f"there is no {name}", hint="take the id from the answer to reserve")
