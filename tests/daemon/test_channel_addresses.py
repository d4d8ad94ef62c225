"""Where channels may lead: a table of addresses, and what becomes of each."""

import socket
from pathlib import Path
from typing import Any

import anyio
import pytest

from actors.ports import NotDelivered
from daemon.address import Outward, checked
from daemon.channels.apprise import Apprise
from daemon.channels.webhook import Webhook
from daemon.config.channel import ChannelTable
from protocols.events import StoredEvent
from tests.harness.hook import hook

pytestmark = pytest.mark.anyio

EVENT = StoredEvent(1, 1, 0, "channel.test", "info", "", "ops", None, False, '{"detail": "hello"}')  # noqa: FBT003
PUBLIC = "93.184.216.34"
NAMES = {
    "ops.example": [PUBLIC],
    "both.example": ["2606:2800:220:1::1", PUBLIC],
    "xn--bcher-kva.example": [PUBLIC],
    "inside.example": ["10.1.2.3"],
    "here.example": ["127.0.0.1"],
    "here6.example": ["::1"],
    "mixed.example": [PUBLIC, "192.168.0.7"],
    "mapped.example": ["::ffff:169.254.169.254"],
    "metadata.google.internal": ["169.254.169.254"],
    "localhost": ["127.0.0.1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
}
INSIDE, ODD = "not a public address", "neither a name nor an address"
REFUSED = [
    ("https://127.0.0.1/hook", INSIDE),
    ("https://127.255.0.9/", INSIDE),
    ("https://0.0.0.0/", INSIDE),
    ("https://10.0.0.1/", INSIDE),
    ("https://172.31.255.255/", INSIDE),
    ("https://192.168.1.1:8443/", INSIDE),
    ("https://100.64.0.1/", INSIDE),
    ("https://169.254.1.1/", INSIDE),
    ("https://169.254.169.254/latest/meta-data/", INSIDE),
    ("https://100.100.100.200/latest/", INSIDE),
    ("https://168.63.129.16/", INSIDE),
    ("https://224.0.0.1/", INSIDE),
    ("https://255.255.255.255/", INSIDE),
    ("https://[::1]/", INSIDE),
    ("https://[::]/", INSIDE),
    ("https://[fe80::1]/", INSIDE),
    ("https://[fe80::1%25eth0]/", INSIDE),
    ("https://[fd00:ec2::254]/", INSIDE),
    ("https://[::ffff:127.0.0.1]/", INSIDE),
    ("https://[::ffff:a9fe:a9fe]/", INSIDE),
    ("https://[::127.0.0.1]/", INSIDE),
    ("https://[64:ff9b::7f00:1]/", INSIDE),
    ("https://[2002:7f00:1::]/", INSIDE),
    ("https://①②⑦.⓪.⓪.①/", INSIDE),
    ("https://127。0。0。1/", INSIDE),
    ("https://2130706433/", ODD),
    ("https://0/", ODD),
    ("https://127.1/", ODD),
    ("https://127.0.0.1./", ODD),
    ("https://0177.0.0.1/", ODD),
    ("https://017700000001/", ODD),
    ("https://0x7f000001/", ODD),
    ("https://0x7f.0.0.1/", ODD),
    ("https://127.0.0.0x1/", ODD),
    ("https://%31%32%37.0.0.1/", ODD),
    ("https://127.0.0.1%00.ops.example/", ODD),
    ("https://ops.example@127.0.0.1/", "a user or a password"),
    ("https://me:secret@ops.example/", "a user or a password"),
    ("https://:@ops.example/", "a user or a password"),
    ("https://ops.example\\@127.0.0.1/", "no address of the web"),
    ("https://[127.0.0.1/", "no address of the web"),
    ("https://ops.example:99999/", "no address of the web"),
    ("https://ops.example:0/", "port 0"),
    ("https:///hook", ODD),
    ("http://ops.example/", "not an https address"),
    ("ftp://ops.example/", "not an https address"),
    ("file:///etc/passwd", "not an https address"),
    ("gopher://ops.example/", "not an https address"),
    ("ops.example/hook", "not an https address"),
    ("https://inside.example/", INSIDE),
    ("https://here.example/", INSIDE),
    ("https://here6.example/", INSIDE),
    ("https://mixed.example/", INSIDE),
    ("https://mapped.example/", INSIDE),
    ("https://metadata.google.internal/", INSIDE),
    ("https://localhost:8013/", INSIDE),
    ("https://127.0.0.1.nip.example/", INSIDE),
]
PASS = [
    "https://ops.example/hook?to=a@b",
    "https://OPS.example:8443/",
    "https://both.example/",
    "https://bücher.example/",
    f"https://{PUBLIC}/",
    "https://[2606:2800:220:1::1]/",
    "https://[64:ff9b::808:808]/",
]


@pytest.fixture(autouse=True)
def no_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names as in the table, and no other: nobody outside is asked."""
    real = socket.getaddrinfo

    def known(host: Any, *told: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        addresses = NAMES.get(name.lower(), [name])
        return [one for address in addresses for one in real(address, *told, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", known)


def webhook(url: str, **allowed: bool) -> Webhook:
    table = ChannelTable(name="ops", kind="webhook", url="https://ops.example", timeout_s=5)
    return Webhook(table.model_copy(update={"url": url, **allowed}), b"key")


@pytest.mark.parametrize(("url", "why"), REFUSED)
async def test_what_leads_inside_or_is_no_plain_address_is_refused(url: str, why: str) -> None:
    with pytest.raises(NotDelivered, match=why):
        await webhook(url).deliver([EVENT])


@pytest.mark.parametrize("url", PASS)
async def test_an_address_of_the_internet_passes(url: str) -> None:
    place = checked(url, allow_http=False, allow_private=False)
    assert place.raw_host is not None
    found = await Outward(allow_private=False).resolve(place.raw_host, place.port or 0)
    assert {one["host"] for one in found} <= {PUBLIC, "2606:2800:220:1::1", "64:ff9b::808:808"}


async def test_a_redirect_is_an_answer_like_any_other_wrong_one() -> None:
    async with hook() as receiver:
        receiver.status = 302
        with pytest.raises(NotDelivered, match="it answers 302"):
            await webhook(receiver.url, allow_http=True, allow_private=True).deliver([EVENT])
    assert len(receiver.received) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # apprise's own
@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1:{port}/hook",
        "json://localhost:{port}/hook",
        "json://inside.example/hook",
        "json://2130706433:{port}/hook",
        "json://me:secret@mixed.example/hook",
        "gotify://[::1]/token",
        "mailtos://me:secret@ops.example?smtp=inside.example",
    ],
)
async def test_apprise_is_not_sent_inside_either(tmp_path: Path, address: str) -> None:
    file = tmp_path / "alerts.urls"
    async with hook() as receiver:
        port = receiver.url.rpartition(":")[2].partition("/")[0]
        file.write_text(address.format(port=port))
        file.chmod(0o600)
        table = ChannelTable(name="hall", kind="apprise", url_file=file, timeout_s=5)
        with anyio.fail_after(30), pytest.raises(NotDelivered, match=INSIDE):
            await Apprise(table).deliver([EVENT])
        assert receiver.received == []
