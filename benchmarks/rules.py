"""The rules of the benchmark, and variants of them: other numbers of policies that match."""

import re
from pathlib import Path

RULES = Path(__file__).with_name("rules.toml")
STRANGERS = 990
STRANGER = """
[[policy]]
name = "stranger-{0}"
match = {{ component = "elsewhere-{0}" }}
limit = {{ usd = "1.00" }}
period = "daily"
"""
ROOM = "\n[limits]\nconnections = {0}\nstreams = {0}\nstreams_each = {0}\n"
NAME = re.compile(r'^(name\s*= ")', re.MULTILINE)
POLICY = "[[policy]]"


def text() -> str:
    return RULES.read_text(encoding="utf-8")


def without_policies() -> str:
    return text().partition(POLICY)[0]


def with_a_hundred() -> str:
    """Ten times the ten that match."""
    first, mark, ten = text().partition(POLICY)
    more = (mark + NAME.sub(rf"\g<1>{number}-", ten) for number in range(10))
    return first + "\n".join(more)


def with_strangers() -> str:
    """The ten that match, and 990 that match nothing of this."""
    return text() + "".join(STRANGER.format(number) for number in range(STRANGERS))


def with_room(connections: int) -> str:
    """For more connections than an ordinary house has."""
    return text() + ROOM.format(connections)


def written(home: Path, rules: str) -> Path:
    """Into a file of their own in `home`."""
    path = home / "rules.toml"
    path.write_text(rules, encoding="utf-8")
    return path
