"""Provisional bookings get their real price: one visible entry for each."""

from actors.prices.impact import cost_of
from protocols.correct import Correct, Correction
from protocols.costing import Cost
from protocols.errors import Unpriced
from protocols.journal import Draft, StoredBooking
from protocols.money import round_half_even
from protocols.prices import PriceBook, PriceVersion
from protocols.prices.kept import to_body

UNKNOWN_PROVIDER = "unknown"
"""What a booking says where nobody could tell who sells the model."""
SAME = ("provider", "model", "tier", "task_type", "tags", "usage")
"""What a correction has of its booking."""


def corrections(found: list[StoredBooking], book: PriceBook, by: str) -> Correct:
    """Those of the bookings that have a price now."""
    done: list[Correction] = []
    versions: dict[str, PriceVersion] = {}
    for booking in found:
        version = price_now(booking, book)
        priced = None if version is None else cost_of(booking, version)
        if version is not None and priced is not None:
            versions[version.id] = version
            done.append(correction(booking, version, priced, by))
    prices = [Draft("priced", "", name, to_body(version)) for name, version in versions.items()]
    return Correct(done, prices)


def price_now(booking: StoredBooking, book: PriceBook) -> PriceVersion | None:
    provider = booking.body["provider"]
    try:
        return book.find(None if provider == UNKNOWN_PROVIDER else provider, booking.body["model"])
    except Unpriced:
        return None


def correction(booking: StoredBooking, version: PriceVersion, found: Cost, by: str) -> Correction:
    body = booking.body
    usd = round_half_even(found.exact_usd) - body["usd"]
    covered = body.get("covered")
    windows = body["parent_windows"] if covered and covered[0] else body["windows"]
    holds = [booking.subject] if booking.kind != "recorded" else []
    if body.get("parent_held") is not None:
        holds.append(body["parent"])
    told = {name: body[name] for name in SAME if name in body}
    draft = Draft(
        "corrected",
        booking.component,
        booking.subject,
        {
            **told,
            "of": booking.seq,
            "booked_ms": booking.at_ms,
            "usd": usd,
            "windows": windows,
            "holds": holds,
            "price_version": version.id,
            "estimated": found.estimated,
            **({"priced_at_ms": booking.at_ms} if version.hours else {}),
            "by": by,
        },
    )
    return Correction(booking.component, holds, windows, usd, draft)
