"""The book that ships, and the script that makes it."""

import json
import re
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price

from daemon.prices import load_book, read_book
from daemon.prices.build_book import Source, build, dump, fetch, write
from daemon.prices.genai_data import Catalogue, catalogues, read
from protocols.costing import cost
from protocols.prices import PriceBook
from protocols.prices.offer import rate
from protocols.usage import Usage

D = Decimal


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return load_book()


def test_the_book_says_where_it_comes_from(book: PriceBook) -> None:
    assert date.fromisoformat(book.dated) >= date(2026, 11, 1)
    for source in book.provenance.sources:
        assert source["licence"] == "MIT"
        assert len(source["sha256"]) == 64
        assert source["package"] in files("daemon.prices").joinpath("NOTICE").read_text()


@pytest.mark.parametrize(
    ("provider", "model", "read", "written", "cached"),
    [
        ("openai", "gpt-4o", "2.5", "10", "1.25"),
        ("openai", "gpt-4o-2024-05-13", "5", "15", None),
        ("openai", "gpt-5", "1.25", "10", "0.125"),
        ("openai", "gpt-5-mini", "0.25", "2", "0.025"),
        ("openai", "o3", "2", "8", "0.5"),
        ("anthropic", "claude-sonnet-4-5", "3", "15", "0.3"),
        ("anthropic", "claude-opus-4-5", "5", "25", "0.5"),
        ("anthropic", "claude-haiku-4-5", "1", "5", "0.1"),
        ("google", "gemini-2.5-pro", "1.25", "10", "0.125"),
        ("google", "gemini-2.5-flash", "0.3", "2.5", "0.03"),
        ("mistral", "mistral-large-2512", "0.5", "1.5", "0.05"),
        ("xai", "grok-4.5", "2", "6", "0.3"),
        ("cohere", "command-r7b-12-2024", "0.0375", "0.15", None),
        ("deepseek", "deepseek-v4-pro", "1.32", "3.96", "0.044"),
    ],
)
def test_well_known_prices_are_right_and_agreed(
    book: PriceBook, provider: str, model: str, read: str, written: str, cached: str | None
) -> None:
    found = book.find(provider, model)

    assert found is not None
    assert (D(read), D(written)) == (found.rates["input"], found.rates["output"])
    assert (None if cached is None else D(cached)) == found.rates.get("cache_read")
    assert found.source.startswith("agreed")


def test_long_context_and_modes_come_along(book: PriceBook) -> None:
    gemini = book.find(None, "gemini-2.5-pro")
    grok = book.find(None, "grok-4.5")
    sonnet = book.find(None, "claude-sonnet-4-5")

    assert gemini is not None
    assert gemini.long_context is not None
    assert (gemini.long_context.threshold, gemini.long_context.inclusive) == (200_000, False)
    assert D("2.5") == gemini.long_context.rates["input"]
    assert grok is not None
    assert grok.long_context is not None
    assert (grok.long_context.threshold, grok.long_context.inclusive) == (200_000, True)
    assert sonnet is not None
    assert D("1.5") == sonnet.modes["batch"].rates["input"]
    assert D("0.01") == sonnet.unit_rates["web_search"]


def test_nothing_is_free_and_no_rate_is_zero_unless_both_sources_say_so(book: PriceBook) -> None:
    for version in book.models():
        if version.free:
            assert version.source.startswith("agreed"), version.id
            continue
        assert all(value > 0 for value in version.rates.values()), version.id
        assert version.rates["input"] <= 200, version.id
        assert version.rates.get("output", D(1)) <= 700, version.id
        assert version.rates.get("cache_read", D(0)) <= version.rates["input"], version.id


def test_known_wrong_prices_were_stopped(book: PriceBook) -> None:
    assert book.find("azure_ai", "jais-30b-chat") is None
    assert "azure-ai/jais-30b-chat" in book.provenance.rejected
    assert book.find("deepseek", "deepseek-chat") is None
    assert "deepseek/deepseek-chat" in book.provenance.disputed


