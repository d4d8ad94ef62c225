"""The command `budget` as a table of verbs. A verb's module is imported when it is asked for."""

import os
from importlib import import_module
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from daemon.cli.verb import NO_COLOUR


class Entry(NamedTuple):
    """Where a verb lives, and what it does in one line."""

    place: str
    line: str


SECTIONS: dict[str, dict[str, Entry]] = {
    "Begin": {
        "demo": Entry("demo:demo", "Watch a day of calls run into a hard limit. Needs nothing."),
        "up": Entry("background:up", "Start the daemon in the background, if none is running."),
        "status": Entry("status:status", "How the daemon is, and how much of each budget is left."),
        "doctor": Entry("doctor:doctor", "Look for what could be wrong, and say how to mend it."),
        "down": Entry("background:down", "Stop the daemon; what is under way is finished first."),
    },
    "Calls": {
        "check": Entry("calls:check", "Would this call be allowed? Exit code 5 says no."),
        "reserve": Entry("calls:reserve", "Hold money, tokens and one call before a call."),
        "settle": Entry("calls:settle", "Book what a held call really used."),
        "release": Entry("calls:release", "Give a hold back: the call was not made."),
        "record": Entry("calls:record", "Book usage that happened without a hold."),
        "explain": Entry("explain:explain", "Why a call would be allowed or not, rule by rule."),
        "route": Entry("route:route", "Which model may do this job now, and why not the others."),
        "cost": Entry("prices.cost:cost", "What a usage costs, rate by rate. Books nothing."),
    },
    "Budgets": {
        "policy": Entry("policy:policy", "List, show, set and remove policies."),
        "balances": Entry("balances:balances", "Limit, used, held and left of every open window."),
        "report": Entry("report:report", "What was spent, by any part of a call and of time."),
        "pace": Entry("pace:pace", "Budget against actual, and where the rate of now leads."),
        "top": Entry("top:top", "Watch the spending live."),
        "page": Entry("page:page", "Open the live page in a browser."),
        "alerts": Entry("alerts:alerts", "What needs looking at; say you have; where alerts go."),
        "events": Entry("events:events", "What happened, and with --follow what happens."),
        "entries": Entry("entries:entries", "The journal: what happened, line by line."),
        "replay": Entry("replay:replay", "What other limits would have made of the past."),
        "prices": Entry("prices:prices", "What models cost, who says so, and your word in it."),
        "ask": Entry("ask:ask", "Ask about the spending in words; see what it rests on."),
        "recommend": Entry("recommend:recommend", "Models for a described work, cheapest first."),
        "savings": Entry("savings:savings", "Which cheaper models would have saved money."),
        "proposals": Entry("proposals:proposals", "What the assistant would change; apply or not."),
    },
    "House": {
        "serve": Entry("serve:serve", "Run the daemon in the foreground."),
        "token": Entry("token:token", "Make, list and revoke the tokens of those who may call."),
        "mcp": Entry("mcp:mcp", "The daemon's tools for models, on stdin and stdout (MCP)."),
        "tekton": Entry("tekton:tekton", "Our place in Tekton: Hermes, Hephaestus."),
        "config": Entry("config:config", "Check or show the effective configuration."),
        "verify": Entry("verify:verify", "Recompute the whole journal; exit code 65: wrong."),
        "archive": Entry("archive:archive", "Move closed months into files of their own, sealed."),
        "backup": Entry("backup:backup", "Copy the journal to a file, verified, at any time."),
        "restore": Entry("backup:restore", "Make a backup the journal; what was there is kept."),
        "migrate": Entry("backup:migrate", "Bring the journal to this version's schema."),
        "export": Entry("export:export", "Write the whole journal as lines of JSON."),
        "import": Entry("imports:imports", "Bring in what was kept elsewhere."),
        "completion": Entry("completion:completion", "Print the completion script of a shell."),
    },
}  # fmt: skip
VERBS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}

EXIT_CODES = (
    ("0", "yes, done"),
    ("1", "something went wrong"),
    ("2", "wrong usage"),
    ("3", "no daemon there"),
    ("4", "no such thing"),
    ("5", "not allowed by the budget"),
    ("6", "not authorised"),
    ("65", "the journal does not verify"),
    ("73", "cannot write there"),
    ("75", "the daemon has the journal"),
    ("78", "wrong configuration"),
)


class Budget(click.Group):
    """Loads a verb on demand, and lists the verbs without loading any."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name].place.partition(":")
        command: click.Command = getattr(import_module(f"daemon.cli.{module}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in VERBS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.NoSuchCommand(args[0], possibilities=VERBS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.line) for name, entry in verbs.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Exit codes"):
            formatter.write_dl(EXIT_CODES)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """As click does, but loads nothing."""
        verbs = [
            CompletionItem(name, help=entry.line)
            for name, entry in VERBS.items()
            if name.startswith(incomplete)
        ]
        return verbs or click.Command.shell_complete(self, ctx, incomplete)


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value:
        version = import_module("importlib.metadata").version("tekton-budget")
        click.echo(f"budget {version}")
        ctx.exit()


@click.command(
    cls=Budget,
    params=[
        NO_COLOUR,
        click.Option(
            ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version,
            help="Show the version.",
        ),
    ],
    context_settings={
        "auto_envvar_prefix": "BUDGET",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)  # fmt: skip
@click.pass_context
def budget(ctx: click.Context, /, **_: Any) -> None:
    """Decide before a model is called whether the money and the tokens are there."""
    if ctx.color is None and (os.environ.get("FORCE_COLOR") or os.environ.get("NO_COLOR")):
        ctx.color = not os.environ.get("NO_COLOR")
