"""The price sources that are switched on, ready to be asked."""

from actors.ports import Clock, PriceSource
from daemon.config import Settings
from daemon.config.price_source import URLS, PriceSourceTable, sources
from daemon.prices.feed import Feed, FileFeed, Part, Reader
from daemon.prices.fetch import Fetching
from daemon.prices.sources import (
    genai_prices,
    litellm,
    llm_prices,
    models_dev,
    openrouter,
    own,
    portkey,
)

READERS: dict[str, Reader] = {
    "litellm": litellm.read,
    "genai-prices": genai_prices.read,
    "models.dev": models_dev.read,
    "openrouter": openrouter.read,
    "llm-prices": llm_prices.read,
    "own": own.read,
}


def feeds(settings: Settings, clock: Clock) -> list[PriceSource]:
    """In the order of the file, the built-in ones first."""
    return [feed(table, settings, clock) for table in sources(settings.price_sources)]


def feed(table: PriceSourceTable, settings: Settings, clock: Clock) -> PriceSource:
    kind = table.kind or table.name
    family = table.family or (table.name if kind == "own" else kind)
    if table.path is not None and kind != "portkey":
        return FileFeed(table.name, family, table.path, READERS[kind], clock)
    how = Fetching(
        timeout_s=table.timeout_s,
        bytes_max=table.bytes_max,
        allow_http=table.allow_http,
        allow_private=table.allow_private,
        proxy_from_environment=table.proxy_from_environment,
        ca_file=table.ca_file,
    )
    place = settings.data_dir / "prices" / table.name
    parts = parts_of(kind, table.url or URLS[kind])
    return Feed(table.name, family, parts, how=how, place=place, clock=clock)


def parts_of(kind: str, url: str) -> list[Part]:
    if kind != "portkey":
        return [Part("all", url, READERS[kind])]
    return [
        Part(
            name,
            f"{url.rstrip('/')}/{name}.json",
            lambda text, today, name=name: portkey.read_provider(name, text, today),  # type: ignore[misc]
        )
        for name in portkey.PROVIDERS
    ]
