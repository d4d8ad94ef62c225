"""Provisional bookings get their real price: one visible entry for each."""

from actors.prices.impact import reprice
from protocols.correct import Correct, Correction
from protocols.errors import Unpriced
from protocols.journal import Draft, StoredBooking
from protocols.period import HOUR_MS
from protocols.prices import PriceBook, PriceVersion
from protocols.prices.kept import to_body

UNKNOWN_PROVIDER = "unknown"
"""What a booking says where nobody could tell who sells the model."""


def corrections(found: list[StoredBooking], book: PriceBook, by: str) -> Correct:
    """Those of the bookings that have a price now."""
    done: list[Correction] = []
    versions: dict[str, PriceVersion] = {}
    for booking in found:
        version = price_now(booking, book)
        if version is not None:
            versions[version.id] = version
            done.append(correction(booking, version, by))
    prices = [Draft("priced", "", name, to_body(version)) for name, version in versions.items()]
    return Correct(done, prices)


def price_now(booking: StoredBooking, book: PriceBook) -> PriceVersion | None:
    provider = booking.body["provider"]
    try:
        return book.find(None if provider == UNKNOWN_PROVIDER else provider, booking.body["model"])
    except Unpriced:
        return None


def correction(booking: StoredBooking, version: PriceVersion, by: str) -> Correction:
    body = booking.body
    usd = reprice(booking, version) - body["usd"]
    covered = body.get("covered")
    windows = body["parent_windows"] if covered and covered[0] else body["windows"]
    holds = [booking.subject] if booking.kind != "recorded" else []
    if body.get("parent_held") is not None:
        holds.append(body["parent"])
    told = {name: body[name] for name in ("provider", "model", "task_type", "usage")}
    draft = Draft(
        "corrected",
        booking.component,
        booking.subject,
        {
            **told,
            "of": booking.seq,
            "hour_ms": booking.at_ms - booking.at_ms % HOUR_MS,
            "usd": usd,
            "windows": windows,
            "holds": holds,
            "price_version": version.id,
            "estimated": version.estimated,
            "by": by,
        },
    )
    return Correction(booking.component, holds, windows, usd, draft)
