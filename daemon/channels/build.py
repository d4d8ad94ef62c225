"""From the tables of `budget.toml` to channels that deliver."""

from pathlib import Path

from actors.alerts.channel import Channel, Quiet
from actors.ports import Notifier
from daemon.channels.apprise import Apprise
from daemon.channels.log import Log
from daemon.channels.webhook import Webhook, secret
from daemon.config import Settings
from daemon.config.channel import HOURS, ChannelTable, channels
from daemon.secret_file import private_directory

Ways = dict[Channel, Notifier]


def ways(settings: Settings) -> Ways:
    """Raises ConfigError for what a person must mend."""
    place = settings.data_dir / "channels"
    private_directory(place)
    return {_channel(table): _notifier(table, place) for table in channels(settings.channels)}


def _channel(table: ChannelTable) -> Channel:
    return Channel(
        table.name, table.kind, table.severity, table.everything, _quiet(table), table.group_s,
        table.give_up_hours * 3600,
    )  # fmt: skip


def _quiet(table: ChannelTable) -> Quiet | None:
    found = None if table.quiet is None else HOURS.fullmatch(table.quiet)
    if found is None:
        return None
    hour, minute, to_hour, to_minute = map(int, found.groups())
    return Quiet(hour * 60 + minute, to_hour * 60 + to_minute, table.zone)


def _notifier(table: ChannelTable, place: Path) -> Notifier:
    match table.kind:
        case "log":
            return Log()
        case "webhook":
            return Webhook(table, secret(place / table.name))
        case "apprise":
            return Apprise(table)
