"""`budget ask`: a question in words, answered with the queries it rests on."""

from typing import Any

import click

from daemon.cli import units
from daemon.cli.progress import Line
from daemon.cli.proposals import headline
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]
WAIT_S = 0.5
TAIL = 60
"""Characters of what is being said that fit beside the spinner."""


@click.command(cls=Verb)
@click.argument("question", nargs=-1, required=True)
@click.option("--conversation", help="Go on with an earlier one: cnv_…")
@click.pass_obj
def ask(console: Console, /, question: tuple[str, ...], conversation: str | None) -> None:
    """Ask about the spending. The assistant looks and proposes; it changes nothing.

    budget ask where did the money go this week
    """
    words = " ".join(question)
    reply = console.ask("ask_assistant", question=words, conversation_id=conversation, wait=False)
    with Line() as line:
        while reply["status"] == "working":
            line.spin(" ".join(reply["text"].split())[-TAIL:] or "looking …")
            reply = console.ask("show_answer", answer_id=reply["answer_id"], wait_s=WAIT_S)
    console.answer(reply, lambda: _answer(reply))


def _answer(reply: Json) -> str:
    lines = [reply["text"]]
    if reply["detail"]:
        lines += ["", click.style(f"  {reply['detail']}", dim=True)]
    if reply["unproven"]:
        figures = ", ".join(reply["unproven"])
        lines += ["", click.style(f"  in none of the data: {figures}", fg="yellow")]
    if reply["queries"]:
        lines += ["", *(click.style(f"  {_query(query)}", dim=True) for query in reply["queries"])]
    for made in reply["proposals"]:
        lines += ["", f"  proposed: {headline(made)}", f"  budget proposals show {_id(made)}"]
    if reply["source"] == "model":
        facts = f"{units.usd(reply['cost_usd'])} · {reply['tokens']:,} tokens"
        more = f"budget ask --conversation {reply['conversation_id']} …"
        lines += ["", click.style(f"  {facts} · {more}", dim=True)]
    return "\n".join(lines)


def _query(query: Json) -> str:
    fields = " ".join(f"{name}={value}" for name, value in query["fields"].items())
    refused = f"  refused: {query['refused']}" if query["refused"] else ""
    return f"[{query['number']}] {query['operation']} {fields}{refused}".rstrip()


def _id(made: Json) -> str:
    return str(made["proposal_id"])
