"""A webhook: the CloudEvent itself, signed as Standard Webhooks says.

    webhook-id: evt_0000000000000042      stays the same when it is sent again
    webhook-timestamp: 1767225600
    webhook-signature: v1,<base64 of HMAC-SHA256 over "id.timestamp.body">

The receiver's answer counts by its status alone; nothing of it is read, shown or followed.
"""

import base64
import hashlib
import hmac
import re
import secrets
import ssl
from pathlib import Path

import aiohttp
import anyio
from yarl import URL

from actors.ports import NotDelivered
from daemon.address import Outward, Refused, checked
from daemon.clock import SystemClock
from daemon.config.channel import ChannelTable
from daemon.secret_file import read_or_make
from protocols.events import StoredEvent, event_id
from protocols.feed import frame

PREFIX = "whsec_"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,86}={0,2}")
ONE, MANY = "application/cloudevents+json", "application/cloudevents-batch+json"


def secret(path: Path) -> bytes:
    """The key both sides know, made at first start; the receiver is given the file's text."""
    text = read_or_make(path, _new, SECRET, "webhook secret")
    return base64.b64decode(text.removeprefix(PREFIX))


def _new() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(key: bytes, name: str, at_s: int, body: bytes) -> str:
    signed = f"{name}.{at_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class Webhook:
    """Connects outwards only, unless the table allows more; follows no redirect."""

    def __init__(self, table: ChannelTable, key: bytes) -> None:
        assert table.url is not None, "the table was checked"
        self._table = table
        self._url = table.url
        self._key = key
        self._clock = SystemClock()

    async def deliver(self, events: list[StoredEvent]) -> None:
        bodies = [frame(event).json for event in events]
        name = event_id(events[0].seq)
        if len(events) == 1:
            body, kind = bodies[0], ONE
        else:
            body, kind = b"[" + b",".join(bodies) + b"]", MANY
            name += f"-{events[-1].seq}"
        at_s = self._clock.now_ms() // 1000
        headers = {
            "Content-Type": kind, "User-Agent": "tekton-budget", "webhook-id": name,
            "webhook-timestamp": str(at_s), "webhook-signature": sign(self._key, name, at_s, body),
        }  # fmt: skip
        table = self._table
        try:
            url = checked(self._url, allow_http=table.allow_http, allow_private=table.allow_private)
            with anyio.fail_after(table.timeout_s):
                await self._post(url, body, headers)
        except TimeoutError:
            raise NotDelivered(f"no answer within {table.timeout_s:g} s") from None
        except aiohttp.ClientConnectorError as error:
            raise NotDelivered(f"cannot connect: {error.os_error}") from None
        except Refused as error:
            raise NotDelivered(str(error)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise NotDelivered(f"{type(error).__name__}: {error}") from None

    async def _post(self, url: URL, body: bytes, headers: dict[str, str]) -> None:
        table = self._table
        ca_file = None if table.ca_file is None else str(table.ca_file)
        connector = aiohttp.TCPConnector(
            resolver=Outward(allow_private=table.allow_private), use_dns_cache=False,
            ssl=ssl.create_default_context(cafile=ca_file),
        )  # fmt: skip
        async with (
            aiohttp.ClientSession(connector=connector, trust_env=False) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            if not 200 <= answer.status < 300:  # noqa: PLR2004  # done
                raise NotDelivered(f"it answers {answer.status}")
