"""Fetching a price file: over TLS that holds, from nowhere inside, and with the file kept."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from actors.ports import SourceFailed
from daemon.address import is_public
from daemon.prices.feed import Feed, FileFeed, Part
from daemon.prices.fetch import Fetching, fetch
from daemon.prices.sources import own
from protocols.prices.offer import Reading
from tests.harness.certificate import certificate
from tests.harness.clock import FakeClock
from tests.harness.mirror import mirror, page, status

pytestmark = pytest.mark.anyio

DAY = date(2026, 11, 24)
LOCAL = Fetching(timeout_s=5, allow_private=True)
PLAIN = replace(LOCAL, allow_http=True)


async def refusal(url: str, how: Fetching) -> str:
    with pytest.raises(SourceFailed) as failed:
        await fetch(url, how)
    return failed.value.reason


async def test_a_certificate_that_is_trusted_is_enough(tmp_path: Path) -> None:
    pem = certificate(tmp_path / "good.pem")
    with mirror(pem) as server:
        server.serve("/x", b"{}")
        found = await fetch(server.url("/x"), replace(LOCAL, ca_file=pem))
    assert found.body == b"{}"


@pytest.mark.parametrize("fault", ["nobody signed it", "it has ended", "another host's"])
async def test_tls_that_does_not_hold_is_refused(tmp_path: Path, fault: str) -> None:
    days = -1 if fault == "it has ended" else 1
    host = "example.org" if fault == "another host's" else "127.0.0.1"
    pem = certificate(tmp_path / "bad.pem", host=host, days=days)
    trusted = None if fault == "nobody signed it" else pem
    with mirror(pem) as server:
        server.serve("/x", b"{}")
        assert await refusal(server.url("/x"), replace(LOCAL, ca_file=trusted)) == "tls"


async def test_plain_http_is_refused_unless_it_is_allowed() -> None:
    with mirror() as server:
        server.serve("/x", b"{}")
        assert await refusal(server.url("/x"), LOCAL) == "address"
        assert (await fetch(server.url("/x"), PLAIN)).body == b"{}"
        assert server.asked == ["/x"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0"])
async def test_nothing_inside_is_connected_to(host: str) -> None:
    """A name is judged by what it resolves to at the moment of connecting."""
    with mirror() as server:
        server.serve("/x", b"{}")
        how = Fetching(allow_http=True, timeout_s=5)
        assert await refusal(server.url("/x", host), how) == "address"
        assert server.asked == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),  # where clouds keep their secrets
        ("168.63.129.16", False),  # Azure's own
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:a00:1::", False),
        ("::7f00:1", False),
        ("::ffff:0:a00:1", False),
        ("fec0::1", False),
        ("not an address", False),
    ],
)
async def test_what_counts_as_public(address: str, public: bool) -> None:  # noqa: FBT001
    assert is_public(address) is public


async def test_nobody_there_is_a_failed_connection() -> None:
    assert await refusal("http://127.0.0.1:1/x", PLAIN) == "connection"


def lines(text: bytes, today: date) -> Reading:
    """A reader for a feed of our own: it refuses what does not begin with a brace."""
    del today
    if not text.startswith(b"{"):
        raise SourceFailed("no brace")
    return Reading([])


def feed(place: Path, url: Callable[[str], str], clock: FakeClock, *paths: str) -> Feed:
    parts = [Part(path.strip("/"), url(path), lines) for path in paths]
    return Feed("ours", "ours", parts, how=PLAIN, place=place, clock=clock)


async def test_a_file_is_kept_and_asked_for_only_if_it_changed(tmp_path: Path) -> None:
    clock = FakeClock(1_000)
    with mirror() as server:
        server.serve("/x", b"{1}")
        ours = feed(tmp_path, server.url, clock, "/x")
        assert ours.kept(DAY) is None
        first = await ours.fetch(DAY)
        clock.pass_by(500)
        second = await ours.fetch(DAY)
        server.serve("/x", b"{2}")
        third = await ours.fetch(DAY)
    assert [one.changed for one in (first, second, third)] == [True, False, True]
    assert (first.sha256, first.at_ms) == (second.sha256, 1_000)
    assert second.at_ms == 1_500
    assert third.sha256 != first.sha256
    kept = ours.kept(DAY)
    assert kept is not None
    assert kept.sha256 == third.sha256
    assert (tmp_path / "x.json").stat().st_mode & 0o777 == 0o600


async def test_a_file_that_cannot_be_read_does_not_replace_the_kept_one(tmp_path: Path) -> None:
    with mirror() as server:
        server.serve("/x", b"{1}")
        ours = feed(tmp_path, server.url, FakeClock(1), "/x")
        good = await ours.fetch(DAY)
        for bad in (page(b"<html>"), status(500)):
            server.doing["/x"] = bad
            with pytest.raises(SourceFailed):
                await ours.fetch(DAY)
    kept = ours.kept(DAY)
    assert kept is not None
    assert kept.sha256 == good.sha256


async def test_a_kept_file_that_was_touched_is_not_used(tmp_path: Path) -> None:
    with mirror() as server:
        server.serve("/x", b"{1}")
        ours = feed(tmp_path, server.url, FakeClock(1), "/x")
        await ours.fetch(DAY)
        (tmp_path / "x.json").write_bytes(b"{9}")
        assert ours.kept(DAY) is None
        assert (await ours.fetch(DAY)).changed, "it is fetched anew, without an etag"


async def test_of_several_parts_all_come_or_none(tmp_path: Path) -> None:
    with mirror() as server:
        server.serve("/a", b"{1}")
        server.doing["/b"] = status(404)
        ours = feed(tmp_path, server.url, FakeClock(1), "/a", "/b")
        with pytest.raises(SourceFailed) as failed:
            await ours.fetch(DAY)
        assert failed.value.reason == "status"
        assert ours.kept(DAY) is None
        server.serve("/b", b"{2}")
        assert (await ours.fetch(DAY)).size_bytes == 6


OWN = b"""
[[price]]
provider = "acme"
model = "large"
input = "3.00"
output = "15.00"
cache_read = "0.30"
web_search = "0.01"
batch = { input = "1.50", output = "7.50" }
long_context = { over = 200_000, input = "6.00", output = "22.50" }

