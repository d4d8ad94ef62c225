"""The verbs of one call: check, reserve, settle, release, record."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from daemon.cli import units
from daemon.cli.answer import denial
from daemon.cli.kinds import Count, JsonObject, Pair, Usd
from daemon.cli.standings import standings
from daemon.cli.verb import Console, Verb
from protocols.routing.words import CAPABILITIES

F = TypeVar("F", bound=Callable[..., Any])
Json = dict[str, Any]

JOB = (
    click.option("--provider", help="Who sells the model; default: its maker."),
    click.option("--in", "--input-tokens", "input_tokens", type=Count(), help="Tokens sent."),
    click.option("--in-text", "input_text", type=click.File(), help="A file to count instead."),
    click.option(
        "--out", "--max-output-tokens", "max_output_tokens", type=Count(), help="Most tokens back."
    ),
    click.option("--task-type", help="What the call is for; default: default."),
    click.option("--priority", type=click.IntRange(1, 10), help="1 to 10; default: 5."),
    click.option("--context-id", help="The session or task it belongs to."),
    click.option("--allocation-id", help="The allocation it draws from."),
    click.option("--tag", "tags", type=Pair(), multiple=True, help="A tag; may be repeated."),
    click.option(
        "--need", "needs", type=click.Choice(CAPABILITIES), multiple=True, metavar="ABILITY",
        help=f"What the model must be able to do: {', '.join(CAPABILITIES)}.",
    ),
)  # fmt: skip
WANTED = (
    click.argument("component"),
    click.argument("model"),
    *JOB,
    click.option("--usd", type=Usd(), help="Hold this many dollars instead of an estimate."),
    click.option(
        "--exact-model", is_flag=True, default=None, help="Refuse rather than downgrade."
    ),
)  # fmt: skip
USED = (
    click.option(
        "--usage", type=JsonObject(),
        help="The provider's usage object, or its whole response, as it came.",
    ),
    click.option("--in", "input", type=Count(), help="Input tokens, without cached ones."),
    click.option("--cache-read", type=Count(), help="Input tokens read from a cache."),
    click.option("--out", "output", type=Count(), help="Output tokens."),
)  # fmt: skip
KEY = click.option("--key", help="Idempotency key: the same key is never booked twice.")


def options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Several options in the order they are written."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def wanted(fields: Json) -> Json:
    """Make the fields of a request from what was typed."""
    text = fields.pop("input_text", None)
    tags = dict(fields.pop("tags", ()))
    fields |= {"input_text": text.read() if text else None, "tags": tags or None}
    return fields | {"needs": list(fields.get("needs", ())) or None}


def used(fields: Json) -> Json:
    """Take the usage out of `fields`: from `--usage`, from counts, or from stdin."""
    usage: Json | None = fields.pop("usage")
    counts = {name: fields.pop(name) for name in ("input", "cache_read", "output")}
    counts = {name: count for name, count in counts.items() if count is not None}
    if usage is not None and counts:
        raise click.UsageError("give either --usage or counts, not both")
    if usage is not None or counts:
        return usage or counts
    if sys.stdin.isatty():
        raise click.UsageError("say what was used: --usage FILE, or --in N --out N")
    return JsonObject().convert("-", None, click.get_current_context())


@click.command(cls=Verb)
@options(*WANTED)
@click.pass_obj
def check(console: Console, /, **fields: Any) -> int:
    """Would COMPONENT be allowed to call MODEL? Holds nothing.

    The exit code is 0 for yes and 5 for no: `budget check apollo gpt-5-mini --out 2k && …`
    """
    reply = console.ask("check", **wanted(fields))
    console.answer(reply, lambda: _checked(reply))
    return 0 if reply["allowed"] else 5


def _checked(reply: Json) -> str:
    if instead := reply.get("instead"):
        name = click.style(f"{instead['provider']}/{instead['model']}", bold=True)
        lines = [f"{click.style('yes', fg='yellow', bold=True)}  as {name}"]
        lines[0] += f", would hold {units.amounts(instead['held'])}"
        lines.append(f"    {reply['denial']['detail']}")
    elif reply["allowed"]:
        lines = [f"{click.style('yes', fg='green', bold=True)}  would hold {_hold(reply)}"]
    else:
        problem = reply.get("denial") or {}
        lines = [f"{click.style('no', fg='red', bold=True)}  {problem.get('detail', '')}".rstrip()]
        lines += [f"    {line}" for line in denial(problem)]
    lines += [f"    warning: {warned['detail']}" for warned in reply["warnings"]]
    return "\n".join(lines)


def _hold(reply: Json) -> str:
    held = reply["would_hold"]
    about = "about " if reply["estimated"] else ""
    return f"{about}{units.amounts(held)}" if held else "nothing"


@click.command(cls=Verb)
@options(*WANTED)
@click.option(
    "--ttl", "ttl_s", type=click.IntRange(1, 86_400), help="Seconds until it lapses; 300."
)
@KEY
@click.pass_obj
def reserve(console: Console, /, key: str | None, **fields: Any) -> None:
    """Hold money, tokens and one call for COMPONENT before it calls MODEL.

    Prints the reservation id that `settle` or `release` ends. Refused with exit code 5 when a
    policy does not allow it.
    """
    reply = console.ask("reserve", key, **wanted(fields))
    console.answer(reply, lambda: _reserved(reply))


def _reserved(reply: Json) -> str:
    about = " (estimated)" if reply["estimated"] else ""
    lines = [
        reply["reservation_id"],
        *_instead(reply),
        f"  holds {units.amounts(reply['held'])}{about} until {units.when(reply['expires_at'])}",
    ]
    lines += [f"  warning: {warned['detail']}" for warned in reply["warnings"]]
    if reply["policies"]:
        lines += ["", standings(reply["policies"])]
    return "\n".join(lines)


def _instead(reply: Json) -> list[str]:
    """The model to call, where it is not the one that was asked for."""
    if not (asked := reply.get("instead_of")):
        return []
    name = click.style(f"{reply['provider']}/{reply['model']}", bold=True)
    return [f"  call {name} instead: {asked['detail']}"]


@click.command(cls=Verb)
@click.argument("reservation_id")
@options(*USED)
@click.option("--model", help="The model that answered, if another than asked.")
@click.option("--response-id", help="The provider's id of the response.")
@click.option("--part", is_flag=True, help="Book a part and keep the hold open.")
@KEY
@click.pass_obj
def settle(console: Console, /, key: str | None, *, part: bool, **fields: Any) -> None:
    """Book what a held call really used. Never refused because of a limit.

    The usage is the provider's own object, from --usage or stdin, or plain counts.
    """
    usage = used(fields)
    reply = console.ask("settle", key, usage=usage, final=not part, **fields)
    console.answer(reply, lambda: _booked(reply))


@click.command(cls=Verb)
@click.argument("component")
@click.argument("model")
@options(*USED)
@click.option("--provider", help="Who sells the model; default: its maker.")
@click.option("--task-type", help="What the call was for; default: default.")
@click.option("--context-id", help="The session or task it belongs to.")
@click.option("--allocation-id", help="The allocation it draws from.")
@click.option("--response-id", help="The provider's id of the response.")
@click.option("--tag", "tags", type=Pair(), multiple=True, help="A tag; may be repeated.")
@KEY
@click.pass_obj
def record(console: Console, /, key: str | None, **fields: Any) -> None:
    """Book usage of COMPONENT on MODEL that happened without a hold.

    The usage is the provider's own object, from --usage or stdin, or plain counts.
    """
    usage = used(fields)
    tags = dict(fields.pop("tags"))
    reply = console.ask("record", key, usage=usage, tags=tags or None, **fields)
    console.answer(reply, lambda: _booked(reply))


def _booked(reply: Json) -> str:
    cost, tokens = units.exact_usd(reply["cost_usd"]), units.count(reply["tokens"], "tokens")
    flag = {"overrun": "  more than was held", "late": "  the hold had expired"}
    return f"{reply['kind']}  {cost}, {tokens}  {reply['entry_id']}" + click.style(
        flag.get(reply["kind"], ""), fg="yellow"
    )


@click.command(cls=Verb)
@click.argument("reservation_id")
@KEY
@click.pass_obj
def release(console: Console, /, reservation_id: str, key: str | None) -> None:
    """Give a hold back: the call was not made, nothing is charged."""
    reply = console.ask("release", key, reservation_id=reservation_id)
    console.answer(reply, lambda: f"released  {reply['entry_id']}")
