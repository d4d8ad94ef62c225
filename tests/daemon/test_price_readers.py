"""Each source's file, with the oddities of its own, read into our words and units."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from actors.ports import SourceFailed
from daemon.prices.sources import (
    genai_prices,
    litellm,
    llm_prices,
    models_dev,
    openrouter,
    portkey,
)
from protocols.prices.offer import Offer, Reading

D = Decimal
DAY = date(2026, 11, 24)
FILL = 25
"""Models beside those a test is about: a price list has many."""


def found(reading: Reading, model: str, provider: str | None = None) -> Offer:
    (offer,) = [
        offer
        for offer in reading.offers
        if offer.model == model and offer.starts is None and provider in (None, offer.provider)
    ]
    return offer


def lite(**rows: Any) -> Reading:
    fill = {
        f"fill-{n}": {"litellm_provider": "openai", "mode": "chat",
                      "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
        for n in range(FILL)
    }  # fmt: skip
    return litellm.read(json.dumps(fill | rows).encode(), DAY)


def row(provider: str = "openai", **costs: Any) -> dict[str, Any]:
    base = {"litellm_provider": provider, "mode": "chat",
            "input_cost_per_token": 3e-6, "output_cost_per_token": 1.5e-5}  # fmt: skip
    return base | costs


class TestLiteLLM:
    def test_rates_are_exact_whatever_the_float_said(self) -> None:
        offer = found(lite(m=row(input_cost_per_token=3.0001999999999996e-07)), "m")
        assert offer.rates["input"] == D("0.30002")

    def test_pseudo_models_and_wildcards_are_none(self) -> None:
        reading = lite(sample_spec={"mode": "x"}, fallback_generalizations=[], **{"a/*": row()})
        assert len(reading.offers) == FILL
        assert reading.rejected == {}

    def test_a_provider_nobody_mapped_is_kept_under_its_own_name(self) -> None:
        assert found(lite(**{"wandb/openai/gpt-oss": row("wandb")}), "openai/gpt-oss", "wandb")

    def test_modes_and_tiers_combine(self) -> None:
        offer = found(
            lite(m=row(
                input_cost_per_token_above_32k_tokens=6e-6,
                input_cost_per_token_above_256k_tokens=9e-6,
                input_cost_per_token_batches=1.5e-6, output_cost_per_token_batches=7.5e-6,
            )), "m",
        )  # fmt: skip
        assert offer.long_context is not None
        assert offer.long_context.threshold == 32_000
        assert offer.long_context.beyond is not None
        assert offer.long_context.beyond.rates["input"] == 9
        assert offer.modes["batch"].rates["output"] == D("7.5")

    def test_tiered_pricing_has_its_flat_price_in_the_first_tier(self) -> None:
        tiers = [
            {"range": [0, 256_000.0], "input_cost_per_token": 5e-8, "output_cost_per_token": 4e-7},
            {"range": [256_000.0, 1e6], "input_cost_per_token": 2.5e-7,
             "output_cost_per_token": 2e-6},
        ]  # fmt: skip
        entry = {"litellm_provider": "dashscope", "mode": "chat", "tiered_pricing": tiers}
        offer = found(lite(**{"dashscope/q": entry}), "q")
        assert offer.rates["input"] == D("0.05")
        assert offer.long_context is not None
        assert (offer.long_context.threshold, offer.long_context.rates["output"]) == (256_000, 2)

    def test_off_peak_hours_are_hours_and_the_price_outside_is_the_peak(self) -> None:
        off = {
            "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6,
            "windows": [{"hours_utc": ["16:30-00:30"], "weekdays": [1, 2]},
                        {"hours_utc": "00:00-00:00", "weekdays": [6, 7]}],
        }  # fmt: skip
        offer = found(lite(m=row("deepseek", off_peak_pricing=off)), "m")
        night, weekend = offer.hours
        assert (night.starts_min, night.ends_min, night.weekdays) == (990, 30, {0, 1})
        assert (weekend.starts_min, weekend.ends_min, weekend.weekdays) == (0, 1440, {5, 6})
        assert night.tariff.rates["input"] == 1
        assert offer.rates["input"] == 3

    @pytest.mark.parametrize(
        ("entry", "units"),
        [
            ({"mode": "audio_transcription", "input_cost_per_second": 1e-4}, {"seconds": "0.0001"}),
            ({"mode": "audio_speech", "input_cost_per_character": 1.5e-5},
             {"characters": "0.000015"}),
            ({"mode": "image_generation", "output_cost_per_image": 0.04}, {"images": "0.04"}),
            ({"mode": "ocr", "ocr_cost_per_page": 0.001}, {"pages": "0.001"}),
            ({"mode": "rerank", "input_cost_per_query": 0.002}, {"search_unit": "0.002"}),
        ],
    )  # fmt: skip
    def test_what_is_charged_by_the_piece(self, entry: Any, units: dict[str, str]) -> None:
        offer = found(lite(m=entry | {"litellm_provider": "openai"}), "m")
        assert offer.unit_rates == {kind: D(rate) for kind, rate in units.items()}
        assert offer.rates == {}

    def test_a_row_that_nobody_may_believe_is_named(self) -> None:
        reading = lite(m=row(input_cost_per_token=-1), n=row(input_cost_per_token="3"), o=3)
        assert set(reading.rejected) == {"m", "n", "o"}
        assert "negative" in reading.rejected["m"]
        assert "not a number" in reading.rejected["n"]

    def test_a_key_with_two_contents_is_nobody_s_price(self) -> None:
        text = json.dumps({f"f{n}": row() for n in range(FILL)})[:-1]
        text += f', "m": {json.dumps(row())}, "m": {json.dumps(row(input_cost_per_token=9e-6))}}}'
        assert "m" in litellm.read(text.encode(), DAY).rejected


def genai(*models: Any, provider: str = "openai") -> Reading:
    fill = [
        {"id": f"f{n}", "match": {"equals": f"f{n}"},
         "prices": {"input_mtok": 1, "output_mtok": 2, "cache_write_1h_mtok": 2}}
        for n in range(FILL)
    ]  # fmt: skip
    told = [{"id": provider, "models": [*fill, *models]}]
    return genai_prices.read(json.dumps(told).encode(), DAY)


class TestGenaiPrices:
    def test_only_whole_names_are_names(self) -> None:
        rule = {"or": [{"starts_with": "m"}, {"equals": "m-2026"}, {"contains": "mm"}]}
        reading = genai({"id": "m", "match": rule, "prices": {"input_mtok": 3}})
        assert {o.model for o in reading.offers if o.model.startswith("m")} == {"m", "m-2026"}

    def test_the_last_price_that_has_begun_counts_and_later_ones_are_announced(self) -> None:
        prices = [
            {"prices": {"input_mtok": 1}},
            {"constraint": {"start_date": "2026-07-30"}, "prices": {"input_mtok": 0.2}},
            {"constraint": {"start_date": "2027-01-01"}, "prices": {"input_mtok": 0.4}},
        ]
        reading = genai({"id": "m", "match": {"equals": "m"}, "prices": prices})
        assert found(reading, "m").rates["input"] == D("0.2")
        (later,) = [offer for offer in reading.offers if offer.starts is not None]
        assert (later.starts, later.rates["input"]) == (date(2027, 1, 1), D("0.4"))

    def test_daily_windows_are_hours(self) -> None:
        prices = [
            {"prices": {"input_mtok": 1, "output_mtok": 2}},
            {"constraint": {"start_time": "00:30:00+00:00", "end_time": "16:30:00+00:00"},
             "prices": {"input_mtok": 2, "output_mtok": 4}},
        ]  # fmt: skip
        offer = found(genai({"id": "m", "match": {}, "prices": prices}), "m")
        (peak,) = offer.hours
        assert (peak.starts_min, peak.ends_min, peak.tariff.rates["input"]) == (30, 990, 2)

    def test_tiers_and_their_inclusive_spelling(self) -> None:
        price = {"input_mtok": {"base": 3, "tiers": [{"start": 199_999, "price": 6}]}}
        offer = found(genai({"id": "m", "match": {}, "prices": price}), "m")
        assert offer.long_context is not None
        assert (offer.long_context.threshold, offer.long_context.inclusive) == (200_000, True)

    def test_variants_are_modes_once_they_have_begun(self) -> None:
        variants = [
            {"when": {"processing": "batch"}, "prices": {"input_mtok": 1.5},
             "constraint": {"start_date": "2026-10-14"}},
            {"when": {"processing": "batch"}, "prices": {"input_mtok": 9},
             "constraint": {"start_date": "2027-01-01"}},
            {"when": {"service_tier": "flex", "processing": "batch"}, "prices": {"input_mtok": 7}},
        ]  # fmt: skip
        model = {
            "id": "m",
            "match": {},
            "prices": {"input_mtok": 3},
            "price_variants": variants,
        }
        modes = found(genai(model), "m").modes
        assert {name: tariff.rates["input"] for name, tariff in modes.items()} == {
            "batch": D("1.5")
        }

    def test_the_frozen_v1_file_is_refused(self) -> None:
        models = [{"id": f"f{n}", "match": {}, "prices": {"input_mtok": 1}} for n in range(FILL)]
        told = json.dumps([{"id": "openai", "models": models}]).encode()
        with pytest.raises(SourceFailed, match="v1"):
            genai_prices.read(told, DAY)


def dev(provider: str = "openai", **models: Any) -> Reading:
    fill = {f"f{n}": {"cost": {"input": 1, "output": 2}} for n in range(FILL)}
    return models_dev.read(json.dumps({provider: {"models": fill | models}}).encode(), DAY)


class TestModelsDev:
    def test_tiers_off_by_one_mean_the_round_number(self) -> None:
        tiers = [{"input": 6, "output": 20, "tier": {"type": "context", "size": 200_001}}]
        cost = {"input": 3, "output": 15, "tiers": tiers, "context_over_200k": {"input": 9}}
        offer = found(dev(m={"cost": cost}), "m")
        assert offer.long_context is not None
        assert (offer.long_context.threshold, offer.long_context.rates["input"]) == (200_000, 6)
        assert offer.long_context.beyond is None, "the old field says the same again"

    def test_an_image_model_s_output_is_the_picture_s_price(self) -> None:
        entry = {"cost": {"input": 5, "output": 40}, "modalities": {"output": ["image"]}}
        assert found(dev(m=entry), "m").rates == {"input": 5, "output_image": 40}

    def test_fast_is_a_mode_and_no_cost_is_no_price(self) -> None:
        fast = {"modes": {"fast": {"cost": {"input": 12.5, "output": 75}}}}
        reading = dev(m={"cost": {"input": 5, "output": 30}, "experimental": fast}, n={})
        assert found(reading, "m").modes["fast"].rates["input"] == D("12.5")
        assert all(offer.model != "n" for offer in reading.offers)

    def test_a_subscription_is_nobody_s_price(self) -> None:
        told = {
            "openai": {"models": {f"f{n}": {"cost": {"input": 1}} for n in range(FILL)}},
            "zai-coding-plan": {"models": {"m": {"cost": {"input": 0, "output": 0}}}},
        }
        reading = models_dev.read(json.dumps(told).encode(), DAY)
        assert {offer.provider for offer in reading.offers} == {"openai"}


def router(*models: Any) -> Reading:
    fill = [
        {"id": f"qwen/f{n}", "pricing": {"prompt": "0.000001", "completion": "0.000002"}}
        for n in range(FILL)
    ]
    return openrouter.read(json.dumps({"data": [*fill, *models]}).encode(), DAY)


def priced(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "pricing": {"prompt": "0.000003", "completion": "0.000015", **more}}


class TestOpenRouter:
    def test_minus_one_is_no_price(self) -> None:
        reading = router(priced("openrouter/auto", prompt="-1"))
        assert "negative" in reading.rejected["openrouter/auto"]

    def test_a_closed_maker_s_price_is_a_witness_and_a_host_s_is_not(self) -> None:
        reading = router(
            priced("anthropic/claude-x"), priced("meta-llama/llama"), priced("openai/gpt-oss-120b"),
            priced("openai/gpt-x:free"), priced("~anthropic/claude-x-latest"),
        )  # fmt: skip
        makers = {(o.provider, o.model) for o in reading.offers if o.provider != "openrouter"}
        assert makers == {("anthropic", "claude-x")}

    def test_reads_of_the_cache_are_rounded_and_left_out(self) -> None:
        offer = found(router(priced("qwen/q", input_cache_read="0.00000001")), "qwen/q")
        assert set(offer.rates) == {"input", "output"}

    def test_longer_prompts_have_their_own_price(self) -> None:
        tier = {"min_prompt_tokens": 32_000, "prompt": "0.000006", "completion": "0.00003"}
        offer = found(router(priced("qwen/q", overrides=[tier])), "qwen/q")
        assert offer.long_context is not None
        assert offer.long_context.inclusive
        assert offer.long_context.rates["input"] == 6

    @pytest.mark.parametrize("price", ["free", "NaN", "1e400000000", "", None])
    def test_what_is_not_a_decimal_is_named(self, price: Any) -> None:
        assert "qwen/q" in router(priced("qwen/q", prompt=price)).rejected or price == "1e400000000"


def simon(*prices: Any) -> Reading:
    fill = [{"id": f"f{n}", "vendor": "openai", "input": 1, "output": 2, "input_cached": None}
            for n in range(FILL)]  # fmt: skip
    return llm_prices.read(json.dumps({"prices": [*fill, *prices]}).encode(), DAY)


class TestLlmPrices:
    def test_the_record_of_today_counts(self) -> None:
        base = {"id": "m", "vendor": "openai", "input_cached": None}
        reading = simon(
            base | {"input": 9, "output": 9, "from_date": None, "to_date": "2026-11-24"},
            base | {"input": 3, "output": 15, "from_date": "2026-11-24", "to_date": "2027-01-01"},
            base | {"input": 4, "output": 20, "from_date": "2027-01-01", "to_date": None},
        )
        assert found(reading, "m").rates == {"input": 3, "output": 15}
        (later,) = [offer for offer in reading.offers if offer.starts is not None]
        assert later.rates["input"] == 4

    def test_a_tier_that_is_written_as_a_model_belongs_to_its_model(self) -> None:
        base = {"vendor": "google", "output": 10, "input_cached": 0.1}
        reading = simon(
            base | {"id": "gemini-pro", "input": 1.25},
            base | {"id": "gemini-pro-200k", "input": 2.5},
        )
        offer = found(reading, "gemini-pro")
        assert offer.long_context is not None
        assert (offer.long_context.threshold, offer.long_context.rates["input"]) == (
            200_000,
            D("2.5"),
        )
        assert all(offer.model != "gemini-pro-200k" for offer in reading.offers)


def key(price: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"pricing_config": {"pay_as_you_go": price, **more}}


def cents(read: float, written: float = 0.0, **more: Any) -> dict[str, Any]:
    """A price in cents per token."""
    slots = {"request_token": {"price": read}, "response_token": {"price": written}}
    return slots | {name: {"price": price} for name, price in more.items()}


class TestPortkey:
    def test_cents_per_token_are_dollars_per_million_times_ten_thousand(self) -> None:
        models = {"default": key(cents(1)), "m": key(cents(0.0003, 0.0015))}
        reading = portkey.read_provider("openai", json.dumps(models).encode(), DAY)
        assert [offer.rates for offer in reading.offers] == [{"input": D(3), "output": D(15)}]

    def test_zero_fills_what_nobody_looked_up(self) -> None:
        models = {"m": key(cents(0.0003, 0.0015, cache_read_input_token=0)), "n": key(cents(0, 0))}
        reading = portkey.read_provider("x-ai", json.dumps(models).encode(), DAY)
        assert [(o.provider, o.model, set(o.rates)) for o in reading.offers] == [
            ("xai", "m", {"input", "output"})
        ]

    def test_a_price_by_the_second_in_a_token_s_place_is_refused(self) -> None:
        models = {"whisper-1": key(cents(0.6))}
        reading = portkey.read_provider("openai", json.dumps(models).encode(), DAY)
        assert "something else" in reading.rejected["openai/whisper-1"]

    def test_tiers_that_are_models_go_into_their_model(self) -> None:
        models = {
            "g-lte-200k": key(cents(0.0001, 0.0004)),
            "g-gt-200k": key(cents(0.0002, 0.0006)),
        }
        reading = portkey.read_provider("google", json.dumps(models).encode(), DAY)
        (offer,) = reading.offers
        assert offer.model == "g"
        assert offer.long_context is not None
        assert offer.long_context.rates["input"] == 2


READERS: dict[str, Callable[[bytes, date], Reading]] = {
    "litellm": litellm.read,
    "genai-prices": genai_prices.read,
    "models.dev": models_dev.read,
    "openrouter": openrouter.read,
    "llm-prices": llm_prices.read,
}
NO_LISTS = {
    "nothing": b"", "a page": b"<html>", "null": b"null", "an empty list": b"[]",
    "an empty object": b"{}", "half": b'{"a":', "NaN": b'{"data": NaN}', "depth": b"[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("source", READERS)
@pytest.mark.parametrize("text", NO_LISTS)
def test_what_is_no_price_list_is_refused_whole(source: str, text: str) -> None:
    with pytest.raises(SourceFailed):
        READERS[source](NO_LISTS[text], DAY)
