"""Makes the embedded table of abilities: `python -m daemon.prices.build_abilities OUT`.

Reads the same file of the same wheel as the price book does, as data, and keeps of each chat model
how much it reads and writes, what it can do, and until when it is sold.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from daemon.prices.build_book import LITELLM, Source, fetch
from daemon.prices.litellm_data import PROVIDERS, named

MODES = frozenset({"chat", "responses"})
LOCAL = ("ollama", "ollama_chat")
OURS = frozenset({*PROVIDERS.values(), "vertex", *LOCAL})
"""Providers of the price book, and whose models cost nothing."""
FINE_TUNED = "ft:"
"""What such a line names is a price, not a model that anybody else could call."""
CAN = {
    "supports_audio_input": "audio_input",
    "supports_audio_output": "audio_output",
    "supports_computer_use": "computer_use",
    "supports_response_schema": "json_schema",
    "supports_pdf_input": "pdf",
    "supports_prompt_caching": "prompt_caching",
    "supports_reasoning": "reasoning",
    "supports_function_calling": "tools",
    "supports_video_input": "video_input",
    "supports_vision": "vision",
    "supports_web_search": "web_search",
}


def rows(table: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Provider, model, what it can do; of two entries for one model the first."""
    seen: set[tuple[str, str]] = set()
    for key, entry in table.items():
        if not isinstance(entry, dict) or "litellm_provider" not in entry or "*" in key:
            continue
        spelt = named(key, entry)
        local = entry["litellm_provider"] in LOCAL
        if spelt is None or spelt in seen or spelt[0] not in OURS:
            continue
        if spelt[1].startswith(FINE_TUNED):
            continue
        if not local and entry.get("mode") not in MODES:
            continue
        seen.add(spelt)
        yield *spelt, row(entry)


def row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One model's line; what nobody says is left out."""
    window = entry.get("max_input_tokens") or entry.get("max_tokens")
    told = {
        "window": _count(window),
        "output": _count(entry.get("max_output_tokens")),
        "can": sorted(ours for theirs, ours in CAN.items() if entry.get(theirs) is True),
        "until": entry.get("deprecation_date"),
    }
    return {name: value for name, value in told.items() if value is not None}


def _count(value: object) -> int | None:
    """Take a whole positive number; the file has texts and zeros, too."""
    return value if isinstance(value, int) and value > 0 else None


def write(out: Path, source: Source) -> int:
    """One model a line, sorted; how many there are."""
    models: dict[str, dict[str, Any]] = {}
    for provider, model, told in rows(json.loads(source.text)):
        models.setdefault(provider, {})[model] = told
    lines = [f'"source":{json.dumps(source.provenance())}', '"models":{']
    blocks = []
    for provider in sorted(models):
        told = models[provider]
        inner = ",\n".join(
            f"{json.dumps(name)}:{json.dumps(told[name], separators=(',', ':'))}"
            for name in sorted(told)
        )
        blocks.append(f"{json.dumps(provider)}:{{\n{inner}\n}}")
    text = "{\n" + lines[0] + ",\n" + lines[1] + "\n" + ",\n".join(blocks) + "\n}\n}\n"
    out.write_text(text, encoding="utf-8")
    return sum(map(len, models.values()))


def main() -> None:
    """Fetch, keep, write, and say how many models there are."""
    parser = argparse.ArgumentParser(description="make the embedded table of abilities")
    parser.add_argument("out", type=Path)
    parser.add_argument("--wheels", type=Path, help="a directory that already holds the wheel")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        source = fetch(*LITELLM, asked.wheels or Path(scratch))
    sys.stdout.write(f"{write(asked.out, source)} models\n")


if __name__ == "__main__":
    main()
