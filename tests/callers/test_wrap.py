"""OpenAI's own client under the budget, against a provider on a port; Anthropic's by its shape."""

from collections.abc import Iterator
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import openai
import pytest

from tekton_budget import AsyncBudgetClient, BudgetClient, Denied, wrap
from tests.callers.provider import provider
from tests.daemon_process import Daemon

MODEL = "gpt-4o"
SAY = [{"role": "user", "content": "Is it so?"}]
COST = 3_500_000
Asked = list[dict[str, Any]]


@pytest.fixture(scope="module")
def seller() -> Iterator[tuple[str, Asked]]:
    with provider() as found:
        yield found


@pytest.fixture
def client(seller: tuple[str, Asked], budget: BudgetClient) -> Iterator[Any]:
    with openai.OpenAI(base_url=seller[0], api_key="x", max_retries=0) as bare:
        yield wrap(bare, budget)


@pytest.fixture
def last(daemon: Daemon) -> Any:
    """The newest entry that ended a hold, and the one that opened it."""

    def look() -> tuple[dict[str, Any], dict[str, Any]]:
        items = daemon.get("/entries?component=caller&limit=1000").body["items"]
        end = [item for item in items if item["kind"] in ("settled", "released", "overrun")][-1]
        (held,) = [i for i in items if i["kind"] == "held" and i["subject"] == end["subject"]]
        return end, held

    return look


def test_a_chat_completion_is_held_and_booked(client: Any, last: Any) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=SAY, max_tokens=50)

    assert answer.choices[0].message.content == "yes"
    end, held = last()
    assert (end["body"]["usd"], end["body"]["response_id"]) == (COST, answer.id)
    assert 500_000 < held["body"]["usd"] < 600_000  # 50 tokens of output and a short question


def test_a_stream_is_booked_when_it_ends_and_shows_nothing_that_was_not_asked(
    client: Any, last: Any, seller: tuple[str, Asked]
) -> None:
    with client.chat.completions.create(model=MODEL, messages=SAY, stream=True) as stream:
        chunks = list(stream)

    assert [chunk.choices[0].delta.content for chunk in chunks] == ["yes", " sir"]
    assert seller[1][-1]["stream_options"] == {"include_usage": True}
    assert last()[0]["body"]["usd"] == COST


def test_who_asks_for_the_usage_of_a_stream_gets_to_see_it(client: Any) -> None:
    options = {"include_usage": True}
    stream = client.chat.completions.create(
        model=MODEL, messages=SAY, stream=True, stream_options=options
    )

    assert [chunk.usage is not None for chunk in stream] == [False, False, True]


def test_a_stream_that_is_left_early_costs_what_it_held(client: Any, last: Any) -> None:
    with client.chat.completions.create(
        model=MODEL, messages=SAY, max_tokens=50, stream=True
    ) as stream:
        next(iter(stream))

    end, held = last()
    assert (end["kind"], end["body"]["usd"]) == ("settled", held["body"]["usd"])


def test_responses_and_embeddings_are_booked(client: Any, last: Any) -> None:
    client.responses.create(model=MODEL, input="Is it so?", max_output_tokens=50)
    assert last()[0]["body"]["usd"] == COST

    client.embeddings.create(model="text-embedding-3-small", input="Is it so?")
    end, held = last()
    assert end["body"]["usd"] == 20_000  # 1,000 tokens at 0.02 USD per million
    assert held["body"]["task_type"] == "embedding"


def test_a_call_the_provider_refuses_is_given_back(client: Any, last: Any) -> None:
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=MODEL, messages=SAY, extra_body={"model": "refused"})

    assert last()[0]["kind"] == "released"


def test_a_denied_call_never_reaches_the_provider(
    client: Any, budget: BudgetClient, seller: tuple[str, Asked]
) -> None:
    before = len(seller[1])
    budget.set_policy("shut", {"calls": 0}, "daily", match={"component": "caller"})
    try:
        with pytest.raises(Denied):
            client.chat.completions.create(model=MODEL, messages=SAY)
    finally:
        budget.remove_policy("shut")

    assert len(seller[1]) == before


