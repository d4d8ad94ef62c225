"""The price monitor: the prices in force, and what a usage costs at them."""

from typing import Any, assert_never

from actors.runtime import ServiceActor
from protocols.message import Call
from protocols.prices import ListPrices, PriceBook, Quote, list_prices, quote
from protocols.prices.kept import PricesChanged

Heard = Quote | ListPrices | PricesChanged


class PriceMonitor(ServiceActor):
    """Owns the accepted book. It comes from the package; sources that refresh it come later."""

    def __init__(self, book: PriceBook) -> None:
        super().__init__("prices")
        self.book = book

    def receive(self, message: Heard, call: Call[Any]) -> None:
        match message:
            case Quote():
                call.answer(quote(self.book, message))
            case ListPrices():
                call.answer(list_prices(self.book, message))
            case PricesChanged():
                self.book = message.book
            case _:
                assert_never(message)