def test_every_version_has_its_own_id_and_prices_its_own_tokens(book: PriceBook) -> None:
    versions = book.models()

    assert len({version.id for version in versions}) == len(versions)
    for version in versions:
        assert book.find(version.provider, version.model) is version
        assert cost(Usage({"input": 1000}), version).exact_usd >= 0
        assert cost(Usage({"input": 1}), book.dearest(version.provider)).exact_usd >= (
            cost(Usage({"input": 1}), version).exact_usd
        )


@pytest.mark.parametrize(
    ("provider", "model", "counts", "theirs"),
    [
        ("openai", "gpt-5",
         {"input": 900, "cache_read": 100, "output": 40, "reasoning": 60},
         TheirUsage(input_tokens=1000, cache_read_tokens=100, output_tokens=100)),
        ("anthropic", "claude-sonnet-4-5",
         {"input": 12, "cache_read": 4000, "cache_write_5m": 1000, "output": 90},
         TheirUsage(input_tokens=5012, cache_read_tokens=4000, cache_write_tokens=1000,
                    output_tokens=90)),
        ("google", "gemini-2.5-pro",
         {"input": 200_000, "cache_read": 1, "output": 10},
         TheirUsage(input_tokens=200_001, cache_read_tokens=1, output_tokens=10)),
        ("google", "gemini-2.5-flash",
         {"input": 100, "input_audio": 50, "output": 10},
         TheirUsage(input_tokens=150, input_audio_tokens=50, output_tokens=10)),
        ("mistral", "mistral-large-2512", {"input": 7, "output": 9},
         TheirUsage(input_tokens=7, output_tokens=9)),
    ],
)  # fmt: skip
def test_genai_prices_comes_to_the_same_cost(
    book: PriceBook, provider: str, model: str, counts: dict[str, int], theirs: TheirUsage
) -> None:
    version = book.find(provider, model)
    assert version is not None

    at = datetime.fromisoformat(book.dated).replace(tzinfo=UTC)
    expected = calc_price(theirs, model, provider_id=provider, genai_request_timestamp=at)

    assert expected.total_price == cost(Usage(counts), version).exact_usd


LITELLM: dict[str, dict[str, object]] = {
    "sample_spec": {"input_cost_per_token": 0, "litellm_provider": "openai", "mode": "chat"},
    "m-agreed": {"litellm_provider": "openai", "mode": "chat", "max_output_tokens": 10,
                 "input_cost_per_token": "3e-06", "output_cost_per_token": "1.5e-05",
                 "input_cost_per_token_batches": "1.5e-06",
                 "output_cost_per_token_batches": "7.5e-06",
                 "cache_read_input_token_cost": "3.0001999999999996e-07"},
    "m-disputed": {"litellm_provider": "openai", "mode": "chat",
                   "input_cost_per_token": "1e-06", "output_cost_per_token": "4e-06"},
    "m-swapped": {"litellm_provider": "openai", "mode": "chat",
                  "input_cost_per_token": "1.5e-07", "output_cost_per_token": "3.75e-08"},
    "m-zero": {"litellm_provider": "openai", "mode": "chat",
               "input_cost_per_token": "0.0", "output_cost_per_token": "0.0"},
    "m-free": {"litellm_provider": "openai", "mode": "chat",
               "input_cost_per_token": "0.0", "output_cost_per_token": "0.0"},
    "m-alone": {"litellm_provider": "openai", "mode": "chat",
                "input_cost_per_token": "1e-06", "output_cost_per_token": "4e-06"},
}  # fmt: skip
GENAI = """
from decimal import Decimal
providers: list[Provider] = [
    Provider(
        id='openai',
        models=[
            ModelInfo(id='m-agreed', match=ClauseOr(or_=[ClauseEquals(equals='m-agreed'),
                                                         ClauseEquals(equals='m-agreed-2026')]),
                      prices=[
                          ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('9'))),
                          ConditionalPrice(
                              constraint=StartDateConstraint(start_date=datetime.date(2026, 1, 1)),
                              prices=ModelPrice(input_mtok=Decimal('3'), output_mtok=Decimal('15'),
                                                web_searches_kcount=Decimal('10'))),
                          ConditionalPrice(
                              constraint=StartDateConstraint(start_date=datetime.date(2027, 1, 1)),
                              prices=ModelPrice(input_mtok=Decimal('4'))),
                      ]),
            ModelInfo(id='m-disputed', match=ClauseEquals(equals='m-disputed'),
                      prices=ModelPrice(input_mtok=Decimal('2'), output_mtok=Decimal('4'))),
            ModelInfo(id='m-free', match=ClauseEquals(equals='m-free'),
                      prices=ModelPrice(input_mtok=Decimal('0'), output_mtok=Decimal('0'))),
            ModelInfo(id='m-theirs', match=ClauseStartsWith(starts_with='m-theirs'),
                      prices=ModelPrice(
                          input_mtok=TieredPrices(base=Decimal('2'),
                                                  tiers=[Tier(start=199999, price=Decimal('4'))]),
                          output_mtok=Decimal('6'))),
        ],
    ),
]
"""


