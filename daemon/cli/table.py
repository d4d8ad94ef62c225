"""Tables and bars in plain text: columns line up, figures on their decimal point."""

import shutil
import sys
from collections.abc import Sequence
from typing import NamedTuple

import click

LEVELS = ((0.95, "red"), (0.8, "yellow"), (0.0, "green"))
EIGHTHS = " ▏▎▍▌▋▊▉"
HEIGHTS = "▁▂▃▄▅▆▇█"
GAP = "  "
ANY_WIDTH = 1_000


class Column(NamedTuple):
    """A header; figures stand right, words left; an optional one goes when space is short."""

    title: str
    figures: bool = False
    optional: bool = False


def words(*titles: str) -> list[Column]:
    return [Column(title) for title in titles]


def figures(*titles: str) -> list[Column]:
    return [Column(title, figures=True) for title in titles]


def render(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], total: Sequence[str] | None = None
) -> str:
    """Write the table as text, two spaces in; a last row `total` stands under a rule."""
    body = [*rows] if total is None else [*rows, total]
    lined = [_line_up(column, [row[place] for row in body]) for place, column in enumerate(columns)]
    lined = _that_fit(columns, lined)
    lines = [_line(cells) for cells in zip(*lined, strict=True)]
    lines[0] = click.style(lines[0], dim=True)
    if total is not None:
        rule = "─" * (max(map(_width, lines)) - len(GAP))
        lines.insert(-1, click.style(GAP + rule, dim=True))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return GAP + GAP.join(cells).rstrip()


def _that_fit(columns: Sequence[Column], lined: list[list[str]]) -> list[list[str]]:
    """Without optional columns, from the right, until the table fits the terminal."""
    room = shutil.get_terminal_size((ANY_WIDTH, 0)).columns if sys.stdout.isatty() else ANY_WIDTH
    kept = list(zip(columns, lined, strict=True))
    for column in reversed(columns):
        if sum(len(GAP) + _width(cells[0]) for _, cells in kept) <= room:
            break
        if column.optional:
            kept = [pair for pair in kept if pair[0] is not column]
    return [cells for _, cells in kept]


def _line_up(column: Column, cells: list[str]) -> list[str]:
    """Give the title and the cells of one column one width."""
    if column.figures:
        cells = _on_the_point(cells)
    width = max(_width(text) for text in (column.title, *cells))
    pad = _left if column.figures else _right
    return [pad(text, width) for text in (column.title, *cells)]


def _on_the_point(cells: list[str]) -> list[str]:
    """Spaces after short fractions, so that all decimal points stand in one column."""
    tails = [_tail(cell) for cell in cells]
    longest = max(tails, default=0)
    return [
        cell + " " * (longest - tail if tail else 0)
        for cell, tail in zip(cells, tails, strict=True)
    ]


def _tail(cell: str) -> int:
    plain = click.unstyle(cell)
    return len(plain) - plain.index(".") if plain.startswith(("$", "-$")) and "." in plain else 0


def _width(text: str) -> int:
    return len(click.unstyle(text))


def _left(text: str, width: int) -> str:
    return " " * (width - _width(text)) + text


def _right(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def bar(used: float, held: float = 0.0, width: int = 12, colour: str | None = None) -> str:
    """Draw how full: used solid, held shaded, the rest dotted; green, then amber, then red."""
    filled = int(min(used, 1.0) * width * 8)
    if used > 0:
        filled = max(filled, 1)
    whole, eighth = divmod(filled, 8)
    solid = "█" * whole + (EIGHTHS[eighth] if eighth else "")
    waiting = "▒" * min(round(held * width), width - len(solid))
    colour = colour or next(name for level, name in LEVELS if used + held >= level)
    rest = "░" * (width - len(solid) - len(waiting))
    return click.style(solid + waiting, fg=colour) + click.style(rest, dim=True)


def spark(values: Sequence[float]) -> str:
    """Draw a series as small columns, the highest of them full; nothing is a dot on the floor."""
    highest = max(values, default=0)
    tall = len(HEIGHTS) - 1
    return "".join(HEIGHTS[round(value / highest * tall)] if value > 0 else "·" for value in values)


def paced(used: float, passed: float | None, width: int = 16) -> str:
    """Draw how full, with a mark where the window is: a bar beyond its mark is ahead of time."""
    if passed is None:
        return bar(used, width=width)
    mark = min(int(passed * width), width - 1)
    solid = max(round(min(used, 1.0) * width), int(used > 0))
    full = click.style("█", fg=next(name for level, name in LEVELS if used >= level))
    empty = click.style("░", dim=True)
    return "".join(
        "│" if place == mark else full if place < solid else empty for place in range(width)
    )


def percent(share: float) -> str:
    return f"{share:.0%}"
