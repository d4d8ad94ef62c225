"""Six real sources, an older and a newer day of each: no price that was really wrong gets through.

With UPDATE_SNAPSHOTS=1 the table of what stopped which goes to docs/price-incidents.md.
"""

import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from daemon.journal.verify import verify
from daemon.prices.feeds import READERS
from daemon.prices.sources import portkey
from protocols.prices import model_name
from tests.daemon_process import Daemon, running
from tests.harness.mirror import Server, mirror
from tests.harness.snapshots import NEWER, OLDER, PORTKEY, Incident, incidents, needed, read

SOURCES = [*OLDER, "portkey"]
DAY = date(2026, 11, 24)
ABSENT, IN_FORCE = "not in these files", "in force"
TABLE = Path(__file__).parents[2] / "docs" / "price-incidents.md"


@pytest.fixture(scope="module")
def files() -> Iterator[Server]:
    needed()
    with mirror() as serving:
        for name in portkey.PROVIDERS:
            serving.serve(f"/portkey/{name}.json", read(f"{PORTKEY}/{name}.json"))
        yield serving


@pytest.fixture(scope="module")
def daemon(files: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    config = "".join(
        f'[[price_source]]\nname = "{name}"\nurl = "{files.url("/" + name)}"\n'
        "allow_http = true\nallow_private = true\n"
        for name in SOURCES
    )
    with running(tmp_path_factory.mktemp("home"), config) as started:
        yield started
        assert started.stop() == 0
        assert verify(started.data_dir).problems == []


class Days(NamedTuple):
    """Every refresh's answer, and what stopped each incident on the older and the newer day."""

    answers: list[Any]
    stopped: list[dict[Incident, str]]


@pytest.fixture(scope="module")
def days(daemon: Daemon, files: Server) -> Days:
    """The older files, then the newer ones, which a person has to take: they lie months apart."""
    found = Days([], [])
    for day in (OLDER, NEWER):
        for name, file in day.items():
            files.serve(f"/{name}", read(file))
        found.answers.append(daemon.post("/prices/refresh", {}).body)
        for held in found.answers[-1]["sources"]:
            if held["state"] == "held":
                body = {"source": held["name"], "note": "half a year later"}
                found.answers.append(daemon.post("/prices/sources/approve", body).body)
        found.stopped.append({incident: verdict(daemon, incident) for incident in incidents()})
    return found


def test_every_refresh_counts_each_model_once(days: Days) -> None:
    first, last = days.answers[0]["models"], days.answers[-1]["models"]
    for counts in (first, last):
        assert counts["confirmed"] > 400
        assert counts["single"] > 2_000
        assert 0 < counts["rejected"] < counts["quarantined"] < 1_000
    assert first["applied"] > 100
    assert [source["state"] for source in days.answers[-1]["sources"]] == ["ok"] * len(SOURCES)


def test_a_file_that_lost_a_seventh_of_its_models_waited_for_a_person(days: Days) -> None:
    told = {s["name"]: s["failure"] for s in days.answers[1]["sources"] if s["state"] == "held"}
    assert "models are gone" in told["litellm"]


def test_no_incident_is_in_force_and_each_says_what_stopped_it(days: Days) -> None:
    rows = []
    for incident in incidents():
        told = [day[incident] for day in days.stopped]
        assert IN_FORCE not in told, incident
        rows.append((incident, next((one for one in told if one != ABSENT), ABSENT)))
    assert sum(stopped != ABSENT for _, stopped in rows) >= 18
    if os.environ.get("UPDATE_SNAPSHOTS"):
        TABLE.write_text(table(rows, days.answers), encoding="utf-8")


def verdict(daemon: Daemon, incident: Incident) -> str:
    """What stops this wrong price today, if anybody says it today."""
    row = refused_row(daemon, incident)
    path = f"/prices/one?provider={incident.provider}&model={quote(incident.model, safe='')}"
    answer = daemon.get(path)
    if answer.status != 200:
        return row or ABSENT
    found = answer.body
    version = found["version"]
    if version is not None and same(version["price"]["rates"], incident):
        return IN_FORCE
    says_so = [source for source, told in found["says"].items() if same(told, incident)]
    if not says_so:
        return row or ABSENT
    case = found["case"]
    if case is not None:
        return f"{case['guard']}: {case['detail']}"
    others = sorted(found["says"].keys() - set(says_so))
    return f"outvoted: {', '.join(says_so)} against {', '.join(others) or 'what is in force'}"


def same(rates: dict[str, str], incident: Incident) -> bool:
    return incident.kind in rates and Decimal(rates[incident.kind]) == incident.bad


def refused_row(daemon: Daemon, incident: Incident) -> str | None:
    """Why its row was not even read; the daemon keeps its last file of every source."""
    if incident.source not in SOURCES:
        return None
    for file in sorted((daemon.data_dir / "prices" / incident.source).glob("*.json")):
        if incident.source == "portkey":
            reading = portkey.read_provider(file.stem, file.read_bytes(), DAY)
        else:
            reading = READERS[incident.source](file.read_bytes(), DAY)
        for label, why in reading.rejected.items():
            if model_name(label).endswith(model_name(incident.model)):
                return f"row refused: {why}"
    return None


def table(rows: list[tuple[Incident, str]], refreshed: list[Any]) -> str:
    lines = [
        "# Wrong prices that were stopped",
        "",
        "Six real sources, an older and a newer day of each, refreshed in this order; each wrong",
        "price of the past, and what kept it from being applied. Written by",
        "`UPDATE_SNAPSHOTS=1 python -m pytest tests/stories/test_price_incidents.py`.",
        "",
        "| refresh | applied | confirmed | single | quarantined | rejected | unlisted |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for number, answer in enumerate(refreshed, 1):
        counts = answer["models"]
        names = ("applied", "confirmed", "single", "quarantined", "rejected", "unlisted")
        lines.append(f"| {number} | " + " | ".join(f"{counts[name]:,}" for name in names) + " |")
    lines += [
        "",
        "| source | model | kind | wrong, $/M | stopped by |",
        "| --- | --- | --- | --- | --- |",
    ]
    for incident, stopped in rows:
        cells = [
            incident.source, f"`{incident.provider}/{incident.model}`", incident.kind,
            f"{incident.bad}", stopped,
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
