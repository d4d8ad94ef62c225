"""Offers and versions in few words."""

from decimal import Decimal

from actors.prices.round import version_of
from actors.prices.votes import Vote
from protocols.prices.offer import Offer
from protocols.prices.version import PriceVersion


def offer(read: str, written: str | None = None, model: str = "m-1", **more: str) -> Offer:
    """`offer("3", "15", cache_read="0.3")`: USD per million tokens."""
    rates = {"input": read, **({} if written is None else {"output": written}), **more}
    told = {kind: Decimal(rate) for kind, rate in rates.items()}
    return Offer("acme", model, told, chat=written is not None)


def vote(source: str, said: Offer, family: str | None = None, since_ms: int = 0) -> Vote:
    return Vote(source, family or source, said, since_ms)


def version(said: Offer) -> PriceVersion:
    """What is in force."""
    return version_of(said, f"{said.provider}/{said.model}@before", "agreed: a, b")
