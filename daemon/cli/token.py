"""`budget token`: make, list and revoke."""

import re
from typing import Any

import click

from daemon.cli import units
from daemon.cli.table import Column, render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]
WHY = click.option("--why", help="The reason, kept in the journal.")


class Span(click.ParamType[int]):
    """A span of time as people write it: 30m, 12h, 90d. In seconds."""

    name = "span"
    _pattern = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
    _seconds = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = self._pattern.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is not a span such as 30m, 12h or 90d", param, ctx)
        return int(match[1]) * self._seconds[match[2]]


@click.group()
def token() -> None:
    """Say who may call, as what, for which components, and until when."""


@token.command("new", cls=Verb)
@click.argument("name")
@click.option(
    "--role", type=click.Choice(("read", "report", "admin")), default="report", show_default=True,
    help="read looks; report holds and settles, too; admin decides, too.",
)  # fmt: skip
@click.option("--component", "components", multiple=True, help="Only for this one; repeatable.")
@click.option("--expires-in", "expires_in_s", type=Span(), help="30m, 12h, 90d; default: never.")
@WHY
@click.pass_obj
def token_new(console: Console, /, components: tuple[str, ...], **typed: Any) -> None:
    """Make a token for the caller NAME. The secret is shown this once.

    budget token new apollo --component apollo --expires-in 90d
    """
    reply = console.ask("make_token", components=list(components), **typed)
    console.answer(reply, lambda: _made(reply))


def _made(reply: Json) -> str:
    return f"{_table([reply['shown']])}\n\n  {reply['token']}\n  keep it: it is not shown again"


@token.command("list", cls=Verb)
@click.pass_obj
def token_list(console: Console, /) -> None:
    """Every token, never a secret."""
    reply = console.pages("list_tokens")
    console.answer(reply, lambda: _table(reply["items"]))


def _table(tokens: list[Json]) -> str:
    columns = [
        *words("name", "id", "role", "components", "made by"),
        Column("made", optional=True), Column("ends"), Column("last used", optional=True),
    ]  # fmt: skip
    return render(columns, [_row(one) for one in tokens])


def _row(one: Json) -> list[str]:
    ends = "never" if one["expires_at"] is None else units.when(one["expires_at"])
    return [
        one["name"],
        one["id"],
        one["role"],
        ", ".join(one["components"]) or "all",
        one["made_by"],
        units.when(one["made_at"]) if one["made_at"] else "",
        f"{ends} (over)" if one["expired"] else ends,
        units.when(one["last_used_at"]) if one["last_used_at"] else "",
    ]


@token.command("revoke", cls=Verb)
@click.argument("name")
@WHY
@click.pass_obj
def token_revoke(console: Console, /, name: str, why: str | None) -> None:
    """End the token NAME now; its open streams are closed."""
    reply = console.ask("revoke_token", name=name, why=why)
    console.answer(reply, lambda: f"  {reply['name']} ({reply['id']}) is revoked")