def sources(table: Mapping[str, Mapping[str, object]]) -> tuple[Source, Source]:
    bare = json.dumps(table)
    bare = re.sub(r'"([\d.]+(?:e-\d+)?)"', r"\1", bare)
    return (
        Source("litellm", "1", "a.json", bare.encode()),
        Source("genai-prices", "2", "data.py", GENAI.encode()),
    )


def test_two_sources_are_judged_model_by_model(tmp_path: Path) -> None:
    head, verdicts = build(*sources(LITELLM), date(2026, 11, 20))
    write(tmp_path / "book.json", head, verdicts)
    book = read_book((tmp_path / "book.json").read_bytes())

    agreed, alone = book.find("openai", "m-agreed"), book.find("openai", "m-alone")
    assert agreed is not None
    assert alone is not None
    assert {"input": D(3), "output": D(15), "cache_read": D("0.30002")} == agreed.rates
    assert {"web_search": D("0.01")} == agreed.unit_rates
    assert agreed is book.find("openai", "m-agreed-2026")
    assert (
        agreed.source, alone.source,
    ) == ("agreed: litellm 1, genai-prices 2", "single: litellm 1")  # fmt: skip
    theirs = book.find("openai", "m-theirs")
    assert theirs is not None
    assert theirs.long_context is not None
    assert theirs.long_context.applies(200_000)
    assert not theirs.long_context.applies(199_999)
    assert list(book.provenance.disputed) == ["openai/m-disputed"]
    assert sorted(book.provenance.rejected) == ["openai/m-swapped", "openai/m-zero"]
    free = book.find("openai", "m-free")
    assert free is not None
    assert free.free


