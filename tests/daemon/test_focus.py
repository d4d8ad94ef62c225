"""`budget report -o focus`: each column is what FOCUS 1.2 says it must be, in every line."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.daemon.conftest import clean_environ, command

Line = dict[str, str]
Check = Callable[[str], object]

TEXT = re.compile(r"\S(.*\S)?").fullmatch
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?").fullmatch
"""No exponent, no sign of what is positive, nothing but a point."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").fullmatch
CURRENCY = re.compile(r"[A-Z]{3}").fullmatch
UNIT = re.compile(r"[A-Z][A-Za-z]+s").fullmatch
WHOLE = re.compile(r"-?(0|[1-9][0-9]*)").fullmatch


def above_nothing(text: str) -> bool:
    return bool(NUMBER(text)) and Decimal(text) > 0


def one_of(*values: str) -> Check:
    return values.__contains__


def pairs(text: str) -> bool:
    """A JSON object of plain values."""
    told = json.loads(text)
    return isinstance(told, dict) and all(isinstance(one, str) for one in told.values())


MANDATORY: dict[str, Check] = {
    "BilledCost": NUMBER, "BillingAccountId": TEXT, "BillingAccountName": TEXT,
    "BillingCurrency": CURRENCY, "BillingPeriodEnd": MOMENT, "BillingPeriodStart": MOMENT,
    "ChargeCategory": one_of("Usage", "Purchase", "Tax", "Credit", "Adjustment"),
    "ChargeClass": one_of("", "Correction"),
    "ChargeDescription": TEXT, "ChargePeriodEnd": MOMENT, "ChargePeriodStart": MOMENT,
    "ContractedCost": NUMBER, "EffectiveCost": NUMBER, "InvoiceIssuerName": TEXT,
    "ListCost": NUMBER, "PricingQuantity": NUMBER, "PricingUnit": UNIT, "ProviderName": TEXT,
    "PublisherName": TEXT,
    "ServiceCategory": one_of(
        "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases",
        "Developer Tools", "Identity", "Integration", "Internet of Things",
        "Management and Governance", "Media", "Migration", "Mobile", "Multicloud", "Networking",
        "Security", "Storage", "Web", "Other",
    ),
    "ServiceName": TEXT,
}  # fmt: skip
"""What is empty here may be null: only `ChargeClass`, since every line is usage."""
OTHERS: dict[str, Check] = {
    "ChargeFrequency": one_of("One-Time", "Recurring", "Usage-Based"),
    "ConsumedQuantity": above_nothing, "ConsumedUnit": UNIT,
    "PricingCategory": one_of("Standard", "Dynamic", "Committed", "Other"),
    "PricingCurrency": CURRENCY,
    "ServiceSubcategory": one_of(
        "AI Platforms", "Bots", "Generative AI", "Machine Learning",
        "Natural Language Processing", "Other (AI and Machine Learning)",
    ),
    "SkuId": TEXT, "SkuPriceId": TEXT, "SubAccountId": TEXT, "SubAccountName": TEXT, "Tags": pairs,
}  # fmt: skip
OURS: dict[str, Check] = {
    "x_Calls": WHOLE, "x_InputTokens": WHOLE, "x_CacheReadTokens": WHOLE,
    "x_CacheWriteTokens": WHOLE, "x_OutputTokens": WHOLE, "x_ReasoningTokens": WHOLE,
    "x_CacheSavedCost": NUMBER, "x_EstimatedCalls": WHOLE, "x_TaskType": TEXT, "x_Tier": TEXT,
}  # fmt: skip
COLUMNS = MANDATORY | OTHERS | OURS
CALLS = (
    ("apollo", "claude-haiku-4-5", {"input_tokens": 1_000, "output_tokens": 200}, "team=web"),
    ("apollo", "claude-haiku-4-5", {"input_tokens": 1, "output_tokens": 0}, "name=a/b:c@d"),
    ("rhetor", "gpt-5-mini", {"prompt_tokens": 1_000_000, "completion_tokens": 100}, None),
    ("engram", "gpt-4o", {"web_search": 1}, None),
)
"""The smallest and the largest sums; a call that has no token at all."""


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Line]]:
    home: Path = tmp_path_factory.mktemp("focus")
    budget = command(clean_environ(home) | {"BUDGET_DATA_DIR": str(home / "data")}, home)
    assert budget("up", "--port", "0").returncode == 0
    try:
        for component, model, usage, tag in CALLS:
            more = () if tag is None else ("--tag", tag)
            booked = budget("record", component, model, *more, stdin=json.dumps(usage))
            assert booked.returncode == 0, booked.stderr
        told = budget("report", "last-24-hours", "-o", "focus")
        yield list(csv.DictReader(io.StringIO(told.stdout)))
    finally:
        assert budget("down").returncode == 0


def test_there_is_no_column_that_nobody_has_checked(lines: list[Line]) -> None:
    assert len(lines) == len(CALLS)
    assert set(lines[0]) == set(COLUMNS)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_is_what_the_specification_says(lines: list[Line], column: str) -> None:
    for line in lines:
        assert COLUMNS[column](line[column]), f"{column} is {line[column]!r}"


def test_what_columns_say_together_is_true(lines: list[Line]) -> None:
    for line in lines:
        starts, ends, begun, over = (
            datetime.fromisoformat(line[name])
            for name in (
                "ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart", "BillingPeriodEnd",
            )
        )  # fmt: skip
        assert begun <= starts < ends <= over
        assert (line["ChargeCategory"], line["ChargeClass"]) == ("Usage", "")
        assert line["ChargeFrequency"] == "Usage-Based"
        costs = {line[name] for name in ("BilledCost", "EffectiveCost", "ListCost")}
        assert costs == {line["ContractedCost"]}
        quantity = line["PricingQuantity"], line["PricingUnit"]
        assert quantity == (line["ConsumedQuantity"], line["ConsumedUnit"])
        assert line["SkuId"].partition("/")[0] == line["ProviderName"]
