"""Where the daemon may connect to when it calls out: nowhere inside, unless that is allowed.

Checked on the address that is connected to, after the name was resolved: a name that means
another address the second time gains nothing.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

_NAT64 = IPv6Network("64:ff9b::/96")


class Inside(OSError):
    """The address belongs to this machine or its own network."""


class Outward(AbstractResolver):
    """Resolves names, and refuses what lies inside. `allow_private` lets everything through."""

    def __init__(self, *, allow_private: bool) -> None:
        self.allow_private = allow_private
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises `Inside`."""
        found = await self._resolver.resolve(host, port, family)
        if not self.allow_private:
            for one in found:
                check(one["host"], host)
        return found

    async def close(self) -> None:
        await self._resolver.close()


def check(address: str, host: str) -> None:
    """Raises `Inside` for an address that is not of the public internet."""
    if not is_public(address):
        raise Inside(f"{host} is {address}, which is not a public address")


def is_public(address: str) -> bool:
    """Whether anybody on the internet would mean the same machine by it."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _wrapped(found)
    return all(one.is_global and not one.is_multicast for one in (found, inner))


def _wrapped(found: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one, however it is wrapped."""
    if isinstance(found, IPv4Address):
        return found
    if found.ipv4_mapped is not None:
        return found.ipv4_mapped
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