@pytest.mark.parametrize(
    "path",
    [
        "chat.completions.with_raw_response", "chat.completions.parse", "responses.stream",
        "with_raw_response",
    ],
)  # fmt: skip
def test_the_ways_around_the_guard_are_refused(client: Any, path: str) -> None:
    with pytest.raises(AttributeError, match="not guarded by the budget"):
        attrgetter(path)(client)


def test_a_copy_is_guarded_as_well(client: Any, last: Any) -> None:
    answer = client.with_options(timeout=5).chat.completions.create(model=MODEL, messages=SAY)

    assert last()[0]["body"]["response_id"] == answer.id


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_async_client_is_held_and_booked_streamed_or_not(
    seller: tuple[str, Asked], budget_later: AsyncBudgetClient, last: Any
) -> None:
    async with (
        openai.AsyncOpenAI(base_url=seller[0], api_key="x", max_retries=0) as bare,
        budget_later as budget,
    ):
        client: Any = wrap(bare, budget)
        answer = await client.chat.completions.create(model=MODEL, messages=SAY)
        assert last()[0]["body"]["response_id"] == answer.id
        stream = await client.chat.completions.create(model=MODEL, messages=SAY, stream=True)
        async with stream:
            words = [chunk.choices[0].delta.content async for chunk in stream]

    assert words == ["yes", " sir"]
    assert last()[0]["body"]["usd"] == COST


class Messages:
    """What Anthropic's `messages` does, as far as a caller sees it."""

    def create(self, **asked: Any) -> Any:
        opened = {"input_tokens": 1000, "cache_read_input_tokens": 0, "output_tokens": 1}
        if not asked.get("stream"):
            return SimpleNamespace(id="msg-1", usage=opened | {"output_tokens": 100})
        closed = {"input_tokens": None, "output_tokens": 100}
        return Events(
            SimpleNamespace(type="message_start", message=SimpleNamespace(usage=opened)),
            SimpleNamespace(type="content_block_delta"),
            SimpleNamespace(type="message_delta", usage=closed),
        )


class Events:
    def __init__(self, *events: Any) -> None:
        self._events = iter(events)

    def __iter__(self) -> Iterator[Any]:
        return self._events

    def close(self) -> None:
        self._events = iter(())


@pytest.mark.parametrize("stream", [False, True])
def test_a_message_of_anthropic_is_booked(budget: BudgetClient, last: Any, stream: bool) -> None:  # noqa: FBT001
    client: Any = wrap(SimpleNamespace(messages=Messages()), budget)
    answer = client.messages.create(
        model="claude-sonnet-4-5", messages=SAY, max_tokens=500, stream=stream
    )
    if stream:
        assert len(list(answer)) == 3

    assert last()[0]["body"]["usage"] == {"input": 1000, "output": 100}
    assert last()[0]["body"]["usd"] == 4_500_000  # 3 and 15 USD per million


def test_an_anthropic_stream_left_after_its_opening_costs_what_it_held(
    budget: BudgetClient, last: Any
) -> None:
    client: Any = wrap(SimpleNamespace(messages=Messages()), budget)
    stream = client.messages.create(
        model="claude-sonnet-4-5", messages=SAY, max_tokens=500, stream=True
    )
    next(stream)
    stream.close()

    end, held = last()
    assert end["body"]["usd"] == held["body"]["usd"]


def test_usage_that_nobody_understands_costs_what_was_held(budget: BudgetClient, last: Any) -> None:
    odd = SimpleNamespace(create=lambda **_: SimpleNamespace(id="odd", usage={"sparks": 3}))
    client: Any = wrap(SimpleNamespace(messages=odd), budget)

    assert client.messages.create(model=MODEL, messages=SAY, max_tokens=5).id == "odd"

    end, held = last()
    assert end["body"]["usd"] == held["body"]["usd"]


def test_a_client_and_its_budget_are_of_one_kind(budget: BudgetClient) -> None:
    with pytest.raises(TypeError, match="AsyncBudgetClient"):
        wrap(openai.AsyncOpenAI(api_key="x"), budget)
