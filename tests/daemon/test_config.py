"""The configuration: what is read, and where from."""

import subprocess
import sys
from pathlib import Path

import pytest

from daemon.config import Settings, load, show
from daemon.config.settings import LONG, SHORT, Sections, plain_settings
from protocols.tiers import DEFAULT

ROOT = Path(__file__).parents[2]
POLICY = '[[policy]]\nname = "a"\nlimit = { usd = "1.00" }\nperiod = "daily"\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty home that is also the current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(home: Path, text: str | bytes, name: str = "budget.toml") -> Path:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(home: Path, text: str = "", **environ: str) -> Settings:
    return load(write(home, text), environ={"HOME": str(home), **environ})


def test_the_example_at_the_root_holds_and_shows_every_setting() -> None:
    settings = load(ROOT / "budget.toml", environ={"HOME": "/home/ada"})

    assert [policy.name for policy in settings.policies] == [
        "house-monthly", "anthropic-daily", "runaway", "lab-weekly", "session-heavyweight",
        "local-count",
    ]  # fmt: skip
    assert {policy.budget for policy in settings.policies} == {b.name for b in settings.budgets}
    text = (ROOT / "budget.toml").read_text()
    for key in plain_settings():
        section, name = key.split(".")
        assert f"[{section}" in text
        assert name in text


def test_the_example_changes_nothing_but_tiers_tokens_and_policies(home: Path) -> None:
    example = load(ROOT / "budget.toml", environ={"HOME": str(home)})
    plain = load(None, environ={"HOME": str(home)})

    for section in ("daemon", "limits", "holds", "prices"):
        assert getattr(plain, section) == getattr(example, section)


def test_four_times_as_many_policies_are_no_more_than_four_times_the_work(home: Path) -> None:
    def steps(policies: int) -> int:
        text = "".join(POLICY.replace('"a"', f'"a{number}"') for number in range(policies))
        count = 0

        def heard(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(heard)
        try:
            read(home, text)
        finally:
            sys.setprofile(None)
        return count

    steps(1)
    assert steps(400) < 5 * steps(100)


def test_tiers_of_the_file_extend_the_built_in_table() -> None:
    settings = load(ROOT / "budget.toml", environ={"HOME": "/home/ada"})
    tiers = DEFAULT.extended(settings.tiers)

    assert tiers.tier_of("apollo", "groq", "llama-3.1-8b-instant") == "local_lightweight"
    assert tiers.tier_of("apollo", "groq", "llama-3.3-70b") == "local_midweight"
    assert tiers.tier_of("apollo", "vllm", "unheard-of") == "local_midweight"


def test_without_any_file_the_defaults_hold_and_a_note_says_so(home: Path) -> None:
    settings = load(None, environ={"HOME": str(home)})

    assert settings.path is None
    assert settings.policies == ()
    assert settings.data_dir == home / ".local/share/tekton-budget"
    assert "no budget.toml" in settings.notes[0]


def test_files_are_searched_in_the_documented_order(home: Path) -> None:
    ports = {"xdg/tekton-budget/config.toml": 4, "budget.toml": 3, "env.toml": 2, "flag.toml": 1}
    environ = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "xdg")}
    found = []
    for name, port in ports.items():
        path = write(home, f"[daemon]\nport = {port}", name)
        named = path if name == "flag.toml" else None
        if name == "env.toml":
            environ["BUDGET_CONFIG"] = str(path)
        found.append(load(named, environ=environ).daemon.port)

    assert found == [4, 3, 2, 1]


def test_the_usual_place_below_home_is_read(home: Path) -> None:
    write(home, "[daemon]\nport = 4", ".config/tekton-budget/config.toml")

    assert load(None, environ={"HOME": str(home)}).daemon.port == 4


def test_a_later_origin_wins_and_each_value_knows_its_own(home: Path) -> None:
    path = write(home, "[daemon]\nport = 1\ndrain_s = 2\n[limits]\ninbox = 3\n")
    settings = load(
        path,
        environ={"HOME": str(home), "BUDGET_PORT": "4", "BUDGET_LIMITS__INBOX": "5"},
        overrides={"daemon.port": 6, "daemon.socket": None},
    )

    assert (settings.daemon.port, settings.daemon.drain_s, settings.limits.inbox) == (6, 2, 5)
    assert settings.origins["daemon.port"] == "command line"
    assert settings.origins["limits.inbox"] == "environment BUDGET_LIMITS__INBOX"
    assert settings.origins["daemon.drain_s"] == "file"
    assert settings.origins["daemon.host"] == "default"
    assert settings.origins["daemon.data_dir"] == "default"