[[price]]
provider = "acme"
model = "next"
input = "4.00"
starts = 2030-01-01
"""


async def test_a_price_list_of_one_s_own(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_bytes(OWN)
    ours = FileFeed("ours", "ours", path, own.read, FakeClock(1))
    large, coming = (await ours.fetch(DAY)).reading.offers
    assert str(large.rates["cache_read"]) == "0.30"
    assert str(large.unit_rates["web_search"]) == "0.01"
    assert str(large.modes["batch"].rates["output"]) == "7.50"
    assert large.long_context is not None
    assert (large.long_context.threshold, large.long_context.inclusive) == (200_000, False)
    assert coming.starts == date(2030, 1, 1)
    path.unlink()
    with pytest.raises(SourceFailed, match="cannot be read"):
        await ours.fetch(DAY)
    assert ours.kept(DAY) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'[[price]]\nprovider = "a"', "price 1: model is missing"),
        (b'[[price]]\nprovider="a"\nmodel="m"', "it has no rate"),
        (b'[[price]]\nprovider="a"\nmodel="m"\ninput = 3.0', "USD in quotes"),
        (b'[[price]]\nprovider="a"\nmodel="m"\ninput = "-3"', "no amount of USD"),
        (b'[[price]]\nprovider="a"\nmodel="m"\ninput = "x"', "is not a number"),
        (b'[[price]]\nprovider="a"\nmodel="m"\ninputs = "3"', "there is no field inputs"),
        (b'[[price]]\nprovider="a"\nmodel="m"\ninput="3"\nlong_context={}', "needs over"),
        (b"[prices]", "[[price]] tables"),
        (b"what?", "not a TOML file"),
    ],
)
async def test_a_mistake_in_one_s_own_list_is_named(text: bytes, told: str) -> None:
    with pytest.raises(SourceFailed) as failed:
        own.read(text, DAY)
    assert told in str(failed.value)
