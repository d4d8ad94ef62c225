"""Prices: immutable versions, the book that finds them, and the messages about them."""

from protocols.prices.answers import digits, list_prices, quote, unpriced
from protocols.prices.book import PriceBook, Provenance
from protocols.prices.kept import PricesChanged
from protocols.prices.messages import (
    ListPrices,
    LongContextShown,
    PriceList,
    PriceShown,
    Quote,
    QuoteReply,
    TokenLine,
    UnitLine,
)
from protocols.prices.names import MAKERS, model_name, provider_name, without_path
from protocols.prices.version import Hours, LongContext, PriceVersion, Tariff

__all__ = [
    "MAKERS",
    "Hours",
    "ListPrices",
    "LongContext",
    "LongContextShown",
    "PriceBook",
    "PriceList",
    "PriceShown",
    "PriceVersion",
    "PricesChanged",
    "Provenance",
    "Quote",
    "QuoteReply",
    "Tariff",
    "TokenLine",
    "UnitLine",
    "digits",
    "list_prices",
    "model_name",
    "provider_name",
    "quote",
    "unpriced",
    "without_path",
]