def test_an_empty_section_leaves_its_settings_to_their_defaults(home: Path) -> None:
    assert read(home, "[daemon]\n").origins["daemon.port"] == "default"


def test_of_two_variables_for_the_port_ours_wins(home: Path) -> None:
    assert read(home, PENIA_PORT="1").daemon.port == 1
    assert read(home, PENIA_PORT="1", BUDGET_PORT="2").daemon.port == 2
    assert read(home, BUDGET_PORT="2", BUDGET_DAEMON__PORT="3").daemon.port == 3
    assert read(home, "[daemon]\nport = 4", BUDGET_PORT="").daemon.port == 4


def test_variables_are_read_as_their_setting_wants_them(home: Path) -> None:
    settings = read(
        home,
        BUDGET_HOST="::1",
        BUDGET_LOG_LEVEL="WARNING",
        BUDGET_DATA_DIR="~/data",
        BUDGET_SOCKET="run/s",
        BUDGET_DAEMON__HOSTS="a.lan, b.lan:80",
        BUDGET_HOLDS__SWEEP_S="0.25",
        BUDGET_TIERS__MODELS='{ "x-*" = "local_midweight" }',
    )

    assert settings.daemon.host == "::1"
    assert settings.daemon.log_level == "warning"
    assert settings.data_dir == home / "data"
    assert settings.daemon.socket == home / "run/s"
    assert settings.daemon.hosts == ("a.lan", "b.lan:80")
    assert settings.holds.sweep_s == 0.25
    assert settings.tiers.models == {"x-*": "local_midweight"}
    assert settings.origins["tiers.models.x-*"] == "environment BUDGET_TIERS__MODELS"


def test_variables_of_the_client_and_of_others_are_left_alone(home: Path) -> None:
    settings = read(home, BUDGET_TOKEN="x", BUDGET_URL="x", BUDGET_AI_DAYS="x", PATH="x")

    assert settings.notes == ()


def test_a_variable_close_to_one_of_ours_is_noted(home: Path) -> None:
    [note] = read(home, BUDGET_PROT="1").notes

    assert "BUDGET_PROT is not read; did you mean BUDGET_PORT?" in note


def test_relative_paths_start_where_they_were_written(home: Path) -> None:
    path = write(home, '[daemon]\ndata_dir = "data"\n[prices]\nbook = "b.json"', "etc/budget.toml")

    settings = load(path, environ={}, overrides={"daemon.socket": Path("s")})

    assert settings.data_dir == home / "etc/data"
    assert settings.prices.book == home / "etc/b.json"
    assert settings.daemon.socket == home / "s"


def test_a_relative_xdg_directory_does_not_count(home: Path) -> None:
    assert read(home, XDG_DATA_HOME="data").data_dir == home / ".local/share/tekton-budget"
    assert read(home, XDG_DATA_HOME="/data").data_dir == Path("/data/tekton-budget")


def test_show_lists_every_value_with_its_origin(home: Path) -> None:
    rows = {row.key: row for row in show(read(home, POLICY, BUDGET_PORT="1"))}

    assert set(plain_settings()) <= set(rows)
    assert rows["daemon.port"][1:] == (1, "environment BUDGET_PORT")
    assert rows["policy[0].limit.usd"][1:] == ("1.000000000", "file")
    assert rows["policy[0].enforce"][1:] == ("hard", "default")


def test_every_setting_is_described_and_has_its_variable() -> None:
    fields = [*plain_settings().values(), *Sections.model_fields.values()]

    assert all(field.description for field in fields)
    assert set(LONG.values()) == set(plain_settings())
    assert set(SHORT.values()) <= set(plain_settings())


def test_reading_the_configuration_loads_no_server_and_no_model_client() -> None:
    program = (
        "import sys, daemon.config; "
        "print(*{'aiohttp', 'mcp', 'openai', 'pykka'} & set(sys.modules))"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert ran.stdout.strip() == ""
