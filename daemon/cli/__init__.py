"""The command line: `budget`, and `python -m daemon`."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from daemon.cli.answer import Stop, complain, refuse
from daemon.cli.group import budget
from daemon.tekton.environment import environment, read
from protocols.errors import BudgetError

INTERRUPTED = 130


def main(args: Sequence[str] | None = None) -> None:
    """Run one verb and leave with its exit code."""
    take_in_tekton()
    sys.exit(run(args))


def take_in_tekton() -> None:
    """Let Tekton's variables and files speak, for this process and its children."""
    told = environment(os.environ, read)
    os.environ.update(told)
    if any(
        name.startswith("TEKTON_") for name in told
    ):  # debugging is read at import, and this came too late for that
        import_module("protocols.debug").debug_log.configure(os.environ)


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
