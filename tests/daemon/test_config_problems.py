"""Broken configurations: each is told by its key and its remedy, all of them at once."""

from pathlib import Path

import pytest

from daemon.config import ConfigError, Problem, load

POLICY = '[[policy]]\nname = "a"\nlimit = { usd = "1.00" }\nperiod = "daily"\n'
"""A sound policy, to be spoilt."""
SECRET = "sk-" + "a1B2" * 8


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty home that is also the current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(home: Path, text: str | bytes, **environ: str) -> list[Problem]:
    (home / "budget.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(Path("budget.toml"), environ={"HOME": str(home), **environ})
    assert caught.value.exit_code == 78
    return list(caught.value.problems)


BROKEN = {
    "unknown section": ("[deamon]\n", "deamon", "did you mean daemon?"),
    "unknown key": ("[daemon]\nprot = 1", "daemon.prot", "did you mean port?"),
    "unknown limit": ("[limits]\ninflight = 1", "limits.inflight", "did you mean in_flight?"),
    "unknown hold": ("[holds]\nswep_s = 1", "holds.swep_s", "did you mean sweep_s?"),
    "unknown far from all": (
        "[holds]\nxyz = 1",
        "holds.xyz",
        "known here are sweep_s, open, key_hours",
    ),
    "key above its section": ("port = 1", "port", "it belongs below [daemon]"),
    "key in another section": ("[holds]\nport = 1", "holds.port", "it belongs below [daemon]"),
    "unknown policy key": (POLICY + 'perid = "x"', "policy[0].perid", "did you mean period?"),
    "unknown match": (
        POLICY + 'match = { modle = "x" }',
        "policy[0].match.modle",
        "did you mean model?",
    ),
    "unknown axis": (POLICY.replace("usd", "usdd"), "policy[0].limit.usdd", "did you mean usd?"),
    "unknown token key": (
        '[[token]]\nname="a"\nrole="read"\nrolle="x"',
        "token[0].rolle",
        "did you mean role?",
    ),
    "unknown budget key": (
        '[[budget]]\nname = "a"\nowners = "x"',
        "budget[0].owners",
        "did you mean owner?",
    ),
    "unknown tier table": ('[tiers.model]\n"x" = "y"', "tiers.model", "did you mean models?"),
    "text for a number": ('[daemon]\nport = "80"', "daemon.port", "port = 8013"),
    "float for a number": ("[limits]\ninbox = 1.5", "limits.inbox", "inbox = 1024"),
    "true for a number": ("[limits]\ninbox = true", "limits.inbox", "inbox = 1024"),
    "number for text": ("[daemon]\nlog_level = 3", "daemon.log_level", "debug, info, warning"),
    "number for a path": ("[daemon]\ndata_dir = 3", "daemon.data_dir", 'data_dir = "~/'),
    "text for a list": ('[daemon]\nhosts = "a"', "daemon.hosts", "hosts = ["),
    "port too large": ("[daemon]\nport = 65536", "daemon.port", "port = 8013"),
    "port of 2^63": ("[daemon]\nport = 9223372036854775808", "daemon.port", "port = 8013"),
    "negative time": ("[daemon]\ndrain_s = -1", "daemon.drain_s", "drain_s = 10"),
    "not a number": ("[daemon]\ndrain_s = nan", "daemon.drain_s", "drain_s = 10"),
    "endless time": ("[limits]\nbody_s = 1e999999", "limits.body_s", "body_s = 10"),
    "zero limit": ("[limits]\ninbox = 0", "limits.inbox", "inbox = 1024"),
    "date for a number": ("[holds]\nkey_hours = 2026-01-01", "holds.key_hours", "key_hours = 24"),
    "misspelt choice": ('[daemon]\nlog_format = "jsn"', "daemon.log_format", "did you mean json?"),
    "every interface": ('[daemon]\nhost = "0.0.0.0"', "daemon.host", "tls_cert and tls_key"),
    "a name as host": ('[daemon]\nhost = "budget.lan"', "daemon.host", "behind_proxy = true"),
    "a certificate without its key": ('[daemon]\ntls_cert = "a"', "daemon.tls_key", "name both"),
    "list for a path": ("[daemon]\ndata_dir = []", "daemon.data_dir", 'data_dir = "~/'),
    "path with a zero byte": ('[prices]\nbook = "a\\u0000"', "prices.book", "take it out"),
    "socket path too long": (
        f'[daemon]\nsocket = "/{"a" * 120}"',
        "daemon.socket",
        "at most 107 bytes",
    ),
    "every origin": ('[daemon]\norigins = ["*"]', "daemon.origins[0]", "origins = ["),
    "host with a path": ('[daemon]\nhosts = ["a/b"]', "daemon.hosts[0]", "hosts = ["),
    "section as a number": ("daemon = 5", "daemon", "write [daemon]"),
    "section in two brackets": ("[[holds]]\nsweep_s = 1", "holds", "write [holds]"),
    "policy in one bracket": ('[policy]\nname = "a"', "policy", "write [[policy]]"),
    "tier unknown": (
        '[tiers.models]\n"x*" = "remote_heavywight"',
        "tiers.models.x*",
        "did you mean remote_heavyweight?",
    ),
    "tiers not a table": ("[tiers]\nmodels = 3", "tiers.models", "write [tiers.models]"),
    "provider with a blank": (
        '[prices]\nfree_providers = ["a b"]',
        "prices.free_providers[0]",
        "free_providers = [",
    ),
    "secret": (f'[daemon]\nsecret = "{SECRET}"', "daemon.secret", "<data_dir>/tokens/<name>"),
    "password": ('[daemon]\npassword = "x"', "daemon.password", "<data_dir>/tokens/<name>"),
    "api key": ('api_key = "x"', "api_key", "<data_dir>/tokens/<name>"),
    "key": ('[[token]]\nname="a"\nrole="read"\nkey="x"', "token[0].key", "<data_dir>/tokens"),
    "token as text": ('token = "x"', "token", "<data_dir>/tokens/<name>"),
    "token in a section": ('[daemon]\ntoken = "x"', "daemon.token", "<data_dir>/tokens/<name>"),
    "secret in a value": (
        f'[[budget]]\nname = "a"\nnote = "{SECRET}"',
        "budget[0].note",
        "secrets never stand",
    ),
    "token without role": ('[[token]]\nname = "a"', "token[0].role", 'add role = "report"'),
    "token of no role": (
        '[[token]]\nname = "a"\nrole = "admn"',
        "token[0].role",
        "did you mean admin?",
    ),
    "token out of its directory": (
        '[[token]]\nname = "../a"\nrole = "read"',
        "token[0].name",
        'name = "',
    ),
    "token named as the admin": (
        '[[token]]\nname = "admin"\nrole = "read"',
        "token[0].name",
        'name = "apollo"',
    ),
    "two tokens of a name": (
        '[[token]]\nname="a"\nrole="read"\n' * 2,
        "token[1].name",
        "rename or remove one",
    ),
    "two policies of a name": (POLICY * 2, "policy[1].name", "rename or remove one"),
    "two budgets of a name": ('[[budget]]\nname = "a"\n' * 2, "budget[1].name", "rename"),
    "usd as a float": (POLICY.replace('"1.00"', "20.10"), "policy[0].limit.usd", 'usd = "20.10"'),
    "usd as an integer": (POLICY.replace('"1.00"', "20"), "policy[0].limit.usd", 'usd = "20"'),
    "usd with a sign": (POLICY.replace("1.00", "$1"), "policy[0].limit.usd", 'usd = "20.00"'),
    "override as a number": (
        POLICY + "override = { usd = 5 }",
        "policy[0].override.usd",
        'usd = "5"',
    ),
    "no limit": ('[[policy]]\nname="a"\nperiod="daily"', "policy[0].limit", "add limit = { usd"),
    "empty limit": (
        POLICY.replace('{ usd = "1.00" }', "{}"),
        "policy[0].limit",
        'limit = { usd = "20.00" }',
    ),
    "negative tokens": (
        POLICY.replace('usd = "1.00"', "tokens = -1"),
        "policy[0].limit.tokens",
        "tokens = 2_000",
    ),
    "no period": (
        POLICY.replace('period = "daily"', ""),
        "policy[0].period",
        'add period = "daily"',
    ),
    "misspelt period": (POLICY.replace("daily", "dayly"), "policy[0].period", "did you mean daily"),
    "no name": (POLICY.replace('name = "a"', ""), "policy[0].name", "add name = "),
    "no such zone": (POLICY + 'zone = "Berlin"', "policy[0].zone", "Europe/Berlin"),
    "no such strictness": (POLICY + 'enforce = "hrad"', "policy[0].enforce", "did you mean hard?"),
    "override of a soft limit": (
        POLICY + 'enforce = "soft"\noverride = { usd = "1" }',
        "policy[0]",
        "remove it",
    ),
    "priority of 11": (
        POLICY + "override = { priority = 11 }",
        "policy[0].override.priority",
        "priority",
    ),
    "warning at 150 %": (POLICY + "warn_at = [1.5]", "policy[0].warn_at[0]", "warn_at = [0.5"),
    "glob with a blank": (POLICY + 'match = { model = "a b" }', "policy[0].match.model", "claude"),
    "each of nothing": (POLICY + 'each = "day"', "policy[0].each", 'each = "component"'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_by_its_key_and_its_remedy(name: str, home: Path) -> None:
    text, key, remedy = BROKEN[name]

    problems = refusal(home, text)

    assert f"budget.toml: {key}" in [where for where, _, _ in problems]
    assert any(remedy in told for where, _, told in problems if where == f"budget.toml: {key}")
    assert all(where and what and told for where, what, told in problems)
    assert len({where for where, _, _ in problems}) == len(problems)
    assert SECRET not in str(problems)


UNREADABLE = {
    "half a line": (b"[daemon]\nport =\n", "budget.toml: line 2, column 7", "toml.io"),
    "a key twice": (b"[daemon]\nport = 1\nport = 2\n", "budget.toml: line 3", "toml.io"),
    "a section twice": (b"[daemon]\n[daemon]", "budget.toml: line 2", "toml.io"),
    "not UTF-8": (b"[daemon]\n# \xff", "budget.toml: line 2", "UTF-8"),
    "a zero byte": (b"\0", "budget.toml: line 1, column 1", "toml.io"),
    "a deep nest": (b"a = " + b"[" * 100_000, "budget.toml", "flatter"),
    "5000 digits": (b"a = " + b"9" * 5000, "budget.toml", "toml.io"),
    "two megabytes": (b"#" * 2_000_000, "budget.toml", "the right file"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_is_not_toml_is_told_by_line_and_column(name: str, home: Path) -> None:
    content, place, remedy = UNREADABLE[name]

    [(where, _, told)] = refusal(home, content)

    assert where.startswith(place)
    assert remedy in told


def test_all_problems_are_told_at_once(home: Path) -> None:
    text = 'port = 1\n[daemon]\nhost = "0.0.0.0"\ndrain_s = "x"\n' + POLICY * 2

    problems = refusal(home, text, BUDGET_DAEMON__PROT="1", BUDGET_LIMITS__INBOX="many")

    assert {where for where, _, _ in problems} == {
        "budget.toml: port",
        "budget.toml: daemon.host",
        "budget.toml: daemon.drain_s",
        "budget.toml: policy[1].name",
        "environment BUDGET_DAEMON__PROT",
        "environment BUDGET_LIMITS__INBOX: limits.inbox",
    }


def test_two_policies_of_one_name_are_both_named(home: Path) -> None:
    [(where, what, _)] = refusal(home, POLICY * 2)

    assert where == "budget.toml: policy[1].name"
    assert "policy[0]" in what


def test_a_problem_reads_as_a_sentence(home: Path) -> None:
    [problem] = refusal(home, "[daemon]\nprot = 1")

    assert str(problem) == "budget.toml: daemon.prot: is not a setting; did you mean port?"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("named", "environ"),
    [(Path("other.toml"), {}), (None, {"BUDGET_CONFIG": "other.toml"})],
    ids=["--config", "BUDGET_CONFIG"],
)
def test_a_named_file_that_is_missing_is_an_error(
    named: Path | None, environ: dict[str, str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(named, environ=environ)

    [problem] = caught.value.problems
    assert problem.where == "other.toml"
    assert "No such file" in problem.what


def test_a_directory_is_not_a_file(home: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        load(home, environ={})


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("BUDGET_DEAMON__PORT", "did you mean BUDGET_DAEMON__PORT?"),
        ("BUDGET_LIMITS__INFLIGHT", "did you mean BUDGET_LIMITS__IN_FLIGHT?"),
        ("BUDGET_POLICY__0", "budget config show"),
    ],
)
def test_a_misspelt_variable_is_an_error(name: str, remedy: str, home: Path) -> None:
    [(where, what, told)] = refusal(home, "", **{name: "1"})

    assert where == f"environment {name}"
    assert what == "is not a setting"
    assert remedy in told


@pytest.mark.usefixtures("home")
def test_a_wrong_flag_is_told_as_a_flag() -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, environ={}, overrides={"daemon.host": "10.0.0.1"})

    assert caught.value.problems[0].where == "command line: daemon.host"
