"""Where the daemon may connect to when it calls out: nowhere inside, unless that is allowed.

Checked on the address that is connected to, after the name was resolved: a name that means
another address the second time gains nothing.
"""

import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")
"""All that was ever given out of IPv6; what lies elsewhere is inside, or nowhere."""
_OF_A_CLOUD = IPv4Address("168.63.129.16")
"""Azure's own, though it looks like anybody's."""
_NAME = re.compile(r"([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.|$)){1,127}(?<!\n)")
_NUMBER = re.compile(r"(^|\.)([0-9]+|0[xX][0-9A-Fa-f]*)\.?$")


class Refused(OSError):
    """Not to be connected to: it is of this machine or its network, or no plain address."""


class Outward(AbstractResolver):
    """Resolves names, and refuses what lies inside. `allow_private` lets everything through."""

    def __init__(self, *, allow_private: bool) -> None:
        self.allow_private = allow_private
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises `Refused`."""
        found = await self._resolver.resolve(host, port, family)
        if not self.allow_private:
            for one in found:
                check(one["host"], host)
        return found

    async def close(self) -> None:
        await self._resolver.close()


def checked(url: str, *, allow_http: bool, allow_private: bool) -> URL:
    """The address as the client reads it. Raises `Refused`.

    A name is looked at when it is resolved; an address never is, so it is looked at here, and
    what a system would take for one in decimal, octal or hexadecimal is not let through.
    """
    try:
        read = URL(url)
    except ValueError as error:
        raise Refused(f"it is no address of the web: {error}") from None
    if read.scheme != "https" and not (allow_http and read.scheme == "http"):
        raise Refused("it is not an https address, and allow_http is not set")
    if read.raw_user is not None or read.raw_password is not None:
        raise Refused("it has a user or a password in it; whoever logs it has them, too")
    host = read.raw_host or ""
    if literal(host):
        if not allow_private:
            check(host, host)
    elif not _NAME.fullmatch(host) or _NUMBER.search(host):
        raise Refused(f"{host!r} is neither a name nor an address in its usual form")
    if not read.port:
        raise Refused("nobody listens on port 0")
    return read


def check(address: str, host: str) -> None:
    """Raises `Refused` for an address that is not of the public internet."""
    if not is_public(address):
        raise Refused(f"{host} is {address}, which is not a public address")


def is_public(address: str) -> bool:
    """Whether anybody on the internet would mean the same machine by it."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found not in _UNICAST and found not in _NAT64:
        return False
    inner = _wrapped(found)
    return inner != _OF_A_CLOUD and all(
        one.is_global and not one.is_multicast for one in (found, inner)
    )


def _wrapped(found: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one, however it is wrapped."""
    if isinstance(found, IPv4Address):
        return found
    if found.sixtofour is not None:
        return found.sixtofour
    if found in _NAT64:
        return IPv4Address(int(found) & 0xFFFF_FFFF)
    return found


def literal(host: str) -> bool:
    """Whether a host is an address already: those are never resolved."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
