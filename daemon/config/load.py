"""Defaults, then the file, then the environment, then the command line; all mistakes at once."""

import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from daemon.config import file
from daemon.config.explain import explain
from daemon.config.problems import ConfigError, Problem, did_you_mean, secrets_in, twins_in
from daemon.config.settings import ELSEWHERE, LONG, SHORT, Sections, Settings, plain_settings
from protocols.money import show_usd
from tekton_budget.find import usual_data_dir

PLACES = (
    "daemon.socket", "daemon.tls_cert", "daemon.tls_key", "daemon.data_dir", "prices.book",
)  # fmt: skip
"""Settings that are paths: `~` is home, and a relative one starts where it was written."""

DEFAULT = "default"
PREFIX = "BUDGET_"


class Row(NamedTuple):
    """One line of `budget config show`."""

    key: str
    value: object
    origin: str


def load(
    path: Path | None,
    *,
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """Work out what holds. `overrides` are dotted keys of the command line; None is unset."""
    draft = _Draft(environ)
    draft.read_file(path)
    draft.read_environment()
    for key, value in (overrides or {}).items():
        if value is not None:
            draft.put(key, str(value) if isinstance(value, Path) else value, "command line")
    return draft.settings()


def show(settings: Settings) -> list[Row]:
    """Every effective value with its origin, in the order of the reference."""
    return [
        Row(key, _shown(key, value), settings.origins[key])
        for key, value in _leaves(_dump(settings))
        if value not in (None, {}) or key in plain_settings()
    ]


PATHS = {"path", "ca_file", "url_file"}
"""Keys of `[[tables]]` that name a file."""


class _Draft:
    """Settings in the making: the tables as written, who wrote what, and what is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.path: Path | None = None
        self.raw: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def put(self, key: str, value: object, origin: str) -> None:
        """Write one setting over whatever was there."""
        section, _, name = key.partition(".")
        table = self.raw.setdefault(section, {})
        if isinstance(table, dict):
            table[name] = self._placed(value, Path.cwd()) if key in PLACES else value
            self.origins[key] = origin

    def read_file(self, named: Path | None) -> None:
        self.path = file.find(named, self.environ)
        if self.path is None:
            self.notes.append(
                "no budget.toml was found: only policies set by command limit anything"
            )
            return
        try:
            self.raw = file.read(self.path)
        except ConfigError as error:
            self.problems += error.problems
        self.origins = {key: "file" for key, value in _leaves(self.raw) if value != {}}
        for section, name in (key.split(".") for key in PLACES):
            table = self.raw.get(section)
            if isinstance(table, dict) and name in table:
                table[name] = self._placed(table[name], self.path.absolute().parent)
        for kind in ("price_source", "channel"):
            tables = self.raw.get(kind)
            for table in tables if isinstance(tables, list) else ():
                for name in PATHS & table.keys() if isinstance(table, dict) else ():
                    table[name] = self._placed(table[name], self.path.absolute().parent)

    def read_environment(self) -> None:
        known = SHORT | LONG
        for name, key in known.items():
            if text := self.environ.get(name):
                self.put(key, _typed(key, text), f"environment {name}")
        for name in sorted(self.environ.keys() - known.keys() - ELSEWHERE):
            if name.startswith(PREFIX):
                self._stray_variable(name)

    def _stray_variable(self, name: str) -> None:
        near = did_you_mean(name, [*SHORT, *LONG], after=PREFIX)
        if "__" in name:
            remedy = near or "unset it; `budget config show` lists the settings"
            self.problems.append(Problem(f"environment {name}", "is not a setting", remedy))
        elif near:
            self.notes.append(f"the environment variable {name} is not read; {near}")

    def settings(self) -> Settings:
        self._default_data_dir()
        self.problems += secrets_in(_leaves(self.raw), self._where)
        self.problems += twins_in(self.raw, self._where)
        try:
            sections = Sections.model_validate(self.raw)
        except ValidationError as error:
            raise ConfigError(self.problems + explain(error, self._where)) from None
        if self.problems:
            raise ConfigError(self.problems)
        return Settings.model_construct(
            **dict(sections),
            path=self.path,
            origins={key: self._origin(key) for key, _ in _leaves(_dump(sections))},
            notes=tuple(self.notes),
        )

    def _default_data_dir(self) -> None:
        daemon = self.raw.get("daemon", {})
        if isinstance(daemon, dict) and daemon.get("data_dir", "") == "":
            self.put("daemon.data_dir", str(usual_data_dir(self.environ)), DEFAULT)

    def _placed(self, value: object, base: Path) -> object:
        if not isinstance(value, str) or not value:
            return value
        if value == "~" or value.startswith("~/"):
            return str(file.home(self.environ) / value[2:])
        return str(base / value)

    def _origin(self, key: str) -> str:
        """Who wrote this key, the value it is a part of, or a part of it."""
        if (origin := self._parts.get(key)) is not None:
            return origin
        return next((self.origins[w] for w in _wholes(key) if w in self.origins), DEFAULT)

    @cached_property
    def _parts(self) -> dict[str, str]:
        """Who first wrote a key or a part of it: a thousand policies are looked up one by one."""
        parts: dict[str, str] = {}
        for written, origin in self.origins.items():
            for key in (written, *_wholes(written)):
                parts.setdefault(key, origin)
        return parts

    def _where(self, key: str) -> str:
        origin = self._origin(key)
        return f"{self.path if origin in ('file', DEFAULT) else origin}: {key}"


def _dump(sections: Sections) -> dict[str, Any]:
    return sections.model_dump(by_alias=True, exclude={"path", "origins", "notes"})


def _shown(key: str, value: object) -> object:
    return show_usd(value) if key.endswith(".usd") and isinstance(value, int) else value


def _wholes(key: str) -> Iterator[str]:
    """`policy[0].limit` → `policy`, `policy[0]`."""
    return (key[:at] for at, sign in enumerate(key) if sign in ".[")


def _typed(key: str, text: str) -> object:
    """Read a variable as its setting wants it: a list by commas, a number or table as in TOML."""
    default = plain_settings()[key].default
    if isinstance(default, tuple):
        return [part.strip() for part in text.split(",") if part.strip()]
    if isinstance(default, int | float | dict):
        try:
            return tomllib.loads(f"value = {text}", parse_float=Decimal)["value"]
        except ValueError:
            return text
    return text


def _leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """`{"daemon": {"port": 1}}` → `("daemon.port", 1)`; lists of tables are counted from 0."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple) and any(isinstance(one, dict) for one in value):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{key}[{index}]")
    else:
        yield key, value