ODD: dict[str, dict[str, object]] = {
    "gemini/g-1": {"litellm_provider": "gemini", "mode": "chat",
                   "input_cost_per_token": "1e-06", "output_cost_per_token": "4e-06",
                   "output_cost_per_reasoning_token": "4e-06",
                   "input_cost_per_token_above_200k_tokens": "2e-06",
                   "output_cost_per_token_above_200k_tokens": "6e-06",
                   "cache_creation_input_token_cost_above_200k_tokens": "1e-07",
                   "input_cost_per_token_flex": "1e-09",
                   "regional_processing_uplift_multiplier_eu": "1.1",
                   "off_peak_pricing": {}},
    "g-1": {"litellm_provider": "gemini", "mode": "chat",
            "input_cost_per_token": "1e-06", "output_cost_per_token": "4e-06"},
    "gemini/g-2": {"litellm_provider": "gemini", "mode": "chat",
                   "input_cost_per_token": "1e-06", "output_cost_per_token": "4e-06"},
    "g-2": {"litellm_provider": "gemini", "mode": "chat",
            "input_cost_per_token": "2e-06", "output_cost_per_token": "4e-06"},
    "vertex_ai/claude-x@1": {"litellm_provider": "vertex_ai-anthropic_models", "mode": "chat",
                             "input_cost_per_token": "1e-06", "output_cost_per_token": "5e-06",
                             "cache_creation_input_token_cost": "5e-07",
                             "provider_specific_entry": {"us": "1.1", "fast": 2}},
    "perplexity/s-pro": {"litellm_provider": "perplexity", "mode": "chat",
                         "input_cost_per_token": "1e-06", "output_cost_per_token": "1e-06",
                         "search_context_cost_per_query": {"search_context_size_low": "0.005",
                                                           "search_context_size_high": "0.012"}},
    "voyage/v-1": {"litellm_provider": "voyage", "mode": "embedding",
                   "input_cost_per_token": "2e-08", "output_cost_per_token": "0.0",
                   "input_cost_per_token_batches": "1e-08", "output_cost_per_token_batches": "0.0"},
    "azure/eu/m": {"litellm_provider": "azure", "mode": "chat",
                   "input_cost_per_token": "1e-06", "output_cost_per_token": "4e-06"},
    "together-ai-8b": {"litellm_provider": "together_ai", "mode": "chat",
                       "input_cost_per_token": "1e-06", "output_cost_per_token": "4e-06"},
    "m-theirs-2": {"litellm_provider": "openai", "mode": "chat",
                   "input_cost_per_token": "9e-06", "output_cost_per_token": "9e-06"},
    "m-dear": {"litellm_provider": "openai", "mode": "chat",
               "input_cost_per_token": "0.0032", "output_cost_per_token": "0.00971"},
    "m-cache": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": "1e-06",
                "output_cost_per_token": "4e-06", "cache_read_input_token_cost": "2e-06"},
    "m-mute": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": "1e-06"},
    "someone/m": {"litellm_provider": "someone", "mode": "chat"},
}  # fmt: skip


def test_odd_entries_end_where_they_belong(tmp_path: Path) -> None:
    head, verdicts = build(*sources(ODD), date(2026, 11, 20))
    write(tmp_path / "book.json", head, verdicts)
    book = read_book((tmp_path / "book.json").read_bytes())

    gemini, claude = book.find(None, "g-1"), book.find("vertex", "claude-x@1")
    assert gemini is not None
    assert {"input": D(1), "output": D(4)} == gemini.rates
    assert gemini.long_context is not None
    assert {"input": D(2), "output": D(6)} == gemini.long_context.rates
    assert gemini.modes == {}, "a flex price a thousand times lower is none"
    assert {"eu": D("1.1")} == gemini.regions
    assert gemini.estimated, "its price changes with the hour"
    assert claude is not None
    assert {"input": D(1), "output": D(5)} == claude.rates, "a write cheaper than input is rent"
    assert {"input": D(2), "output": D(10)} == claude.modes["fast"].rates
    sonar, voyage = book.find(None, "s-pro"), book.find(None, "v-1")
    assert sonar is not None
    assert {"search_low": D("0.005"), "search_high": D("0.012")} == sonar.unit_rates
    assert voyage is not None
    assert ({"input": D("0.02")}, False) == (voyage.rates, voyage.chat)
    wide = book.find("openai", "m-theirs-2")
    assert wide is not None
    assert "differs" in wide.source
    for stopped in ("m-dear", "m-cache", "m-mute", "g-2", "8b", "eu/m"):
        assert all(stopped not in version.model for version in book.models()), stopped
    assert list(book.provenance.disputed) == ["google/g-2"]


