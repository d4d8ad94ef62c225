"""Tokens: made once, kept private, told apart without a hint to whoever guesses."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.tokens.known import KnownTokens, new_token
from daemon.config import ConfigError
from daemon.config.settings import Token
from daemon.tokens import NotPrivate, known_tokens
from protocols.errors import Unauthenticated

APOLLO = Token(name="apollo", role="report", components=("apollo",))
DASHBOARD = Token(name="dashboard", role="read")


@pytest.fixture(autouse=True)
def careless_umask() -> Iterator[None]:
    """Inherit the worst: everything open."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def known(data_dir: Path, *tokens: Token) -> KnownTokens:
    return known_tokens(data_dir, tokens, lambda: 1)


def token_in(path: Path) -> str:
    return path.read_text().strip()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_makes_private_files_whatever_the_umask(data_dir: Path) -> None:
    known(data_dir, APOLLO, DASHBOARD)

    assert {str(path.relative_to(data_dir)): mode(path) for path in data_dir.rglob("*")} == {
        "token": 0o600,
        "tokens": 0o700,
        "tokens/apollo": 0o600,
        "tokens/dashboard": 0o600,
    }
    assert mode(data_dir) == 0o700


def test_the_next_start_keeps_the_tokens(data_dir: Path) -> None:
    known(data_dir, APOLLO)
    before = token_in(data_dir / "token")

    tokens = known(data_dir, APOLLO)

    assert token_in(data_dir / "token") == before
    assert tokens.caller(f"Bearer {before}").name == "admin"


def test_a_token_names_its_caller_role_and_components(data_dir: Path) -> None:
    tokens = known(data_dir, APOLLO, DASHBOARD)

    admin = tokens.caller(f"Bearer {token_in(data_dir / 'token')}")
    apollo = tokens.caller(f"bearer {token_in(data_dir / 'tokens/apollo')} ")
    dashboard = tokens.caller(f"Bearer {token_in(data_dir / 'tokens/dashboard')}")

    assert (admin.name, admin.role, admin.components) == ("admin", "admin", None)
    assert (apollo.name, apollo.role, apollo.components) == (
        "apollo",
        "report",
        frozenset({"apollo"}),
    )
    assert (dashboard.role, dashboard.components) == ("read", None)


def test_a_caller_whose_table_is_gone_is_out(data_dir: Path) -> None:
    known(data_dir, APOLLO)
    header = f"Bearer {token_in(data_dir / 'tokens/apollo')}"

    with pytest.raises(Unauthenticated):
        known(data_dir).caller(header)


def test_a_token_has_a_public_id_and_256_secret_bits() -> None:
    made = {new_token() for _ in range(100)}

    assert len(made) == 100
    assert all(len(token) == 4 + 8 + 1 + 43 for token in made)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer sk-proj-0123456789",
        "Bearer \udcff\ud800é",
        "Bearer ' OR 1=1 --",
        "Bearer " + "x" * 100_000,
        f"Bearer {new_token()}",
    ],
    ids=lambda header: str(header)[:10].encode("ascii", "replace").decode(),
)
def test_any_other_header_is_refused_with_the_way_to_a_token(
    header: str | None, data_dir: Path
) -> None:
    tokens = known(data_dir)

    with pytest.raises(Unauthenticated) as caught:
        tokens.caller(header)

    assert str(data_dir / "token") in str(caught.value.hint)
    if header and len(header) > len("Bearer "):
        assert header not in str(caught.value.problem())


def test_a_right_id_with_a_wrong_secret_is_refused(data_dir: Path) -> None:
    tokens = known(data_dir)
    token = token_in(data_dir / "token")

    for wrong in (token[:-1], token + "A", token[:12] + new_token()[12:], token[:12]):
        with pytest.raises(Unauthenticated):
            tokens.caller(f"Bearer {wrong}")


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_a_token_file_open_to_others_stops_the_start(bits: int, data_dir: Path) -> None:
    known(data_dir, APOLLO)
    path = data_dir / "tokens/apollo"
    path.chmod(bits)

    with pytest.raises(NotPrivate) as caught:
        known(data_dir, APOLLO)

    assert caught.value.exit_code == 77
    assert caught.value.problems[0] == (str(path), "is open to other users", f"chmod 600 {path}")


def test_a_data_directory_others_can_write_to_stops_the_start(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o777)

    with pytest.raises(NotPrivate, match="can be written by others; chmod 700"):
        known(data_dir)


def test_a_data_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(NotPrivate, match="cannot be made: Not a directory"):
        known(tmp_path / "file" / "data")


@pytest.mark.parametrize("there", ["a directory", "a link to nothing"])
def test_a_token_file_that_cannot_be_read_is_told(there: str, data_dir: Path) -> None:
    data_dir.mkdir(mode=0o700)
    token = data_dir / "token"
    token.mkdir() if there == "a directory" else token.symlink_to("nowhere")

    with pytest.raises(NotPrivate, match="cannot be read") as caught:
        known(data_dir)

    assert caught.value.problems[0].where == str(token)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_belongs_to_another_user_stops_the_start(data_dir: Path) -> None:
    known(data_dir)
    os.chown(data_dir / "token", 0, 0)
    os.chown(data_dir, 12345, 12345)

    with pytest.raises(NotPrivate, match="belongs to another user"):
        known(data_dir)


@pytest.mark.parametrize("content", ["", "hunter2", "tkb_short", "\xff"])
def test_a_file_without_a_token_stops_the_start(content: str, data_dir: Path) -> None:
    known(data_dir)
    (data_dir / "token").write_text(content)

    with pytest.raises(ConfigError, match="holds no token; delete it") as caught:
        known(data_dir)

    assert caught.value.exit_code == 78


def test_a_copied_token_file_stops_the_start(data_dir: Path) -> None:
    known(data_dir, APOLLO)
    (data_dir / "tokens/apollo").write_text((data_dir / "token").read_text())

    with pytest.raises(ConfigError, match="is a copy of another token file"):
        known(data_dir, APOLLO)
