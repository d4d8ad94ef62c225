"""What models can do: the table that comes with the daemon."""

import json
from datetime import date
from importlib.resources import files

from protocols.routing.abilities import Abilities, AbilityTable


def load_abilities() -> AbilityTable:
    """Read the embedded table, as `daemon.prices.build_abilities` writes it."""
    told = json.loads(files("daemon.prices").joinpath("abilities.json").read_bytes())
    return AbilityTable(
        {
            (provider, model): Abilities(
                window=row.get("window"),
                output_max=row.get("output"),
                can=frozenset(row["can"]),
                retires=date.fromisoformat(row["until"]) if "until" in row else None,
            )
            for provider, models in told["models"].items()
            for model, row in models.items()
        }
    )
