"""The zone of this machine's clock, by its name: whose midnight is meant unless one is named."""

import os
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

LOCALTIME = Path("/etc/localtime")


def local_zone(environ: Mapping[str, str] = os.environ) -> str:
    """From TZ, or from where /etc/localtime leads; UTC if neither says a name."""
    name = environ.get("TZ", "").removeprefix(":")
    if not name and LOCALTIME.is_symlink():
        name = str(LOCALTIME.resolve()).partition("/zoneinfo/")[2]
    try:
        return ZoneInfo(name.removeprefix("Etc/")).key if name else "UTC"
    except (KeyError, ValueError, OSError):
        return "UTC"
