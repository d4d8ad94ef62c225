"""One line that is drawn over and over on a terminal, and never elsewhere."""

import shutil
import sys
from typing import Self

import click

CLEAR = "\r\x1b[2K"
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Line:
    """On stderr, so that what is printed stays clean."""

    def __init__(self) -> None:
        self._alive = sys.stderr.isatty()
        self._turn = 0

    def __enter__(self) -> Self:
        self._write(HIDE)
        return self

    def __exit__(self, *_: object) -> None:
        self._write(CLEAR + SHOW)

    def draw(self, text: str) -> None:
        width = shutil.get_terminal_size().columns
        if len(click.unstyle(text)) < width:
            self._write(CLEAR + text)

    def above(self, text: str) -> None:
        """Print a line that stays, above this one."""
        self._write(CLEAR)
        click.echo(text)

    def spin(self, text: str) -> None:
        self._turn += 1
        self.draw(f"{click.style(SPINNER[self._turn % len(SPINNER)], fg='cyan')} {text}")

    def _write(self, text: str) -> None:
        if self._alive:
            click.echo(text, err=True, nl=False)


def gauge(done: float, width: int = 24) -> str:
    """Draw a plain progress bar, 0 to 1."""
    solid = round(min(max(done, 0.0), 1.0) * width)
    return click.style("━" * solid, fg="cyan") + click.style("━" * (width - solid), dim=True)
