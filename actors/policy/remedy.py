"""What a refused caller could do instead: ask for fewer tokens, or for a cheaper model."""

from collections.abc import Callable
from decimal import Decimal

from actors.policy.rule import UNLIMITED
from protocols.costing import cost
from protocols.errors import BudgetError
from protocols.money import round_up, show_usd
from protocols.policy.charge import Amounts
from protocols.prices import PriceBook, PriceVersion
from protocols.usage import Usage

CHEAPER_MAX = 3
LOOKED_AT_MAX = 8


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
    book: PriceBook,
    version: PriceVersion,
    estimate: Usage,
    fits_too: Callable[[PriceVersion, Amounts], bool],
) -> list[dict[str, str]]:
    """Models of the same provider that cost less and would be admitted, dearest first."""
    found: list[dict[str, str]] = []
    for rival in book.cheaper(version.provider, estimate, than=version)[:LOOKED_AT_MAX]:
        try:
            exact: Decimal = cost(estimate, rival).exact_usd
        except BudgetError:
            continue
        usd = round_up(exact)
        if fits_too(rival, Amounts(usd, estimate.tokens, 1)):
            found.append({"provider": rival.provider, "model": rival.model, "usd": show_usd(usd)})
        if len(found) == CHEAPER_MAX:
            break
    return found
