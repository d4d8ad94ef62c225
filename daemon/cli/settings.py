"""Flags of the daemon become `Settings`; all mistakes at once, exit code 78."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from daemon.cli.answer import Stop
from daemon.config import ConfigError, Settings, load

F = TypeVar("F", bound=Callable[..., Any])

CONFIG = click.option(
    "--config", "config_file", type=click.Path(path_type=Path), envvar="BUDGET_CONFIG",
    help="The file to read; default: ./budget.toml, else ~/.config/tekton-budget/config.toml.",
)  # fmt: skip
KEYS = {
    "host": "daemon.host",
    "port": "daemon.port",
    "socket": "daemon.socket",
    "data_dir": "daemon.data_dir",
}
FLAGS = (
    click.option("--host", help="The loopback address to listen on; default: 127.0.0.1."),
    click.option(
        "--port", type=click.IntRange(0, 65_535), help="TCP port, 0 for a free one; default: 8013."
    ),
    click.option("--socket", help="Listen on this unix socket as well."),
    click.option("--data-dir", help="Where journal and tokens are kept."),
    CONFIG,
)
ACCEPT_LOSS = click.option(
    "--accept-loss", is_flag=True,
    help="Start though entries are missing that were written; the journal will say so.",
)  # fmt: skip


def daemon_flags(function: F) -> F:
    """`--host --port --socket --data-dir --config`, as `serve` and `up` take them."""
    for flag in reversed(FLAGS):
        function = flag(function)
    return function


def settings_from(config_file: Path | None = None, **flags: Any) -> Settings:
    """Load the effective settings. Raises `Stop` naming every mistake."""
    try:
        return load(
            config_file,
            environ=os.environ,
            overrides={KEYS[name]: value for name, value in flags.items()},
        )
    except ConfigError as error:
        raise misconfigured(error) from None


def tell_notes(settings: Settings) -> None:
    """Say what is no mistake, but a person should know."""
    for note in settings.notes:
        click.echo(f"{click.style('note:', fg='cyan')} {note}", err=True)


def misconfigured(error: ConfigError) -> Stop:
    number = len(error.problems)
    what = "1 problem" if number == 1 else f"{number} problems"
    return Stop(f"{what} in the configuration", None, lines(error), exit_code=error.exit_code)


def lines(error: ConfigError) -> Sequence[str]:
    """Two lines for each problem: where and what, then the remedy."""
    return [
        line
        for problem in error.problems
        for line in (f"{problem.where}: {problem.what}", f"    {problem.remedy}")
    ]


def flags_as_typed(config_file: Path | None, **flags: Any) -> list[str]:
    """Write the same flags for another process of this command."""
    typed = {"config": config_file and config_file.absolute(), **flags}
    return [
        part
        for name, value in typed.items()
        if value is not None
        for part in (f"--{name.replace('_', '-')}", str(value))
    ]
