"""The command line: `budget`, and `python -m daemon`."""

import sys
from collections.abc import Sequence

import click

from daemon.cli.answer import Stop, complain, refuse
from daemon.cli.group import budget
from protocols.errors import BudgetError

INTERRUPTED = 130


def main(args: Sequence[str] | None = None) -> None:
    """Run one verb and leave with its exit code."""
    sys.exit(run(args))


def run(args: Sequence[str] | None = None) -> int:
    try:
        code = budget.main(args, prog_name="budget", standalone_mode=False)
    except BudgetError as error:
        refuse(error)
        return error.exit_code
    except Stop as stop:
        complain(stop.detail, stop.hint, stop.lines)
        return stop.exit_code
    except click.UsageError as error:
        complain(error.format_message(), f"`{_path(error)} --help` shows what is known")
        return error.exit_code
    except click.ClickException as error:
        complain(error.format_message())
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def _path(error: click.UsageError) -> str:
    return error.ctx.command_path if error.ctx else "budget"
