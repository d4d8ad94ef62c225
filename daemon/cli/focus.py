"""FOCUS 1.2 (FinOps Open Cost and Usage Specification) as CSV: one line a day and kind of call.

What the specification has no column for stands in columns that begin with `x_`, as it asks.
"""

import csv
import sys
from datetime import datetime
from typing import Any

from daemon.cli.answer import Stop

Json = dict[str, Any]
ROWS_MAX = 10_000
GROUPS = ["provider", "model", "component", "tier", "task_type", "tags"]
FIXED = {
    "BillingAccountId": "tekton-budget",
    "BillingAccountName": "Tekton Budget",
    "BillingCurrency": "USD",
    "PricingCurrency": "USD",
    "PricingCategory": "Standard",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeFrequency": "Usage-Based",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceSubcategory": "Generative AI",
    "ServiceName": "Language models",
}


def columns_of(ask: Json) -> Json:
    """The same question, cut as FOCUS wants it: by day, in UTC, everything told apart."""
    if ask.get("group_by") or ask.get("every"):
        raise Stop("-o focus has its own groups", "leave --by and --every out", exit_code=2)
    return {**ask, "group_by": GROUPS, "every": "day", "zone": "UTC", "limit": ROWS_MAX}


def write(reply: Json) -> None:
    if reply["left_out"]:
        raise Stop(f"there are more than {ROWS_MAX:,} lines", "choose a shorter span or a filter")
    rows = [row(item) for item in reply["items"] if spent(item["figures"])]
    titles = list(row(EMPTY))
    writer = csv.DictWriter(sys.stdout, titles, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def spent(figures: Json) -> bool:
    """A refusal costs nothing and is no charge."""
    return bool(figures["calls"] or figures["tokens"] or figures["cost_usd"].strip("0."))


def row(item: Json) -> Json:
    return {**FIXED, **charge(item), **beyond(item["group"], item["figures"])}


def charge(item: Json) -> Json:
    """What it was, when, and what it cost. No discount is known, so that all costs are one."""
    group, of = item["group"], item["figures"]
    quantity, unit = (of["tokens"], "Tokens") if of["tokens"] else (of["calls"], "Calls")
    starts, ends = month(item["starts"])
    return {
        **dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"),
                        of["cost_usd"]),
        "BillingPeriodStart": starts,
        "BillingPeriodEnd": ends,
        "ChargePeriodStart": seconds(item["starts"]),
        "ChargePeriodEnd": seconds(item["ends"]),
        "ChargeDescription": f"{group['model']} for {group['component']}",
        **dict.fromkeys(("ConsumedQuantity", "PricingQuantity"), quantity),
        **dict.fromkeys(("ConsumedUnit", "PricingUnit"), unit),
        **dict.fromkeys(("InvoiceIssuerName", "ProviderName", "PublisherName"), group["provider"]),
        **dict.fromkeys(("SkuId", "SkuPriceId"), f"{group['provider']}/{group['model']}"),
        **dict.fromkeys(("SubAccountId", "SubAccountName"), group["component"]),
        "Tags": group["tags"] or "{}",
    }  # fmt: skip


def beyond(group: Json, of: Json) -> Json:
    return {
        "x_Calls": of["calls"],
        "x_InputTokens": of["input_tokens"],
        "x_CacheReadTokens": of["cache_read_tokens"],
        "x_CacheWriteTokens": of["cache_write_tokens"],
        "x_OutputTokens": of["output_tokens"],
        "x_ReasoningTokens": of["reasoning_tokens"],
        "x_CacheSavedCost": of["cache_saved_usd"],
        "x_EstimatedCalls": of["estimated"],
        "x_TaskType": group["task_type"],
        "x_Tier": group["tier"],
    }


def month(stamp: str) -> tuple[str, str]:
    """The billing period a charge lies in: the calendar month in UTC."""
    at = datetime.fromisoformat(stamp)
    year, number = (at.year + 1, 1) if at.month == 12 else (at.year, at.month + 1)  # noqa: PLR2004
    return f"{at:%Y-%m}-01T00:00:00Z", f"{year}-{number:02d}-01T00:00:00Z"


def seconds(stamp: str) -> str:
    return f"{datetime.fromisoformat(stamp):%Y-%m-%dT%H:%M:%SZ}"


EMPTY: Json = {
    "starts": "1970-01-01T00:00:00Z", "ends": "1970-01-01T00:00:00Z",
    "group": dict.fromkeys(GROUPS, ""),
    "figures": dict.fromkeys(
        ("cost_usd", "tokens", "calls", "input_tokens", "cache_read_tokens", "cache_write_tokens",
         "output_tokens", "reasoning_tokens", "cache_saved_usd", "estimated"), 0,
    ),
}  # fmt: skip
"""For the titles of a file without a line."""
