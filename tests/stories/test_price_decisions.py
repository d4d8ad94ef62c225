"""What a person decides about a price, what it would have cost, and what it corrects."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from daemon.journal.verify import verify
from tests.daemon_process import Daemon, running

PROVIDER = "anthropic"
USAGE = {"input": 1_000_000, "output": 100_000}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("home")) as started:
        yield started
        assert started.stop() == 0
        assert verify(started.data_dir).problems == []


@pytest.fixture
def model(request: pytest.FixtureRequest, daemon: Daemon) -> str:
    """A model of one's own at 3 / 15, set by hand and pinned."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[-100:].strip("-")
    set_price(daemon, name, "3", "15")
    return name


def set_price(daemon: Daemon, model: str, read: str, written: str, **more: Any) -> Any:
    price = {"rates": {"input": read, "output": written}}
    body = {"provider": PROVIDER, "model": model, "price": price, **more}
    answer = daemon.post("/prices/set", body)
    assert answer.status == 200, answer.body
    return answer.body


def of(model: str, **more: Any) -> dict[str, Any]:
    return {"provider": PROVIDER, "model": model, **more}


def quote(daemon: Daemon, model: str, **more: Any) -> Any:
    return daemon.post("/prices/quote", of(model, usage=USAGE, **more)).body


def record(daemon: Daemon, model: str, component: str = "apollo") -> Any:
    answer = daemon.post("/usage", of(model, component=component, usage=USAGE))
    assert answer.status == 201, answer.body
    return answer.body


def history(daemon: Daemon, model: str) -> Any:
    return daemon.get(f"/prices/history?provider={PROVIDER}&model={model}").body["items"]


def test_a_price_that_is_set_is_in_force_pinned_and_an_entry(daemon: Daemon, model: str) -> None:
    done = set_price(daemon, model, "4", "20", note="the vendor's letter")

    assert done["pinned"]
    assert quote(daemon, model)["price_version"] == done["price_version"]
    assert quote(daemon, model)["cost_usd"] == "6.000000000"
    entries = daemon.get(f"/entries?kind=price_set&subject={done['price_version']}").body["items"]
    assert entries[0]["body"]["versions"][0]["note"] == "the vendor's letter"
    assert entries[0]["body"]["versions"][0]["by"] == "admin"


def test_a_price_can_be_set_for_later(daemon: Daemon, model: str) -> None:
    set_price(daemon, model, "4", "20", valid_from="2100-01-01T00:00:00Z")

    assert quote(daemon, model)["cost_usd"] == "4.500000000"
    assert quote(daemon, model, at="2100-01-02T00:00:00Z")["cost_usd"] == "6.000000000"


def test_a_past_moment_is_priced_as_it_was_then(daemon: Daemon, model: str) -> None:
    before = history(daemon, model)[0]["known_since"]
    set_price(daemon, model, "4", "20")

    assert quote(daemon, model, at=before)["cost_usd"] == "4.500000000"


def test_a_hold_keeps_the_price_it_was_made_at(daemon: Daemon, model: str) -> None:
    call = of(model, component="apollo", input_tokens=1_000_000, max_output_tokens=100_000)
    held = daemon.post("/reservations", call).body
    set_price(daemon, model, "4", "20")

    settled = daemon.post(f"/reservations/{held['reservation_id']}/settle", {"usage": USAGE})
    assert settled.body["cost_usd"] == "4.500000000"
    assert record(daemon, model)["cost_usd"] == "6.000000000"


def test_a_rollback_brings_the_earlier_version_back(daemon: Daemon, model: str) -> None:
    first = history(daemon, model)[0]["price"]["price_version"]
    set_price(daemon, model, "4", "20")

    done = daemon.post("/prices/rollback", of(model, note="it was a rumour")).body
    assert done["price_version"] == first
    assert quote(daemon, model)["cost_usd"] == "4.500000000"
    assert [one["state"] for one in history(daemon, model)] == ["rolled back", "set", "set"]


def test_pinning_can_be_undone(daemon: Daemon, model: str) -> None:
    assert not daemon.post("/prices/pin", of(model, pinned=False)).body["pinned"]
    assert not daemon.get(f"/prices/one?provider={PROVIDER}&model={model}").body["pinned"]


def test_a_preview_tells_what_a_price_would_have_made_of_each_policy(
    daemon: Daemon, model: str
) -> None:
    for name, enforce in (("all", "hard"), ("watched", "warn")):
        policy = {
            "name": f"impact-{name}", "limit": {"usd": "1000"}, "period": "daily",
            "enforce": enforce, "match": {"model": model},
        }  # fmt: skip
        assert daemon.post("/policies", policy).status == 201
    for _ in range(3):
        record(daemon, model)
    before = len(history(daemon, model))

    price = {"rates": {"input": "4", "output": "20"}}
    impact = daemon.post("/prices/preview", of(model, price=price)).body

    assert (impact["calls"], impact["booked_usd"]) == (3, "13.500000000")
    assert (impact["would_be_usd"], impact["change_usd"]) == ("18.000000000", "4.500000000")
    assert [p["change_usd"] for p in impact["policies"]] == ["4.500000000"] * 2
    assert len(history(daemon, model)) == before, "looking changes nothing"