@pytest.mark.parametrize(
    ("rule", "name", "exact"),
    [
        ({"": "ClauseEquals", "equals": "a"}, "a", True),
        ({"": "ClauseRegex", "regex": r"^a-\d{8}$"}, "a-20260101", True),
        ({"": "ClauseRegex", "regex": "^a"}, "ab", False),
        ({"": "ClauseEndsWith", "ends_with": "b"}, "ab", False),
        ({"": "ClauseContains", "contains": "b"}, "abc", False),
        ({"": "ClauseContains", "contains": "z"}, "abc", None),
        ({"": "ClauseAnd", "and_": [{"": "ClauseStartsWith", "starts_with": "a"},
                                    {"": "ClauseEquals", "equals": "ab"}]}, "ab", False),
        ({"": "ClauseAnd", "and_": [{"": "ClauseStartsWith", "starts_with": "a"},
                                    {"": "ClauseEquals", "equals": "x"}]}, "ab", None),
        ({"": "ClauseNew"}, "a", None),
    ],
)  # fmt: skip
def test_a_rule_says_whether_it_spells_the_name_out(
    rule: dict[str, object],
    name: str,
    exact: bool | None,  # noqa: FBT001 - the expected answer
) -> None:
    catalogue = Catalogue(
        {"id": "openai", "models": [{"id": "other", "match": rule}]}, date(2026, 1, 1)
    )

    found = catalogue.match(name)

    assert exact is (None if found is None else found[1])


def test_prices_by_the_hour_are_taken_at_their_dearest_and_modes_on_their_day() -> None:
    records = read(
        """
providers: list[Provider] = [Provider(id='deepseek', models=[ModelInfo(
    id='d', match=ClauseEquals(equals='d'),
    prices=[ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('1'), output_mtok=Decimal('2'))),
            ConditionalPrice(constraint=TimeOfDateConstraint(start_time=datetime.time(1)),
                             prices=ModelPrice(input_mtok=Decimal('3'), output_mtok=Decimal('6')))],
    price_variants=[
        PriceVariant(when={'processing': 'batch'}, constraint=None,
                     prices=ModelPrice(input_mtok=Decimal('1.5'))),
        PriceVariant(when={'service_tier': 'flex'},
                     constraint=StartDateConstraint(start_date=datetime.date(2027, 1, 1)),
                     prices=ModelPrice(input_mtok=Decimal('1.5')))])])]
"""
    )
    [catalogue] = catalogues(records, date(2026, 11, 20))

    offer = catalogue.offer(catalogue.models[0])

    assert offer is not None
    assert offer.peak
    assert {"input": D(3), "output": D(6)} == offer.rates
    assert list(offer.modes) == ["batch"]


def test_a_data_module_without_providers_is_an_error() -> None:
    with pytest.raises(ValueError, match="no list"):
        read("x = 1")


def test_a_key_twice_in_the_source_is_an_error() -> None:
    _, genai = sources({})

    with pytest.raises(ValueError, match="twice"):
        build(Source("litellm", "1", "a", b'{"a": {}, "a": {}}'), genai, date(2026, 1, 1))


def test_a_wheel_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "litellm-9.9-py3-none-any.whl", "w") as wheel:
        wheel.writestr("a.json", "{}")

    source = fetch("litellm", "a.json", tmp_path)

    assert (source.version, source.text) == ("9.9", b"{}")


def test_rates_are_exact_and_only_float_noise_is_rounded() -> None:
    assert D("0.0375") == rate(D("3.75e-08"), 6)
    assert D("0.123456789012") == rate(D("0.123456789012"))
    assert D("0.300019999") != rate(D("0.30001999999999996"))
    assert D("0.30002") == rate(D("0.30001999999999996"))
    assert rate(D("NaN")) is None
    assert rate(D(-1)) is None
    assert rate(value=True) is None
    assert rate("x") is None
    assert dump({"a": D("1E-7")}) == '{"a":0.0000001}'
