"""What was spent, as a person reads it and as programs take it: `budget report`, `pace`, `top`."""

import csv
import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.daemon.conftest import Run, clean_environ, command

HAIKU = {"input_tokens": 1_000, "output_tokens": 200, "cache_read_input_tokens": 3_000}
"""At 1, 5 and 0.1 dollars a million: 0.0023; as plain input it would have cost 0.0027 more."""
GPT = {"prompt_tokens": 1_000, "completion_tokens": 100}
"""At 0.25 and 2 dollars a million: 0.00045."""
TOTAL = Decimal("0.00505")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def up(home: Path) -> Iterator[Run]:
    """Start a daemon with three calls booked and one refused, and give the command."""
    environ = clean_environ(home) | {"BUDGET_DATA_DIR": str(home / "data")}
    budget = command(environ, home)
    assert budget("up", "--port", "0").returncode == 0
    budget("policy", "set", "apollo-daily", "--usd", "0.01", "--period", "daily",
           "--match", "component=apollo", "--budget", "lab")  # fmt: skip
    for component, model, usage, team in (
        ("apollo", "claude-haiku-4-5", HAIKU, "web"),
        ("apollo", "claude-haiku-4-5", HAIKU, "ops"),
        ("rhetor", "gpt-5-mini", GPT, "web"),
    ):
        booked = budget("record", component, model, "--tag", f"team={team}",
                        stdin=json.dumps(usage))  # fmt: skip
        assert booked.returncode == 0, booked.stderr
    refused = budget("reserve", "apollo", "claude-opus-4-5", "--in", "9k", "--out", "1k")
    assert refused.returncode == 5
    yield budget
    assert budget("down").returncode == 0


def rows(text: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.strip()]


def test_a_report_tells_models_apart_with_shares_and_a_total(up: Run) -> None:
    told = up("report", "today", "--by", "model")

    assert told.returncode == 0, told.stderr
    head, titles, *lines = rows(told.stdout)
    assert head[0].endswith("· UTC")
    assert titles == ["model", "cost $", "share", "tokens", "cached", "calls", "refused"]
    assert lines[:2] == [
        ["claude-haiku-4-5", "$0.0046", "█" * 12, "8,400", "75%", "2", "0"],
        ["gpt-5-mini", "$0.00045", "█▏" + "░" * 10, "1,100", "1", "0"],
    ]
    assert lines[2][:2] == ["claude-opus-4-5", "$0.00"]
    assert lines[2][-2:] == ["0", "1"]
    assert lines[-1] == ["total", "$0.005", "9,500", "67%", "3", "1"]


def test_cut_by_time_a_group_is_one_line_with_a_chart(up: Run) -> None:
    told = up("report", "last-24-hours", "--by", "component", "--every", "hour")

    apollo = next(line for line in rows(told.stdout) if line[0] == "apollo")
    assert re.fullmatch("·{23,24}█·?", apollo[2])
    assert apollo[1] == "$0.0046"


def test_a_budget_is_told_by_what_counted_in_it(up: Run) -> None:
    by_budget = up("report", "today", "--by", "budget,tag.team", "--json")

    told = json.loads(by_budget.stdout)
    assert told["overlapping"]
    costs = {tuple(i["group"].values()): i["figures"]["cost_usd"] for i in told["items"]}
    assert costs[("lab", "web")] == costs[("lab", "ops")] == "0.002300000"
    assert costs[(None, "web")] == "0.000450000"
    assert Decimal(told["total"]["cost_usd"]) == TOTAL
    assert told["total"]["cache_saved_usd"] == "0.005400000"


def test_each_form_has_the_same_sum(up: Run) -> None:
    asked = ("report", "today", "--by", "component,model", "-o")

    lines = [json.loads(line) for line in up(*asked, "jsonl").stdout.splitlines()]
    table = list(csv.DictReader(io.StringIO(up(*asked, "csv").stdout)))
    focus = list(csv.DictReader(io.StringIO(up("report", "today", "-o", "focus").stdout)))

    assert sum(Decimal(line["figures"]["cost_usd"]) for line in lines) == TOTAL
    assert sum(Decimal(row["figures.cost_usd"]) for row in table) == TOTAL
    assert sum(Decimal(row["BilledCost"]) for row in focus) == TOTAL


