"""`[[channel]]`: where alerts go beside the streams."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from daemon.config.section import Place, Seconds, Section
from protocols.channels import ChannelKind, ChannelName
from protocols.events import Severity
from protocols.period import Zone

HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


class ChannelTable(Section):
    """Where alerts go. The channel `log` is always there; a table of that name changes it."""

    name: ChannelName = Field(
        description="what it is called; a webhook's secret is in <data_dir>/channels/<name>"
    )
    kind: ChannelKind = Field(
        default="log", description="log, webhook, or apprise (needs the extra alerts)"
    )
    enabled: bool = Field(default=True, description="whether anything is sent")
    severity: Severity = Field(
        default="info", description="the least severe that is sent: info, warning or critical"
    )
    everything: bool = Field(
        default=False, description="every event, not only what raises, answers or ends an alert"
    )
    quiet: Annotated[str, Field(pattern=f"^{HOURS.pattern}$")] | None = Field(
        default=None, description="hours such as 22:00-07:00 in which only critical ones are sent"
    )
    zone: Zone = Field(default="UTC", description="whose clock the quiet hours mean")
    group_s: int = Field(
        default=0, ge=0, le=3600, description="wait for more of a burst, and send all as one"
    )
    give_up_hours: int = Field(
        default=24, ge=1, le=720, description="how long a failed delivery is tried again"
    )
    url: Annotated[str, Field(pattern=r"^https?://[^\s]{1,500}$")] | None = Field(
        default=None, description="of a webhook"
    )
    url_file: Place = Field(
        default=None,
        description="a file with addresses, one a line, readable by its owner only: for apprise, "
        "whose addresses hold passwords",
    )
    allow_http: bool = Field(default=False, description="send without TLS: a machine of yours")
    allow_private: bool = Field(default=False, description="connect to private addresses too")
    ca_file: Place = Field(default=None, description="certificates to trust instead of the usual")
    timeout_s: Seconds = Field(default=10.0, description="how long a delivery may take")

    @model_validator(mode="after")
    def _knows_where(self) -> "ChannelTable":
        wants = {"log": None, "webhook": "url", "apprise": "url_file"}[self.kind]
        if wants is not None and getattr(self, wants) is None:
            example = '"https://ops.example/hook"' if wants == "url" else '"alerts.urls"'
            raise PydanticCustomError(
                "no_place", f"is of kind {self.kind} and has no {wants}",
                {"remedy": f"write {wants} = {example}"},
            )  # fmt: skip
        if self.url is not None and "@" in urlsplit(self.url).netloc:
            raise PydanticCustomError(
                "login", "has a user or a password in its url, which end up in logs",
                {"remedy": "leave them out: the receiver knows us by the signature"},
            )  # fmt: skip
        return self


def channels(tables: tuple[ChannelTable, ...]) -> list[ChannelTable]:
    """The log, unless the file says otherwise, then the file's own."""
    by_name = {"log": ChannelTable(name="log")} | {table.name: table for table in tables}
    return [table for table in by_name.values() if table.enabled]
