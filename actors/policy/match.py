"""Which calls a match fits: its globs made ready, the parts of a call compared one by one."""

import re
from collections.abc import Callable
from fnmatch import translate
from functools import lru_cache

from protocols.policy.charge import Subject
from protocols.policy.policy import Match

FIELDS = ("component", "provider", "model", "tier", "task_type")


@lru_cache(maxsize=4096)
def glob(pattern: str) -> Callable[[str], object]:
    return re.compile(translate(pattern)).match


class Matcher:
    """Every named part must fit its glob, every named tag be there and fit."""

    def __init__(self, match: Match) -> None:
        self.match = match
        self._globs = [
            (name, glob(pattern))
            for name in FIELDS
            if (pattern := getattr(match, name)) is not None
        ]
        self._tags = {name: glob(pattern) for name, pattern in match.tags.items()}

    def __call__(self, subject: Subject) -> bool:
        return all(fits(getattr(subject, name)) for name, fits in self._globs) and (
            not self._tags or self._tags_fit(dict(subject.tags))
        )

    def _tags_fit(self, tags: dict[str, str]) -> bool:
        return all(name in tags and fits(tags[name]) for name, fits in self._tags.items())

    def why_not(self, subject: Subject) -> str:
        """The first part of the call that does not fit."""
        for name, fits in self._globs:
            found = getattr(subject, name)
            if not fits(found):
                return f"{name} {found!r} does not fit {getattr(self.match, name)!r}"
        return "its tags do not fit"
