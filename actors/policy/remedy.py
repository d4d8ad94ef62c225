"""What a refused caller could do instead: ask for fewer tokens, or for a cheaper model."""

from collections.abc import Callable, Iterable

from actors.policy.rule import UNLIMITED
from protocols.costing import cost
from protocols.money import round_up, show_usd
from protocols.policy.charge import Amounts
from protocols.prices import PriceVersion
from protocols.usage import Usage

CHEAPER_MAX = 3


def fits(left: Amounts, estimate: Usage, version: PriceVersion) -> dict[str, int] | None:
    """The most output tokens that the room allows; None if not even the input fits."""
    if left.calls < 1:
        return None
    asked = estimate.counts.get("output", 0)
    low, high = -1, asked
    while low < high:
        middle = (low + high + 1) // 2
        if _fits(left, estimate, version, middle):
            low = middle
        else:
            high = middle - 1
    return {"max_output_tokens": low} if low > 0 else None


def _fits(left: Amounts, estimate: Usage, version: PriceVersion, output: int) -> bool:
    smaller = Usage(counts={**estimate.counts, "output": output})
    if smaller.tokens > left.tokens:
        return False
    return left.usd == UNLIMITED or round_up(cost(smaller, version).exact_usd) <= left.usd


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
