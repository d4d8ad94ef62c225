"""What a refused caller could do instead: ask for fewer tokens, or for a cheaper model."""

from collections.abc import Callable, Iterable

from actors.policy.rule import UNLIMITED
from protocols.money import Nanos, show_usd
from protocols.policy.charge import Amounts
from protocols.prices import PriceVersion
from protocols.usage import Usage
from protocols.whole_cost import cost_of_hold, most_output

CHEAPER_MAX = 3


def fits(left: Amounts, estimate: Usage, version: PriceVersion) -> dict[str, int] | None:
    """The most output tokens that the room allows; None if not even the input fits."""
    if left.calls < 1:
        return None
    asked = estimate.counts.get("output", 0)
    most = min(asked, left.tokens - (estimate.tokens - asked))
    if left.usd != UNLIMITED:
        paid = most_output(estimate, version, Nanos(left.usd))
        most = _by_trying(left.usd, estimate, version, most) if paid is None else min(most, paid)
    return {"max_output_tokens": most} if most > 0 else None


def _by_trying(room_usd: int, estimate: Usage, version: PriceVersion, high: int) -> int:
    """The most output up to `high` that the room pays for; below 0 if none."""
    low = -1
    while low < high:
        middle = (low + high + 1) // 2
        if cost_of_hold(Usage({**estimate.counts, "output": middle}), version) <= room_usd:
            low = middle
        else:
            high = middle - 1
    return low


def cheaper(
    rivals: Iterable[tuple[int, PriceVersion]],
    tokens: int,
    fits_too: Callable[[PriceVersion, Amounts], bool],
) -> list[dict[str, str]]:
    """Those of the rivals, dearest first, that would be admitted."""
    found: list[dict[str, str]] = []
    for usd, rival in rivals:
        if fits_too(rival, Amounts(usd, tokens, 1)):
            told = {"provider": rival.provider, "model": rival.model, "usd": show_usd(usd)}
            found.append(told)
        if len(found) == CHEAPER_MAX:
            break
    return found
