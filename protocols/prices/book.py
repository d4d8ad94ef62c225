"""The price book: every known rate, found by exact name in constant time. Immutable."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from protocols.errors import Unpriced
from protocols.prices.envelope import envelope
from protocols.prices.ladder import Ladder, Rung
from protocols.prices.names import MAKERS, model_name, provider_name, without_provider
from protocols.prices.version import ANY_MODEL, PriceVersion
from protocols.usage import Usage

Key = tuple[str, str]
FOUND_MAX = 4096


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the book's data comes from, and what was left out of it and why."""

    sources: tuple[Mapping[str, Any], ...] = ()
    disputed: Mapping[str, Any] = field(default_factory=dict)
    rejected: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


class PriceBook:
    """All prices of one date. `aliases` are further names, (provider, alias) → model."""

    def __init__(
        self,
        versions: Iterable[PriceVersion],
        dated: str,
        *,
        aliases: Mapping[Key, str] | None = None,
        provenance: Provenance | None = None,
        free: frozenset[str] = frozenset(),
    ) -> None:
        self.dated = dated
        self.provenance = provenance or Provenance()
        self.free = free
        self._aliases = dict(aliases or {})
        self._versions = {(v.provider, model_name(v.model)): v for v in versions}
        for (provider, alias), model in self._aliases.items():
            target = self._versions[provider, model_name(model)]
            self._versions.setdefault((provider, model_name(alias)), target)
        self._makers = _makers(self._versions)
        self._providers = frozenset(provider for provider, _ in self._versions) | free
        self._found = lru_cache(FOUND_MAX)(self._search)
        self._chat = lru_cache(FOUND_MAX)(self._chat_models)
        self._envelope = lru_cache(FOUND_MAX)(self._dearest)

    def with_free(self, providers: Iterable[str]) -> "PriceBook":
        """Make a book in which these providers (ollama, local) cost nothing."""
        declared = frozenset(provider_name(name) for name in providers)
        return PriceBook(
            self.models(),
            self.dated,
            aliases=self._aliases,
            provenance=self.provenance,
            free=self.free | declared,
        )

    def with_versions(self, versions: Iterable[PriceVersion]) -> "PriceBook":
        """Make a book of these versions and this book's names; names without a model go."""
        kept = list(versions)
        known = {(v.provider, model_name(v.model)) for v in kept}
        aliases = {
            (provider, alias): model
            for (provider, alias), model in self._aliases.items()
            if (provider, model_name(model)) in known
        }
        return PriceBook(
            kept, self.dated, aliases=aliases, provenance=self.provenance, free=self.free
        )

    def find(self, provider: str | None, model: str) -> PriceVersion | None:
        """Find the price of exactly this model, or None. Without a provider, its maker's.

        Raises Unpriced where several makers sell a model of this name.
        """
        return self._found(provider, model)

    def dearest(self, provider: str | None) -> PriceVersion:
        """Give an upper bound for a model without a price: each kind at its dearest rate."""
        return self._envelope(provider)

    def provider_of(self, model: str) -> str | None:
        """Whose model this is: named in front of a slash, or the one maker that sells it bare.

        Raises Unpriced naming the candidates where several do.
        """
        first, slash, _ = model.partition("/")
        if slash and provider_name(first) in self._providers:
            return provider_name(first)
        makers = self._makers.get(model_name(model), ())
        if len(makers) > 1:
            raise Unpriced(
                f"{model} is sold by {' and '.join(makers)}",
                hint="name the provider",
                model=model,
                candidates=list(makers),
            )
        return makers[0] if makers else None

    def models(self, provider: str | None = None) -> list[PriceVersion]:
        """Every price, or one provider's, by provider and model."""
        wanted = None if provider is None else provider_name(provider)
        chosen = {v.id: v for v in self._versions.values() if wanted in (None, v.provider)}
        return sorted(chosen.values(), key=lambda version: (version.provider, version.model))

    def below(self, usage: Usage, than: PriceVersion) -> Ladder:
        """The chat models of the same provider that cost less for this usage."""
        return Ladder(usage, than, self._chat(than.provider))

    def _chat_models(self, provider: str) -> tuple[Rung, ...]:
        return tuple(Rung(version) for version in self.models(provider) if version.chat)

    def _search(self, provider: str | None, model: str) -> PriceVersion | None:
        owner = self.provider_of(model) if provider is None else provider_name(provider)
        if owner is None:
            return None
        if owner in self.free:
            return _declared_free(owner)
        found = self._versions.get((owner, model_name(model)))
        return found or self._versions.get((owner, model_name(without_provider(owner, model))))

    def _dearest(self, provider: str | None) -> PriceVersion:
        name = None if provider is None else provider_name(provider)
        if name is None or name not in self._providers:
            return envelope(None, self.dated, self.models())
        if name in self.free:
            return _declared_free(name)
        own = envelope(name, self.dated, self.models(name))
        fees = self._envelope(None).unit_rates  # what this provider charges for nothing we know
        return replace(own, unit_rates={**fees, **own.unit_rates})


def _makers(versions: Mapping[Key, PriceVersion]) -> dict[str, tuple[str, ...]]:
    """Who of the makers sells a model of this bare name."""
    makers: dict[str, tuple[str, ...]] = {}
    for provider, model in sorted(versions):
        if provider in MAKERS:
            makers[model] = (*makers.get(model, ()), provider)
    return makers


def _declared_free(provider: str) -> PriceVersion:
    return PriceVersion(
        id=f"declared-free/{provider}",
        provider=provider,
        model=ANY_MODEL,
        rates={},
        source="declared free in the configuration",
        free=True,
    )
