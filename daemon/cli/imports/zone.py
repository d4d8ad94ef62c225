"""Whose clock imported times are of."""

from zoneinfo import ZoneInfo

import click

from tekton_budget.zone import local_zone


def checked(told: str | None) -> str:
    """The zone that is named, else this machine's."""
    if told is None:
        return local_zone()
    try:
        return ZoneInfo(told).key
    except (KeyError, ValueError, OSError):
        raise click.UsageError(
            f"--zone {told!r} is not a zone of the IANA database; write for example Europe/Berlin"
        ) from None
