"""Where policies stand: one row for each limit, with a bar."""

from collections.abc import Sequence
from typing import Any

from daemon.cli import units
from daemon.cli.table import Column, bar, figures, render, words

Json = dict[str, Any]


def standings(items: Sequence[Json]) -> str:
    """Limit, used, held, left and when it resets. Used and held count in the unit of the limit."""
    if not items:
        return "  no window is open: nothing was counted yet under any policy"
    columns = [
        *words("policy", "limit"),
        Column("used + held", optional=True),
        *figures("used", "held", "left"),
        Column("resets", optional=True),
    ]
    return render(columns, [_row(at) for at in items])


def _row(at: Json) -> list[str]:
    axis, limit = at["axis"], at["limit"]
    key = f" ({at['key']})" if at.get("key") else ""
    return [
        at["policy"] + key,
        units.amount(axis, limit),
        bar(units.share(at["used"], limit), units.share(at["held"], limit), 10),
        *(units.figure(axis, at[name]) for name in ("used", "held", "left")),
        units.when(at["window"]["ends"]),
    ]
