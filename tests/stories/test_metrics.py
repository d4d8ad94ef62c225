"""`/metrics`: what Prometheus reads, with figures that agree and labels that stay few."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from actors.totals import ModelTotals
from daemon.metrics import MODELS_MAX, OTHER, bounded
from protocols.metrics import counter, exposition, gauge, histogram
from tests.daemon_process import Answer, Daemon, running
from tests.stories.words import CALL, reserve, settle

CONFIG = """
[limits]
burst = 1

[[policy]]
name = "day"
budget = "house"
limit = { usd = "1.00", calls = 3 }
period = "total"
"""
SAMPLE = re.compile(r"(tekton_budget_[a-z_]+)(?:\{([^}]*)\})? (\S+)")
LINE = re.compile(
    r"# (HELP|TYPE) tekton_budget_[a-z_]+ .+"
    r'|tekton_budget_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9+.eInf-]+'
)
PUSHERS, PUSHES = 8, 400
UNBOUNDED = {"component", "session", "context", "token", "tag", "task", "policy_key", "key"}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Three calls, two of them settled, and one refused."""
    with running(tmp_path_factory.mktemp("home"), CONFIG) as started:
        held = [reserve(started, f"component-{number}") for number in range(3)]
        for one in held[:2]:
            assert settle(started, one).status == 200
        assert started.post("/reservations", CALL | {"component": "x"}).status == 402
        yield started


@pytest.fixture(scope="module")
def away(daemon: Daemon) -> list[Answer]:
    """Of a crowd that asks at once, where only one may wait, those who were turned away."""

    def push(_: int) -> Answer:
        return daemon.post("/check", CALL | {"component": "pusher"})

    with ThreadPoolExecutor(PUSHERS) as pushers:
        return [one for one in pushers.map(push, range(PUSHES)) if one.status != 200]


@pytest.fixture(scope="module")
def text(daemon: Daemon, away: list[Answer]) -> str:
    assert away
    answer = daemon.call("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.raw.decode()


def value(text: str, name: str, **labels: str) -> str:
    found = [
        number
        for line in text.splitlines()
        if (sample := SAMPLE.fullmatch(line)) is not None
        for called, told, number in [sample.groups()]
        if called == f"tekton_budget_{name}"
        and all(f'{label}="{text}"' in (told or "") for label, text in labels.items())
    ]
    assert len(found) == 1, (name, labels, found)
    return found[0]


def test_every_line_is_of_the_text_format(text: str) -> None:
    assert text.endswith("\n")
    for line in text.splitlines():
        assert LINE.fullmatch(line), line


def test_each_metric_is_declared_once_before_its_samples(text: str) -> None:
    declared = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert len(declared) == len(set(declared))


def test_the_figures_are_those_of_the_report_and_the_balances(daemon: Daemon, text: str) -> None:
    total = daemon.post("/reports", {"span": "today"}).body["total"]
    model = {"provider": "anthropic", "model": CALL["model"]}
    assert value(text, "spend_usd_total", **model) == total["cost_usd"]
    assert value(text, "decisions_total", **model, outcome="booked") == "2"
    assert value(text, "decisions_total", **model, outcome="denied") == "1"
    assert value(text, "tokens_total", **model, kind="output") == str(total["output_tokens"])
    for row in daemon.get("/balances?policy=day").body["items"]:
        for name, shown in (("used", "used"), ("reserved", "held"), ("remaining", "left")):
            told = value(text, f"{name}_{row['axis']}", policy="day", budget="house")
            assert Decimal(told) == Decimal(row[shown])


def test_how_long_decisions_take_is_a_histogram(text: str) -> None:
    assert int(value(text, "decision_seconds_count")) >= 6
    assert value(text, "decision_seconds_bucket", le="+Inf") == value(
        text, "decision_seconds_count"
    )


def test_the_house_tells_how_it_is(text: str) -> None:
    assert value(text, "ready") == "1"
    assert value(text, "part_up", part="journal") == "1"
    assert value(text, "channel_failing", channel="log") == "0"
    assert int(value(text, "events_total")) >= 2
    assert int(value(text, "journal_bytes")) > 0


def test_no_label_is_one_that_callers_make_up(text: str) -> None:
    labels = set(re.findall(r'[{,]([a-z_]+)="', text))
    assert labels == {
        "provider", "model", "kind", "outcome", "policy", "budget", "version", "le", "part",
        "channel", "source",
    }  # fmt: skip
    assert not labels & UNBOUNDED
    assert "component-1" not in text


def test_who_is_one_too_many_hears_when_to_come_back_and_is_counted(
    text: str, away: list[Answer]
) -> None:
    told = {(one.status, one.body["code"], one.headers["Retry-After"]) for one in away}

    assert told == {(429, "busy", "1")}
    assert value(text, "turned_away_total") == str(len(away))


def test_a_token_is_asked_for(daemon: Daemon) -> None:
    assert daemon.call("GET", "/metrics", token="wrong").status == 401


def test_models_beyond_the_bound_are_one_sample() -> None:
    many = [ModelTotals("p", f"m{number}", {"usd": 2}) for number in range(MODELS_MAX + 50)]
    found = bounded(many)
    assert len(found) == MODELS_MAX + 1
    assert found[-1] == ModelTotals(OTHER, OTHER, {"usd": 100})


def test_text_is_escaped_and_a_metric_without_samples_is_left_out() -> None:
    told = exposition(
        [
            gauge("empty", "Nothing"),
            counter("odd_total", "Odd").add(1, source='a"b\\c\nd'),
            histogram("wait_seconds", "Waiting", (0.5, 1.0), (1, 0, 2), 7.5),
        ]
    ).decode()
    assert "empty" not in told
    assert 'tekton_budget_odd_total{source="a\\"b\\\\c\\nd"} 1' in told
    assert [line for line in told.splitlines() if "wait" in line and line[0] != "#"] == [
        'tekton_budget_wait_seconds_bucket{le="0.5"} 1',
        'tekton_budget_wait_seconds_bucket{le="1.0"} 1',
        'tekton_budget_wait_seconds_bucket{le="+Inf"} 3',
        "tekton_budget_wait_seconds_sum 7.5",
        "tekton_budget_wait_seconds_count 3",
    ]
