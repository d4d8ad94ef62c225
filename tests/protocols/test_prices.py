"""Finding a price by name, and the answers made from it."""

from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from protocols.costing import cost
from protocols.errors import Unpriced
from protocols.prices import (
    ListPrices,
    LongContext,
    PriceBook,
    PriceList,
    PriceVersion,
    Quote,
    QuoteReply,
    Tariff,
    list_prices,
    quote,
)
from protocols.usage import TOKEN_KINDS, Usage

DATED = "2026-11-20"


def price(name: str, read: str, written: str, *, chat: bool = True) -> PriceVersion:
    provider, _, model = name.partition("/")
    rates = {"input": Decimal(read), "output": Decimal(written)}
    return PriceVersion(f"{name}@{DATED}", provider, model, rates, chat=chat)


OPUS, HAIKU = price("anthropic/claude-opus-4-7", "5", "25"), price("anthropic/haiku", "1", "5")
OLD = price("anthropic/claude-3.5-sonnet", "3", "15")
EMBED = price("anthropic/embed", "0.1", "0.2", chat=False)
HOSTED = price("openrouter/anthropic/claude-opus-4-7", "5.5", "27.5")
GLM, GUEST = price("zai/glm-5.2", "1", "3"), price("mistral/glm-5.2", "2", "4")
BOOK = PriceBook(
    [OPUS, HAIKU, OLD, EMBED, HOSTED, GLM, GUEST],
    DATED,
    aliases={("anthropic", "claude-opus-4-7-20260416"): "claude-opus-4-7"},
)


@pytest.mark.parametrize(
    ("provider", "model", "found"),
    [
        ("anthropic", "claude-opus-4-7", OPUS),
        ("Anthropic", "Claude-Opus-4.7", OPUS),
        ("anthropic", "anthropic/claude-opus-4-7", OPUS),
        ("anthropic", "claude-opus-4-7-20260416", OPUS),
        (None, "claude-opus-4-7", OPUS),
        (None, "anthropic/claude-opus-4-7", OPUS),
        (None, "openrouter/anthropic/claude-opus-4-7", HOSTED),
        ("openrouter", "anthropic/claude-opus-4-7", HOSTED),
        ("anthropic", "claude-3-5-sonnet", OLD),
        ("anthropic", "models/claude-3.5-sonnet", OLD),
        ("z-ai", "glm-5.2", GLM),
        ("mistralai", "GLM-5-2", GUEST),
    ],
)
def test_a_price_is_found_by_its_exact_name_in_any_spelling(
    provider: str | None, model: str, found: PriceVersion
) -> None:
    assert found is BOOK.find(provider, model)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-opus-4-7-fast"),
        ("anthropic", "claude-opus-4"),
        ("anthropic", "us.claude-opus-4-7"),
        ("openai", "claude-opus-4-7"),
        ("openrouter", "claude-opus-4-7"),
        (None, "opus"),
        (None, "nobody/claude-opus-4-7"),
    ],
)
def test_part_of_a_name_is_no_name(provider: str | None, model: str) -> None:
    assert BOOK.find(provider, model) is None


def test_a_name_two_makers_sell_is_refused_naming_both() -> None:
    with pytest.raises(Unpriced) as refusal:
        BOOK.find(None, "glm-5.2")

    assert refusal.value.facts["candidates"] == ["mistral", "zai"]


def test_free_is_who_was_declared_free_and_nobody_else() -> None:
    book = BOOK.with_free(["Ollama", "local"])

    found = book.find("ollama", "llama3:70b")

    assert found is not None
    assert found.free
    assert found.id == "declared-free/ollama"
    assert book.find(None, "ollama/llama3") == found
    assert book.dearest("ollama") is not None
    assert book.dearest("ollama").free
    assert BOOK.find("ollama", "llama3:70b") is None
    assert book.find("anthropic", "claude-opus-4-7") == OPUS