def test_provisional_calls_are_corrected_when_the_price_comes(daemon: Daemon) -> None:
    """Held and charged at the dearest rates of the provider, then one visible entry for each."""
    policy = {
        "name": "provisional", "limit": {"usd": "1000"}, "period": "daily",
        "match": {"model": "claude-next"}, "unpriced": "envelope",
    }  # fmt: skip
    assert daemon.post("/policies", policy).status == 201
    booked = [record(daemon, "claude-next") for _ in range(3)]
    call = of("claude-next", component="rhetor", input_tokens=10_000, max_output_tokens=1000)
    held = daemon.post("/reservations", call)
    assert held.status == 201, held.body
    place = f"/reservations/{held.body['reservation_id']}/settle"
    booked.append(daemon.post(place, {"usage": USAGE}).body)
    provisional = sum(Decimal(one["cost_usd"]) for one in booked)
    assert used(daemon, "provisional") == provisional > Decimal(18)

    assert set_price(daemon, "claude-next", "3", "15")["corrected_calls"] == 4

    assert used(daemon, "provisional") == Decimal(18)
    entries = daemon.get("/entries?kind=corrected").body["items"]
    assert len(entries) == 4
    assert all(entry["body"]["usd"] < 0 for entry in entries)
    shown = daemon.get(f"/reservations/{held.body['reservation_id']}").body
    assert shown["spent"]["usd"] == "4.500000000"
    assert set_price(daemon, "claude-next", "4", "20")["corrected_calls"] == 0, "only once"


def used(daemon: Daemon, policy: str) -> Decimal:
    (balance,) = daemon.get(f"/balances?policy={policy}").body["items"]
    return Decimal(balance["used"])


def test_corrections_outlive_a_restart(daemon: Daemon) -> None:
    before = used(daemon, "provisional")
    assert daemon.stop() == 0
    daemon.start()
    assert used(daemon, "provisional") == before


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("set", of("x", price={"rates": {"input": 3}}), "price.rates.input"),
        ("set", of("x", price={"rates": {"inputs": "3"}}), "price.rates.inputs"),
        ("set", of("x", price={"rates": {"input": "NaN"}}), "price.rates.input"),
        ("set", of("x", price={"rates": {"input": "-3"}}), "price.rates.input"),
        ("set", of("x", price={"rates": {}}), "price"),
        ("set", of("x", price={"rates": {"input": "3"}}, valid_from="soon"), "valid_from"),
        ("approve", {"model": "x"}, "provider"),
        ("preview", of("x", price={"rates": {"input": "3"}}, days=0), "days"),
    ],
)
def test_what_is_wrong_is_named(daemon: Daemon, path: str, body: Any, field: str) -> None:
    answer = daemon.post(f"/prices/{path}", body)
    assert answer.status == 422, answer.body
    assert any(field in wrong["field"] for wrong in answer.body["errors"]), answer.body


@pytest.mark.parametrize("path", ["approve", "reject", "pin", "rollback", "preview"])
def test_there_is_nothing_to_decide_about_an_unknown_model(daemon: Daemon, path: str) -> None:
    assert daemon.post(f"/prices/{path}", of("never-heard-of")).status == 404


def test_only_an_admin_decides(daemon: Daemon) -> None:
    for path in ("set", "approve", "reject", "pin", "rollback", "refresh"):
        answer = daemon.post(f"/prices/{path}", {}, token="nobody")
        assert answer.status == 401


def test_what_a_usage_has_that_nobody_understands_is_counted(daemon: Daemon, model: str) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "thrift_tokens": 5}
    for _ in range(2):
        body = of(model, component="apollo", usage=usage)
        assert daemon.post("/usage", body).status == 201
    status = daemon.call("GET", "/status").body
    assert status["unrecognised_usage"]["thrift_tokens"] == 2


def test_a_search_without_a_known_fee_is_never_free(daemon: Daemon, model: str) -> None:
    """It is charged at the dearest fee anybody takes, and corrected when the fee is known."""
    usage = USAGE | {"web_search": 10}
    body = of(model, component="apollo", usage=usage)
    booked = daemon.post("/usage", body).body
    assert Decimal(booked["cost_usd"]) > Decimal("4.5")

    price = {"rates": {"input": "3", "output": "15"}, "unit_rates": {"web_search": "0.01"}}
    done = daemon.post("/prices/set", of(model, price=price)).body
    assert done["corrected_calls"] == 1
    (entry,) = [e for e in daemon.get("/entries?kind=corrected&limit=1000").body["items"]
                if e["body"]["model"] == model]  # fmt: skip
    assert Decimal(booked["cost_usd"]) * 10**9 + entry["body"]["usd"] == Decimal("4.6") * 10**9
