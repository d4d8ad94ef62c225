"""What every verb shares: how it finds the daemon, and how it prints what it hears."""

import json
import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import click

from daemon import client
from daemon.cli import answer
from protocols.errors import BudgetError

Json = dict[str, Any]


class Console:
    """One verb's line to the daemon and to the person who typed it."""

    def __init__(self, form: answer.Form | Literal["focus"], where: dict[str, Any]) -> None:
        self.form = form
        self.where = where

    @cached_property
    def client(self) -> client.Client:
        return client.find(os.environ, **self.where)

    def answer(self, reply: Json, table: Callable[[], str]) -> None:
        assert self.form != "focus", "its verb writes that itself"
        answer.answer(self.form, reply, table)

    def ask(self, operation: str, key: str | None = None, **fields: Any) -> Json:
        return self.client.call(operation, fields, key)

    def pages(self, operation: str, limit: int | None = None, **fields: Any) -> Json:
        """All pages of a list as one reply."""
        return {"items": list(self.client.items(operation, fields, limit)), "next_cursor": None}


def _no_colour(ctx: click.Context, _: click.Parameter, value: bool | None) -> None:  # noqa: FBT001
    if value:
        ctx.color = False


NO_COLOUR = click.Option(
    ["--no-color"],
    is_flag=True,
    default=None,
    expose_value=False,
    callback=_no_colour,
    help="Plain text. NO_COLOR does the same.",
)


def form_option(forms: Sequence[str]) -> click.Option:
    more = "".join(f", {form}" for form in forms if form not in answer.FORMS)
    return click.Option(
        ["-o", "--output", "form"],
        type=click.Choice(forms),
        default="table",
        envvar="BUDGET_OUTPUT",
        show_envvar=True,
        metavar="FORM",
        help=f"table (for people, always the default), json, jsonl or csv{more}.",
    )


AS_JSON = click.Option(["--json", "as_json"], is_flag=True, help="Short for -o json.")
DATA_DIR = click.Option(
    ["--data-dir"],
    type=click.Path(path_type=Path, file_okay=False),
    envvar="BUDGET_DATA_DIR",
    show_envvar=True,
    help="Where the daemon keeps its journal and token.",
)
WHERE = [
    click.Option(
        ["--url"], envvar="BUDGET_URL", show_envvar=True, help="Its address: http://127.0.0.1:8013."
    ),
    click.Option(
        ["--socket", "socket_path"],
        envvar="BUDGET_SOCKET",
        show_envvar=True,
        help="The daemon's unix socket.",
    ),
    DATA_DIR,
    click.Option(
        ["--token-file"],
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="BUDGET_TOKEN_FILE",
        show_envvar=True,
        help="Where the token is; BUDGET_TOKEN holds one itself.",
    ),
]


class Plain(click.Command):
    """A verb that prints an answer: the function gets a `Console`."""

    where: ClassVar[Sequence[click.Option]] = ()
    forms: ClassVar[Sequence[str]] = answer.FORMS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [form_option(self.forms), AS_JSON, NO_COLOUR, *self.where]

    def invoke(self, ctx: click.Context) -> Any:
        form = ctx.params.pop("form")
        as_json = ctx.params.pop("as_json")
        where = {str(option.name): ctx.params.pop(str(option.name)) for option in self.where}
        ctx.obj = Console("json" if as_json else form, where)
        try:
            return super().invoke(ctx)
        except BudgetError as error:
            if ctx.obj.form in ("json", "jsonl"):
                click.echo(json.dumps(error.problem(), ensure_ascii=False))
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verb's own options first, then how the daemon is found."""
        known = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        own = [option for option in known if option not in self.where]
        for title, options in (("Options", own), ("Which daemon", self.where)):
            lines = [line for option in options if (line := option.get_help_record(ctx))]
            if lines:
                with formatter.section(title):
                    formatter.write_dl(lines, col_max=34)


class Verb(Plain):
    """A verb that asks the daemon: it can be told which."""

    where = WHERE
