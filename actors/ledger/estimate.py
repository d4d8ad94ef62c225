"""How much to hold for a call that has not been made: exact where the caller says, else guessed."""

from dataclasses import dataclass

from protocols.allocation_sizes import default_size
from protocols.debug import log_function
from protocols.errors import Invalid, Unpriced
from protocols.ledger import Allocate, Record
from protocols.money import NANOS_MAX, show_usd
from protocols.policy.charge import Amounts, Subject
from protocols.policy.choice import Option
from protocols.prices import PriceBook, PriceVersion
from protocols.tiers import TierTable, tier_of
from protocols.token_estimate import Counting, estimate_tokens
from protocols.usage import Usage
from protocols.wanted import Job, Wanted
from protocols.whole_cost import cost_of_hold

UNKNOWN_PROVIDER = "unknown"


@dataclass(slots=True)
class Estimate:
    """What would be held, at which price; `priced` is False when the price is an envelope."""

    subject: Subject
    amounts: Amounts
    usage: Usage | None
    version: PriceVersion
    priced: bool
    estimated: bool


Price = tuple[str, PriceVersion, bool]
"""Provider, price, and whether it is a real one."""


def find_price(book: PriceBook, provider: str | None, model: str) -> Price:
    """Provider, price and whether it is a real one. Without one: the dearest known rates.

    Raises `Unpriced` when several providers sell the model and none was named.
    """
    version = book.find(provider, model)
    if version is not None:
        return provider or version.provider, version, True
    owner = provider or book.provider_of(model)
    return owner or UNKNOWN_PROVIDER, book.dearest(owner), False


def booking_price(book: PriceBook, provider: str | None, model: str) -> Price:
    """As `find_price`, but never refused: an ambiguous name takes the dearest rates."""
    try:
        return find_price(book, provider, model)
    except Unpriced:
        return UNKNOWN_PROVIDER, book.dearest(None), False


@log_function()
def for_call(
    book: PriceBook, tiers: TierTable, wanted: Wanted, count: Counting | None = None
) -> Estimate:
    """What a call would need: input plus the most output, at today's price, rounded up.

    What the caller leaves out is taken from Apollo's sizes by task type and priority.
    """
    price = find_price(book, wanted.provider, wanted.model)
    usage = usage_of(wanted, wanted.model, price, count)
    return of_model(tiers, wanted, wanted.model, price, usage, wanted.usd)


def usage_of(wanted: Job, model: str, price: Price, count: Counting | None) -> Usage:
    """What the call would use of this model at most."""
    provider, version, _ = price
    return Usage(counts=_counts(wanted, provider, model, count, writes="output" in version.rates))


def of_model(
    tiers: TierTable, wanted: Job, model: str, price: Price, usage: Usage, usd: int | None = None
) -> Estimate:
    """What the call would hold on this model; `usd` is a sum given by the caller."""
    provider, version, priced = price
    tier = tier_of(wanted.component, provider, model, tiers)
    subject = subject_of(wanted, provider, model, tier)
    estimated = wanted.input_tokens is None or wanted.max_output_tokens is None or not priced
    if usd is not None:
        amounts = Amounts(usd, usage.tokens, 1)
        return Estimate(subject, amounts, None, version, priced=True, estimated=estimated)
    amounts = Amounts(cost_of_call(usage, version), usage.tokens, 1)
    return Estimate(subject, amounts, usage, version, priced=priced, estimated=estimated)


def of_option(wanted: Job, option: Option) -> Estimate:
    """What the call would hold on the model of this option."""
    offer = option.offer
    provider, model, tier = offer.kind
    subject = subject_of(wanted, provider, model, tier)
    guessed = wanted.input_tokens is None or wanted.max_output_tokens is None
    return Estimate(
        subject, option.amounts, option.load.usage, offer.version,
        priced=offer.priced, estimated=guessed or not offer.priced,
    )  # fmt: skip


def subject_of(said: Job | Allocate | Record, provider: str, model: str, tier: str) -> Subject:
    """The facts that policies look at."""
    tags = tuple(sorted(said.tags.items()))
    return Subject(
        said.component, provider, model, tier, said.task_type, said.context_id, tags
    )  # fmt: skip


def cost_of_call(usage: Usage, version: PriceVersion) -> int:
    """What a call holds. Raises `Unpriced`, or `Invalid` for a sum beyond all sense."""
    return of_one_call(cost_of_hold(usage, version))


def of_one_call(usd: int) -> int:
    """Raises `Invalid` for a sum beyond all sense: no call costs it, and no counter is to burst."""
    if usd > NANOS_MAX:
        problem = f"these tokens would cost {show_usd(usd)} USD"
        remedy = f"one call may cost at most {show_usd(NANOS_MAX)} USD: send the counts of one call"
        errors = [{"field": "usage", "problem": problem, "remedy": remedy}]
        raise Invalid(problem, hint=remedy, errors=errors)
    return usd


def _counts(
    wanted: Job, provider: str, model: str, count: Counting | None, *, writes: bool
) -> dict[str, int]:
    size = default_size(wanted.task_type, wanted.priority)
    output = wanted.max_output_tokens
    if wanted.input_tokens is not None:
        read = wanted.input_tokens
    elif wanted.input_text is not None:
        counter = None if count is None else count()
        read = estimate_tokens(wanted.input_text, provider, model, counter)
    else:
        read = 0 if output is None else size
    if output is None:
        output = size if writes else 0
    counts = {}
    if read:
        counts["input"] = read
    if output:
        counts["output"] = output
    return counts


@log_function()
def for_allocation(book: PriceBook, tiers: TierTable, wanted: Allocate) -> Estimate:
    """What an allocation sets aside; with a model named, tokens without a sum are priced too."""
    model = wanted.model or "any"
    provider = wanted.provider or UNKNOWN_PROVIDER
    version, priced = book.dearest(wanted.provider), False
    if wanted.model is not None:
        provider, version, priced = find_price(book, wanted.provider, wanted.model)
    tier = tier_of(wanted.component, provider, model, tiers)
    subject = subject_of(wanted, provider, model, tier)
    tokens = wanted.tokens
    if tokens is None and wanted.usd is None and wanted.calls is None:
        tokens = default_size(wanted.task_type, wanted.priority)
    amounts = Amounts(wanted.usd or 0, tokens or 0, wanted.calls or 0)
    return Estimate(subject, amounts, None, version, priced=True, estimated=not priced)


def covers(wanted: Allocate, amounts: Amounts) -> tuple[bool, bool, bool]:
    """The axes that draws come out of: those asked for, or tokens when nothing was."""
    return wanted.usd is not None, bool(amounts.tokens) or wanted.tokens is not None, (
        wanted.calls is not None
    )  # fmt: skip
