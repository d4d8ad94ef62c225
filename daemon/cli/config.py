"""`budget config`: check the configuration, or show what holds and who said so."""

from pathlib import Path
from typing import Any

import click

from daemon.cli import units
from daemon.cli.settings import CONFIG, settings_from, tell_notes
from daemon.cli.table import render, words
from daemon.cli.verb import Console, Plain
from daemon.config import Settings, show

Json = dict[str, Any]


@click.group()
def config() -> None:
    """Check or show budget.toml, the environment and the command line together."""


@config.command("check", cls=Plain)
@CONFIG
@click.pass_obj
def config_check(console: Console, /, config_file: Path | None) -> None:
    """Name every mistake at once; exit code 78 if there is one."""
    settings = settings_from(config_file)
    tell_notes(settings)
    reply = {
        "file": str(settings.path) if settings.path else None,
        "policies": len(settings.policies),
        "budgets": len(settings.budgets),
        "data_dir": str(settings.data_dir),
    }
    console.answer(reply, lambda: _checked(settings))


def _checked(settings: Settings) -> str:
    mark = click.style("✓", fg="green")
    rules = units.count(len(settings.policies), "policies")
    budgets = units.count(len(settings.budgets), "budgets")
    return f"{mark} {settings.path or 'the defaults'}: {rules}, {budgets}"


@config.command("show", cls=Plain)
@CONFIG
@click.pass_obj
def config_show(console: Console, /, config_file: Path | None) -> None:
    """Every setting, its value and where it comes from."""
    rows = [(row.key, _text(row.value), row.origin) for row in show(settings_from(config_file))]
    items = [dict(zip(("key", "value", "origin"), row, strict=True)) for row in rows]
    console.answer({"items": items}, lambda: render(words("setting", "value", "from"), rows))


def _text(value: object) -> str:
    match value:
        case None:
            return "none"
        case list() | tuple():
            return ", ".join(map(str, value)) or "none"
        case dict():
            return ", ".join(f"{name}={inner}" for name, inner in value.items()) or "none"
        case _:
            return str(value)
