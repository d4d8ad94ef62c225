"""The real price files beside the repository, where there are any, and the incidents in them."""

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

PLACE = Path(__file__).parents[3] / "shared" / "price-snapshots"

OLDER = {
    "litellm": "litellm/1.84.0_2026-05-14.json",
    "genai-prices": "genai-prices/v2-data_2026-08-21_47df840.json",
    "models.dev": "models.dev/api_2026-07-02_f3fc692.generated.json",
    "openrouter": "openrouter/models_2026-05-15.trimmed.json",
    "llm-prices": "llm-prices/historical-v1_2026-08-05.generated.json",
}
NEWER = {
    "litellm": "litellm/1.109.1_2026-11.json",
    "genai-prices": "genai-prices/0.2.3_2026-11-10.regenerated.json",
    "models.dev": "models.dev/api_2026-09-30_opencode-1.18.34.trimmed.json",
    "openrouter": "openrouter/models_2026-07-28.trimmed.json",
    "llm-prices": "llm-prices/historical-v1_2026-08-05.generated.json",
}
PORTKEY = "portkey/2026-08-21_f654307"
KINDS = {
    "input_cost_per_token": "input", "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read", "request_token": "input",
    "cache_read_input_token": "cache_read", "input": "input", "prompt": "input",
    "input_cache_read": "cache_read", "input_mtok": "input", "output_mtok": "output",
    "cache_read_mtok": "cache_read",
}  # fmt: skip
PREFIXES = {"gemini": "google", "x-ai": "xai"}
MAKER = {"gemini-1.5-pro": "vertex", "command-r7b-12-2024": "cohere"}


def needed() -> Path:
    if not PLACE.is_dir():
        pytest.skip(f"the real price files are not beside the repository ({PLACE.parent.name})")
    return PLACE


def read(name: str) -> bytes:
    return (needed() / name).read_bytes()


@dataclass(frozen=True, slots=True)
class Incident:
    """A price that was really wrong: it may never be put in force by itself."""

    source: str
    provider: str
    model: str
    kind: str
    bad: Decimal
    what: str


def incidents() -> list[Incident]:
    told = json.loads(read("known-bad/incidents.json"), parse_float=Decimal)["incidents"]
    return [one for row in told if (one := _incident(row)) is not None]


def _incident(row: dict[str, Any]) -> Incident | None:
    """None for those without a single bad figure."""
    try:
        bad = Decimal(str(row.get("bad_usd_per_mtok", "")).split(" ")[0])
    except ArithmeticError:
        return None
    key = row["key"].removesuffix(" (lte-200k)")
    provider, slash, model = key.partition("/")
    if not slash:
        provider, model = MAKER.get(key, "bedrock" if "anthropic." in key else "anthropic"), key
    source = row["source"].split(" ")[0].rstrip(",")
    if source == "openrouter":
        provider, model = "openrouter", key
    kind = KINDS[row["field"]]
    return Incident(source, PREFIXES.get(provider, provider), model, kind, bad, row["what"])
