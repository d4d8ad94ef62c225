"""In which order to try the options. Pure."""

from collections.abc import Iterable

from protocols.policy.choice import Option
from protocols.routing.words import Order


def ranked(options: Iterable[Option], order: Order, like: Option | None) -> list[Option]:
    """The first to try first. `like` is what was asked for, if it can do the job: the others are
    to stay near it. Free local ones come last.
    """
    provider = None if like is None else like.offer.kind[0]

    def by_price(one: Option) -> tuple[object, ...]:
        return one.usd, not one.asked, one.offer.shelved_at

    def as_listed(one: Option) -> tuple[object, ...]:
        place, *name = one.offer.shelved_at
        return not one.asked, one.offer.local, place, one.usd, name

    def best(one: Option) -> tuple[object, ...]:
        offer = one.offer
        return not one.asked, offer.local, offer.place, one.usd, offer.shelved_at

    def nearest(one: Option) -> tuple[object, ...]:
        offer = one.offer
        stranger = offer.kind[0] != provider
        place = offer.place if stranger else 0
        return not one.asked, offer.local, stranger, place, -one.usd, offer.shelved_at

    if order == "cheapest":
        return sorted(options, key=by_price)
    if order == "listed":
        return sorted(options, key=as_listed)
    return sorted(options, key=best if like is None else nearest)
