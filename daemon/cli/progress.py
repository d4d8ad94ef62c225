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
        self._steer(HIDE)
        return self

    def __exit__(self, *_: object) -> None:
        self._steer(CLEAR + SHOW)

    def draw(self, text: str) -> None:
        if self._alive and len(click.unstyle(text)) < shutil.get_terminal_size().columns:
            self._steer(CLEAR)
            click.echo(text, err=True, nl=False)

    def above(self, text: str) -> None:
        """Print a line that stays, above this one."""
        self._steer(CLEAR)
        click.echo(text)

    def spin(self, text: str) -> None:
        self._turn += 1
        self.draw(f"{click.style(SPINNER[self._turn % len(SPINNER)], fg='cyan')} {text}")

    def _steer(self, codes: str) -> None:
        """Move the cursor, also where colours are not wanted: click would take it for one."""
        if self._alive:
            sys.stderr.write(codes)
            sys.stderr.flush()


def gauge(done: float, width: int = 24) -> str:
    """Draw a plain progress bar, 0 to 1."""
    solid = round(min(max(done, 0.0), 1.0) * width)
    return click.style("━" * solid, fg="cyan") + click.style("━" * (width - solid), dim=True)