def test_the_envelope_is_no_cheaper_than_any_model_in_any_mode() -> None:
    fast = Tariff({"input": Decimal(30), "output": Decimal(150)})
    long = LongContext(200_000, {"input": Decimal(40), "output": Decimal(60)})
    book = PriceBook(
        [
            PriceVersion("a/x@1", "a", "x", OPUS.rates, modes={"fast": fast}, long_context=long),
            PriceVersion("a/y@1", "a", "y", HAIKU.rates, regions={"us": Decimal("1.1")}),
        ],
        DATED,
    )

    envelope = book.dearest("a")

    assert f"envelope/a@{DATED}" == envelope.id
    assert set(TOKEN_KINDS) <= set(envelope.rates)
    assert (Decimal(40), Decimal(150)) == (envelope.rates["input"], envelope.rates["output"])
    assert envelope.estimated
    usage = Usage({"input": 10, "cache_read": 5}, mode="fast", region="us")
    assert Decimal("0.0006") == cost(usage, envelope).exact_usd
    assert f"envelope/any@{DATED}" == book.dearest("nobody").id == book.dearest(None).id


def test_cheaper_models_are_chat_models_of_the_same_provider_dearest_first() -> None:
    usage = Usage({"input": 1000, "output": 1000})

    def cheaper(than: PriceVersion) -> list[PriceVersion]:
        return [version for _, version in BOOK.below(usage, than).within(None)]

    assert cheaper(OPUS) == [OLD, HAIKU]
    assert cheaper(HAIKU) == []


def test_a_quote_shows_every_line_and_rounds_half_to_even() -> None:
    asked = Quote.model_validate(
        {"model": "haiku", "provider": "anthropic", "usage": {"input": 3, "output": 1},
         "at": "2026-11-20T09:30:00Z"}
    )  # fmt: skip

    assert QuoteReply(
        cost_usd="0.000008000",
        cost_exact_usd="0.000008",
        price_version="anthropic/haiku@2026-11-20",
        lines=TypeAdapter(QuoteReply).validate_python(
            {"cost_usd": "", "cost_exact_usd": "", "price_version": "", "estimated": False,
             "lines": [
                 {"kind": "input", "count": 3, "rate_usd_per_million": "1", "usd": "0.000003"},
                 {"kind": "output", "count": 1, "rate_usd_per_million": "5", "usd": "0.000005"},
             ]}
        ).lines,
        estimated=False,
    ) == quote(BOOK, asked)  # fmt: skip


def test_a_quote_for_nobody_knows_what_is_refused() -> None:
    with pytest.raises(Unpriced, match="anthropic/claude-9"):
        quote(BOOK, Quote(provider="anthropic", model="claude-9", usage={"input": 1}))


@pytest.mark.parametrize(
    "fields",
    [{"at": 1763600000}, {"at": "2026-11-20T09:30:00"}, {"mode": "Fast!"}, {"extra": 1}],
)
def test_a_quote_with_a_wrong_field_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Quote.model_validate({"model": "haiku", "usage": {"input": 1}} | fields)


def test_the_list_is_paged_and_filtered() -> None:
    first = list_prices(BOOK, ListPrices(provider="anthropic", model="*claude*", limit=1))

    assert [item.model for item in first.items] == ["claude-3.5-sonnet"]
    rest = list_prices(
        BOOK, ListPrices(provider="anthropic", model="*claude*", cursor=first.next_cursor)
    )
    assert [item.model for item in rest.items] == ["claude-opus-4-7"]
    assert rest.next_cursor is None
    assert rest.items[0].rates == {"input": "5", "output": "25"}


def test_replies_and_requests_describe_every_field() -> None:
    for schema in (
        TypeAdapter(QuoteReply).json_schema(),
        TypeAdapter(PriceList).json_schema(),
        Quote.model_json_schema(),
        ListPrices.model_json_schema(),
    ):
        for part in (schema, *schema.get("$defs", {}).values()):
            assert part["description"]
            assert all("description" in field for field in part["properties"].values()), part


def test_a_reply_becomes_json_with_one_rate_a_line() -> None:
    reply = quote(BOOK, Quote(provider="anthropic", model="haiku", usage={"input": 3}))

    assert b'"lines":[{"kind":"input","count":3,"rate_usd_per_million":"1","usd":"0.000003"}]' in (
        to_json(reply)
    )
