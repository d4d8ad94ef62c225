"""How the command line finds its daemon and its token without being told."""

import json
from pathlib import Path
from typing import Any

import pytest

from daemon import client
from daemon.config import load
from protocols import errors


def note(home: Path, **told: Any) -> None:
    home.mkdir(exist_ok=True)
    running = {"url": None, "socket": None, "pid": 1, "version": "0.1.0"} | told
    (home / "daemon.json").write_text(json.dumps(running))


def test_the_daemon_is_where_its_data_directory_says(tmp_path: Path) -> None:
    note(tmp_path, url="http://127.0.0.1:4711")

    assert client.find({}, data_dir=tmp_path).url == "http://127.0.0.1:4711"


def test_a_daemon_without_a_port_is_found_at_its_socket(tmp_path: Path) -> None:
    note(tmp_path, socket="/run/b.sock")

    assert client.find({}, data_dir=tmp_path).url == "unix:/run/b.sock"


def test_what_is_named_goes_before_what_is_found(tmp_path: Path) -> None:
    note(tmp_path, url="http://127.0.0.1:4711")

    assert client.find({}, url="http://localhost:1", data_dir=tmp_path).url == "http://localhost:1"
    assert client.find({}, socket_path="/s", data_dir=tmp_path).url == "unix:/s"


def test_without_any_word_it_is_the_usual_port(tmp_path: Path) -> None:
    assert client.find({}, data_dir=tmp_path).url == "http://127.0.0.1:8013"
    assert client.find({"PENIA_PORT": "81"}, data_dir=tmp_path).url == "http://127.0.0.1:81"
    both = {"PENIA_PORT": "81", "BUDGET_PORT": "82"}
    assert client.find(both, data_dir=tmp_path).url == "http://127.0.0.1:82"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"url": 1}', "\udcff"])
def test_a_note_that_is_broken_is_no_note(tmp_path: Path, text: str) -> None:
    (tmp_path / "daemon.json").write_text(text, errors="surrogateescape")

    assert client.running(tmp_path) is None


def test_the_token_is_the_one_named_else_the_machines_own(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("own\n")
    (tmp_path / "other").write_text("filed\n")
    there = "http://127.0.0.1:8013"

    assert client.find_token({}, there, tmp_path) == "own"
    assert client.find_token({"BUDGET_TOKEN": "said"}, there, tmp_path) == "said"
    filed = {"BUDGET_TOKEN_FILE": str(tmp_path / "other")}
    assert client.find_token(filed, there, tmp_path) == "filed"
    said = {"BUDGET_TOKEN": "said"}
    assert client.find_token(said, there, tmp_path, tmp_path / "other") == "filed"


@pytest.mark.parametrize("url", ["http://budget.example.org", "http://127.0.0.1.example.org:8013"])
def test_the_machines_own_token_is_never_sent_to_another_machine(tmp_path: Path, url: str) -> None:
    (tmp_path / "token").write_text("own\n")

    assert client.find_token({}, url, tmp_path) is None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.2:1", "http://[::1]:1", "http://localhost", "unix:/s"]
)
def test_loopback_and_unix_sockets_are_this_machine(url: str) -> None:
    assert client.is_local(url)


def test_a_token_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(errors.Unauthenticated, match="cannot read the token file"):
        client.find_token({}, "http://127.0.0.1", tmp_path, tmp_path / "nothing")


DAEMON_TABLE = '[daemon]\ndata_dir = "{}"\n'


@pytest.mark.parametrize(
    ("environ", "written"),
    [
        ({}, None),
        ({"XDG_DATA_HOME": "/srv/data"}, None),
        ({"XDG_DATA_HOME": "relative"}, None),
        ({"BUDGET_DATA_DIR": "here"}, "there"),
        ({"BUDGET_DATA_DIR": "~/here"}, None),
        ({"BUDGET_DAEMON__DATA_DIR": "/here"}, "there"),
        ({}, "there"),
        ({}, "~"),
        ({}, "/abs"),
        ({"BUDGET_CONFIG": "sub/other.toml"}, "there"),
    ],
)
def test_the_client_looks_where_the_daemon_keeps_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], written: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {"HOME": str(tmp_path)} | environ
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/other.toml").write_text(DAEMON_TABLE.format("from-the-other"))
    if written is not None:
        (tmp_path / "budget.toml").write_text(DAEMON_TABLE.format(written))

    assert client.default_data_dir(environ) == load(None, environ=environ).data_dir


def test_a_broken_file_leaves_the_usual_data_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "budget.toml").write_text("[daemon")

    home = client.default_data_dir({"HOME": str(tmp_path)})
    assert home == tmp_path / ".local/share/tekton-budget"
