"""Which calls a match fits: its globs made ready, the parts of a call compared one by one."""

import re
from collections.abc import Callable
from fnmatch import translate
from functools import lru_cache

from protocols.policy.charge import Kind, Subject
from protocols.policy.policy import Match

FIELDS = ("component", "provider", "model", "tier", "task_type")
OF_MODEL = FIELDS[1:4]
"""The parts of a `Kind`."""


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
        self._of_model = [(OF_MODEL.index(name), fits) for name, fits in self._globs
                          if name in OF_MODEL]  # fmt: skip
        self._tags = {name: glob(pattern) for name, pattern in match.tags.items()}

    def __call__(self, subject: Subject) -> bool:
        return all(fits(getattr(subject, name)) for name, fits in self._globs) and (
            not self._tags or self._tags_fit(dict(subject.tags))
        )

    def fits_model(self, kind: Kind) -> bool:
        """The part of the match that is about the model."""
        return all(fits(kind[place]) for place, fits in self._of_model)

    def fits_caller(self, subject: Subject) -> bool:
        """All the rest of it."""
        return all(
            fits(getattr(subject, name)) for name, fits in self._globs if name not in OF_MODEL
        ) and (not self._tags or self._tags_fit(dict(subject.tags)))

    def _tags_fit(self, tags: dict[str, str]) -> bool:
        return all(name in tags and fits(tags[name]) for name, fits in self._tags.items())

    def why_not(self, subject: Subject) -> str:
        """The first part of the call that does not fit."""
        for name, fits in self._globs:
            found = getattr(subject, name)
            if not fits(found):
                return f"{name} {found!r} does not fit {getattr(self.match, name)!r}"
        return "its tags do not fit"
