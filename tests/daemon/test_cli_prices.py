"""`budget prices` with a real daemon and two sources: what a person sees and decides."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.conftest import Run, clean_environ, command
from tests.harness.mirror import Server, litellm_file, mirror, models_dev_file

THREE = {"input": 3.0, "output": 15.0}
SIX_TIMES = {"input": 18.0, "output": 90.0}


@pytest.fixture(scope="module")
def files() -> Iterator[Server]:
    with mirror() as serving:
        say(serving, {"large": THREE, "small": THREE})
        yield serving


def say(files: Server, prices: dict[str, dict[str, float]]) -> None:
    files.serve("/litellm", litellm_file(prices))
    files.serve("/models.dev", models_dev_file(prices))


@pytest.fixture(scope="module")
def budget(files: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    home = tmp_path_factory.mktemp("prices")
    write(home / "budget.toml", files)
    environ = clean_environ(home) | {
        "BUDGET_DATA_DIR": str(home / "data"),
        "BUDGET_CONFIG": str(home / "budget.toml"),
    }
    run = command(environ, home)
    assert run("up", "--port", "0").returncode == 0
    yield run
    assert run("down").returncode == 0


def write(config: Path, files: Server) -> None:
    tables = "".join(
        f'[[price_source]]\nname = "{name}"\nurl = "{files.url("/" + name)}"\n'
        "allow_http = true\nallow_private = true\n"
        for name in ("litellm", "models.dev")
    )
    config.write_text(f'{tables}[[price_source]]\nname = "genai-prices"\nenabled = false\n')


def test_a_refresh_tells_who_said_what_and_what_became_of_it(budget: Run) -> None:
    shown = budget("prices", "refresh")
    assert shown.returncode == 0, shown.stderr
    assert "litellm     litellm     ok" in shown.stdout
    assert "102" in shown.stdout
    told = json.loads(budget("prices", "sources", "--json").stdout)["items"]
    assert [one["state"] for one in told] == ["ok", "ok"]


def test_what_nobody_may_believe_waits_and_can_be_looked_at_and_approved(
    budget: Run, files: Server
) -> None:
    say(files, {"large": SIX_TIMES, "small": THREE})
    refreshed = budget("prices", "refresh")
    assert "leap" in refreshed.stdout
    assert "budget prices quarantine" in refreshed.stdout

    waiting = budget("prices", "quarantine")
    assert "acme/large  leap        $3 / $15  litellm $18 / $90" in waiting.stdout
    assert "models.dev $18 / $90" in waiting.stdout

    used = budget("record", "apollo", "large", "--provider", "acme", "--in", "1M", "--out", "0")
    assert used.returncode == 0, used.stderr
    preview = budget("prices", "preview", "acme/large")
    assert "all calls" in preview.stdout
    assert "+$15.00" in preview.stdout

    done = budget("prices", "approve", "acme/large", "--note", "the vendor says so")
    assert done.returncode == 0, done.stderr
    cost = budget("cost", "large", "--provider", "acme", "--in", "1M")
    assert "$18.00" in cost.stdout
    assert budget("prices", "quarantine").stdout == "  nothing waits\n"
    history = budget("prices", "history", "acme/large")
    assert "approved" in history.stdout
    assert "the vendor says so" in history.stdout
    diff = budget("prices", "diff", "--limit", "2")
    assert "6.00x" in diff.stdout


def test_a_person_sets_pins_and_rolls_back(budget: Run) -> None:
    made = budget("prices", "set", "acme/small", "--in", "4", "--out", "20",
                  "--rate", "cache_read=0.4", "--unit-rate", "web_search=0.01")  # fmt: skip
    assert "pinned: sources do not change it" in made.stdout
    page = budget("prices", "show", "acme/small").stdout
    assert "acme/small  pinned" in page
    assert "web_search   $0.01" in page
    assert "litellm      $3 / $15" in page
    assert "pinned" not in budget("prices", "unpin", "acme/small").stdout
    assert "pinned" in budget("prices", "pin", "acme/small").stdout
    back = budget("prices", "rollback", "acme/small")
    assert back.returncode == 0, back.stderr
    listed = budget("prices", "list", "--provider", "acme", "--model", "small").stdout
    assert "$3.00" in listed


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["approve", "gpt-5"], 2, "names no provider"),
        (["approve", "acme/nobody"], 4, "no price of acme/nobody waits"),
        (["reject", "acme/nobody"], 4, "waits for a decision"),
        (["set", "acme/x"], 2, "name a rate"),
        (["set", "acme/x", "--rate", "inputs=3"], 2, "price.rates.inputs"),
        (["take", "nobody"], 4, "there are: litellm, models.dev"),
        (["take", "litellm"], 4, "no file of litellm waits"),
        (["refresh", "--source", "nobody"], 4, "there is no price source nobody"),
        (["rollback", "acme/filler-1"], 4, "predecessor"),
    ],
)
def test_a_mistake_is_named_with_its_exit_code(
    budget: Run, words: list[str], code: int, told: str
) -> None:
    found = budget("prices", *words)
    assert (found.returncode, told in found.stderr) == (code, True), found.stderr
