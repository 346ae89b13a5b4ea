"""Where a request really comes from, behind reverse proxies that the settings trust.

Each proxy appends to `X-Forwarded-For` whom it heard. Read from the right: what a trusted proxy wrote is true, up to
and with the first address that is none of ours. Everything left of it was written by the caller, who may lie.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

from bot.web.context import CONTEXT

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]


def client_address(request: web.Request) -> str:
    """The address of whoever sent the request, for counting; empty where the transport knows none."""
    networks = tuple(ip_network(one) for one in request.app[CONTEXT].settings.trusted_proxies)
    return furthest_known(request.remote or "", request.headers.getall("X-Forwarded-For", []), networks)


def furthest_known(peer: str, forwarded: Iterable[str], trusted: Networks) -> str:
    """The last hop that is not one of our proxies, as far as they vouch for it."""
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    known = peer
    for hop in (*reversed(hops), None):
        address = _address(known)
        if hop is None or address is None or not any(address in network for network in trusted):
            return known
        if _address(hop) is None:
            return known  # not an address: better the proxy's own than what somebody made up
        known = str(_address(hop))
    return known


def _address(text: str) -> Address | None:
    """An address; of a mapped one (`::ffff:10.0.0.1`) the IPv4 inside."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
