"""Who we are, as Hermes lists it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as Hermes lists it. The id is stable, so that a restart leaves no double."""

    id: str
    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Card:
    """What Hermes is told. The name is the id, too: a restart replaces the entry."""

    name: str
    version: str
    description: str
    capabilities: tuple[str, ...]
    tools: tuple[Tool, ...] = ()
