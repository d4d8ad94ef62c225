"""The day: who calls which model how often, and what it takes. The same at every run."""

from collections.abc import Iterator
from itertools import cycle, islice
from typing import NamedTuple

from daemon.demo.shapes import (
    Shape,
    Usage,
    anthropic,
    gemini,
    openai_chat,
    openai_embedding,
    openai_responses,
)

OPENS_MIN, CLOSES_MIN = 8 * 60, 20 * 60
"""The house works from eight to eight."""
GOLDEN = 0.618_033_988_749_895
"""Steps of the golden ratio fill 0 to 1 evenly and never repeat: no two calls are alike."""


class Kind(NamedTuple):
    """One kind of call and its typical tokens."""

    model: str
    shape: Shape
    task: str
    fresh: int
    cached: int
    output: int
    thinking: int = 0


class Call(NamedTuple):
    """One call of the day. `fate` says what becomes of it beside the ordinary."""

    number: int
    component: str
    model: str
    task: str
    minute: float
    input_tokens: int
    max_output_tokens: int
    usage: Usage
    fate: str


class Part(NamedTuple):
    """One component's day: how many calls, and which kinds in turn."""

    calls: int
    kinds: tuple[Kind, ...]


DAY: dict[str, Part] = {
    "apollo": Part(124, (
        Kind("gpt-5-mini", openai_responses, "planning", 3_400, 5_120, 900, 1_400),
        Kind("gpt-5-mini", openai_responses, "context", 6_800, 2_048, 500, 320),
        Kind("claude-haiku-4-5", anthropic, "planning", 900, 9_000, 1_100),
        Kind("gpt-5", openai_responses, "planning", 5_200, 3_072, 800, 1_100),
        Kind("gpt-5-mini", openai_chat, "forecast", 2_100, 1_024, 350, 600),
        Kind("gpt-5", openai_responses, "review", 4_100, 7_168, 650, 900),
    )),
    "rhetor": Part(94, (
        Kind("claude-sonnet-4-5", anthropic, "writing", 420, 18_000, 950),
        Kind("gpt-4o", openai_chat, "writing", 2_600, 1_536, 620),
        Kind("claude-sonnet-4-5", anthropic, "editing", 1_300, 22_000, 700),
        Kind("claude-sonnet-4-5", anthropic, "dialogue", 260, 12_000, 480),
        Kind("gpt-4o", openai_chat, "summary", 7_400, 0, 380),
    )),
    "engram": Part(80, (
        Kind("gemini-2.5-flash", gemini, "summarise", 14_000, 0, 700, 420),
        Kind("gemini-2.5-flash", gemini, "recall", 5_200, 8_192, 260, 180),
        Kind("text-embedding-3-small", openai_embedding, "embed", 6_400, 0, 0),
        Kind("gemini-2.5-flash", gemini, "link", 9_100, 4_096, 420, 900),
    )),
    "hermes": Part(140, (
        Kind("claude-haiku-4-5", anthropic, "route", 340, 2_400, 90),
        Kind("gpt-5-mini", openai_chat, "triage", 1_150, 1_024, 130, 64),
        Kind("claude-haiku-4-5", anthropic, "translate", 1_250, 2_400, 540),
        Kind("gpt-5-mini", openai_responses, "route", 980, 0, 75, 128),
    )),
}  # fmt: skip

TIMEOUT_EVERY = 17
"""So many of hermes' calls go by until one is not answered."""
SURPRISE = 6_000
"""Thinking tokens of the one call that takes more than it asked for."""


def day_of(component: str) -> Iterator[Call]:
    """Yield a component's calls, one after the other."""
    part = DAY[component]
    for number, kind in enumerate(islice(cycle(part.kinds), part.calls)):
        yield _call(component, number, kind, (number + 0.5) / part.calls)


def _call(component: str, number: int, kind: Kind, through: float) -> Call:
    turn = number * GOLDEN % 1
    size = 0.6 + 0.8 * turn
    fate = _fate(component, number)
    fresh, cached, output, thinking = (
        round(tokens * size) for tokens in (kind.fresh, kind.cached, kind.output, kind.thinking)
    )
    max_output = (kind.output + kind.thinking) * 3 // 2
    if fate == "overrun":
        thinking = SURPRISE
    return Call(
        number=number,
        component=component,
        model=kind.model,
        task=kind.task,
        minute=OPENS_MIN + (CLOSES_MIN - OPENS_MIN) * through,
        input_tokens=fresh + cached,
        max_output_tokens=max_output,
        usage=kind.shape(fresh, cached, output, thinking),
        fate=fate,
    )


def _fate(component: str, number: int) -> str:
    """Say what becomes of a call: most are settled."""
    match component, number:
        case "engram", 33:
            return "overrun"
        case "apollo", 20:
            return "repeated"
        case "hermes", _ if number % TIMEOUT_EVERY == TIMEOUT_EVERY - 1:
            return "released"
        case _:
            return "settled"


def clock(minute: float) -> str:
    """Write a minute of the day: 14:07."""
    return f"{int(minute) // 60:02d}:{int(minute) % 60:02d}"
