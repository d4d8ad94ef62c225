"""What people type: token counts, dollars, pairs and JSON."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import click

Json = dict[str, Any]


class Count(click.ParamType[int]):
    """A whole number as people write it: 1200, 2_000_000, 12k, 1.5M."""

    name = "count"
    _pattern = re.compile(r"(\d+)(?:\.(\d+))?([kM]?)")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = self._pattern.fullmatch(str(value).replace("_", "").replace(",", ""))
        zeros = {"k": 3, "M": 6, "": 0}[match[3]] if match else 0
        if match is None or len(match[2] or "") > zeros:
            self.fail(f"{value!r} is not a whole number such as 1200, 12k or 1.5M", param, ctx)
        return int(match[1] + (match[2] or "").ljust(zeros, "0"))


class Usd(click.ParamType[str]):
    """A decimal amount, with or without the dollar sign."""

    name = "usd"
    _pattern = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).removeprefix("$").replace("_", "")
        if not self._pattern.fullmatch(text):
            self.fail(f"{value!r} is not an amount of USD such as 0.25 or 20", param, ctx)
        return text


class Pair(click.ParamType[tuple[str, str]]):
    """A name and a value: team=web."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not name or not equals or not text:
            self.fail(f"{value!r} is not of the form name=value", param, ctx)
        return name, text


class JsonObject(click.ParamType[Json]):
    """A JSON object: in a file, on stdin (`-`), or typed as it is (`{…}`)."""

    name = "file|-|{json}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Json:
        if isinstance(value, dict):
            return value
        try:
            read = json.loads(_text(str(value)))
        except OSError as problem:
            self.fail(f"cannot read {value}: {problem.strerror}", param, ctx)
        except ValueError as problem:
            self.fail(f"{value} is not JSON: {problem}", param, ctx)
        if not isinstance(read, dict):
            self.fail(f"{value} is not a JSON object", param, ctx)
        return read


def _text(value: str) -> str:
    if value.lstrip().startswith("{"):
        return value
    return sys.stdin.read() if value == "-" else Path(value).read_text(encoding="utf-8")
