"""The price book on disk: the one in the package, or one of the operator's own."""

import json
from pathlib import Path

import anyio.to_thread

from actors.ports import SourceFailed
from daemon.prices import load_book, read_book
from protocols.prices import PriceBook


class BookFile:
    """A file as `daemon.prices.build_book` writes it."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.name = "embedded" if path is None else str(path)

    async def load(self) -> PriceBook:
        return await anyio.to_thread.run_sync(self._read)

    def _read(self) -> PriceBook:
        if self.path is None:
            return load_book()
        try:
            return read_book(self.path.read_bytes())
        except OSError as error:
            raise SourceFailed(f"{self.path} cannot be read: {error.strerror}") from error
        except (json.JSONDecodeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise SourceFailed(f"{self.path} is not a price book: {error!r}") from error