FOCUS_MANDATORY = {
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription",
    "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost", "EffectiveCost",
    "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName",
    "PublisherName", "ServiceCategory", "ServiceName",
}  # fmt: skip


def test_focus_has_its_mandatory_columns_and_one_line_a_day_and_kind_of_call(up: Run) -> None:
    told = list(csv.DictReader(io.StringIO(up("report", "today", "-o", "focus").stdout)))

    assert len(told) == 3, "the refused call is no charge"
    assert set(told[0]) >= FOCUS_MANDATORY
    haiku = next(row for row in told if json.loads(row["Tags"]) == {"team": "ops"})
    assert haiku["SkuId"] == "anthropic/claude-haiku-4-5"
    assert (haiku["ConsumedQuantity"], haiku["ConsumedUnit"]) == ("4200", "Tokens")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", haiku["ChargePeriodStart"])
    assert haiku["BillingPeriodStart"][:8] == haiku["ChargePeriodStart"][:8]
    assert up("report", "-o", "focus", "--by", "model").returncode == 2


def test_a_question_that_makes_no_sense_says_what_to_write(up: Run) -> None:
    both = up("report", "today", "--since", "2026-11-01")
    assert both.returncode == 2
    assert "span: not accepted; give span or since, not both" in both.stderr

    uneven = up("report", "--since", "2026-11-01T00:07Z")
    assert "since: not accepted; times must be at a quarter of an hour" in uneven.stderr

    unknown = up("report", "--by", "colour")
    assert "group_by.0" in unknown.stderr
    assert "tag" in unknown.stderr


def test_the_pace_shows_how_far_the_window_and_the_budget_are(up: Run) -> None:
    told = up("pace", "--budget", "lab")

    line = rows(told.stdout)[1]
    assert line[:2] == ["apollo-daily", "$0.01"]
    assert "│" in line[2]
    assert line[3] == "46%"
    assert rows(up("pace", "--budget", "none").stdout)[0][0].startswith("no window is open")


def test_top_looks_once_where_there_is_no_terminal(up: Run) -> None:
    assert up("reserve", "rhetor", "gpt-5-mini", "--in", "1k", "--out", "1k").returncode == 0

    told = up("top")

    assert told.returncode == 0, told.stderr
    assert "today $0.005 · 9,500 tokens · 3 calls · 1 refusal" in told.stdout
    assert "1 call under way" in told.stdout
    assert "apollo-daily" in told.stdout


def test_the_page_is_handed_a_token_of_its_own_that_ends(up: Run) -> None:
    printed = up("page", "--print").stdout.strip()
    url, _, token = printed.partition("/#token=")
    assert url.startswith("http://127.0.0.1:")

    mine = up("token", "list", "--json").stdout
    made = next(t for t in json.loads(mine)["items"] if t["name"].startswith("page-"))
    assert (made["role"], made["components"]) == ("report", [])
    assert made["expires_at"] is not None
    assert up("report", "today", "--json", env={"BUDGET_TOKEN": token}).returncode == 0
    assert up("token", "list", env={"BUDGET_TOKEN": token}).returncode == 6


def test_the_way_to_the_page_lies_in_a_file_that_only_its_owner_reads(up: Run, home: Path) -> None:
    told = up("page", env={"BROWSER": "true"})

    assert told.returncode == 0, told.stderr
    assert "token" not in told.stdout
    leaf = home / "data" / "page.html"
    assert leaf.stat().st_mode & 0o777 == 0o600
    assert re.search(r"url=http://127\.0\.0\.1:\d+/#token=", leaf.read_text(encoding="utf-8"))


def test_the_journal_can_be_read_from_its_end_and_as_calls_only(up: Run) -> None:
    told = json.loads(up("entries", "--calls", "--newest", "--json").stdout)["items"]

    assert [entry["kind"] for entry in told] == ["denied", "recorded", "recorded", "recorded"]
    assert [entry["seq"] for entry in told] == sorted((e["seq"] for e in told), reverse=True)
