"""The assistant in the shapes that Tekton's callers know: analyze, optimize, recommend, chat.

Each becomes a question in words; the answer is the assistant's, with its queries and proposals
where the caller wants the raw data.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field
from pydantic_core import to_json, to_jsonable_python

from protocols.assistant import QUESTION_MAX, Answer
from protocols.http.body import parse, read
from protocols.http.invalid import understood
from protocols.http.reply import respond
from protocols.http.routes import Handler
from protocols.http.settings import PREFIX, DoorSettings
from protocols.http.verb import Authenticate, Verb
from protocols.message import Ask, Value
from protocols.money import Usd, show_usd
from protocols.operations import BY_NAME

Count = Annotated[int, Field(ge=1, le=10**12)]


class Looking(Value):
    """Over which time, and whether the queries are wanted too."""

    period: Literal["hourly", "daily", "weekly", "monthly"] = "daily"
    days: Annotated[int, Field(ge=1, le=365)] = 30
    include_raw_data: bool = False


class Workload(Value):
    """What a model is wanted for."""

    task_description: Annotated[str, Field(min_length=1, max_length=4000)]
    input_length: Count = Field(description="tokens a call")
    output_length: Count = Field(description="tokens a call")
    usage_frequency: Count = Field(description="calls a day")
    budget_limit: Usd = Field(description="decimal string, USD a month")
    priority_areas: Annotated[str, Field(max_length=200)] = "cost"
    include_raw_data: bool = False


class Chat(Value):
    """One message, as Hephaestus sends it."""

    message: Annotated[str, Field(min_length=1, max_length=QUESTION_MAX)]
    context: dict[str, Any] = Field(default={}, description="conversation_id, to go on with one")


def analyze(asked: Looking) -> str:
    return f"Analyze the spending of the last {asked.days} days, {asked.period}: who, what, trends."


def optimize(asked: Looking) -> str:
    return (
        f"Find waste in the last {asked.days} days: caches that are missed, models too large for "
        "small outputs, unused allocations, limits never or always hit. Propose what helps."
    )


def recommend(asked: Workload) -> str:
    return (
        f"Recommend models for this workload: {asked.input_length} tokens in and "
        f"{asked.output_length} out a call, {asked.usage_frequency} calls a day, at most "
        f"{show_usd(asked.budget_limit)} USD a month; what matters: {asked.priority_areas}. "
        f"The task: {asked.task_description}"
    )


def analysis(answer: Answer) -> dict[str, Any]:
    return {"success": True, "analysis": answer.text, "error": None}


def recommendations(answer: Answer) -> dict[str, Any]:
    return {"success": True, "recommendations": answer.text, "error": None}


def reply(answer: Answer) -> dict[str, Any]:
    """Answer a chat; `proposals` and `queries` are there for a page that shows them."""
    return {
        "success": True, "response": answer.text, "message": answer.text, "error": None,
        "conversation_id": answer.conversation_id, **raw(answer),
    }  # fmt: skip


def raw(answer: Answer) -> dict[str, Any]:
    rest = {"source", "detail", "queries", "unproven", "proposals", "cost_usd"}
    told: dict[str, Any] = to_jsonable_python(answer)
    return {name: value for name, value in told.items() if name in rest}


SHAPES: tuple[tuple[str, type[Value], Callable[[Any], str], Callable[[Answer], Any]], ...] = (
    ("", Chat, lambda asked: asked.message, reply),
    ("/analyze", Looking, analyze, analysis),
    ("/optimize", Looking, optimize, recommendations),
    ("/recommend-model", Workload, recommend, recommendations),
)
"""Path, what is taken, the question it becomes, and how the answer is put."""


def add_shapes(
    router: web.UrlDispatcher, ask: Ask, authenticate: Authenticate, settings: DoorSettings
) -> None:
    verb = Verb(BY_NAME["ask_assistant"], ask)

    def handler(
        wanted: type[Value], words: Callable[[Any], str], shape: Callable[[Answer], Any]
    ) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            caller = authenticate(request.headers.get("Authorization"))
            verb.admit(caller)
            asked: Any = understood(wanted, parse(await read(request, settings)))
            context = getattr(asked, "context", {})
            question = verb.understand(
                {"question": words(asked), "conversation_id": context.get("conversation_id")}
            )
            answer = await ask(verb.operation.address(question), question, caller)
            told = shape(answer)
            if getattr(asked, "include_raw_data", False):
                told["raw_data"] = raw(answer)
            return respond(to_json(told))

        return handle

    for path, wanted, words, shape in SHAPES:
        router.add_post(f"{PREFIX}/assistant{path}", handler(wanted, words, shape))
