"""Behind reverse proxies: whose address counts, and whose word is taken for it."""

from ipaddress import ip_network

import msgspec
import pytest

from bot.web.proxies import furthest_known
from tests.web.console_kit import Kit, token_in

TRUSTED = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # not our proxy: it may write what it likes
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),  # the left one was sent by the caller
        ("127.0.0.1", ["1.1.1.1", "198.51.100.1, 10.0.0.7"], "198.51.100.1"),
        ("127.0.0.1", ["10.0.0.8, 10.0.0.7"], "10.0.0.8"),
        ("127.0.0.1", ["198.51.100.1, unknown"], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("::ffff:127.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("fd00::1", ["2001:0DB8:0:0::1"], "2001:db8::1"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_the_last_hop_that_is_not_ours(peer: str, forwarded: list[str], expected: str) -> None:
    assert furthest_known(peer, forwarded, TRUSTED) == expected


async def guess(kit: Kit, address: str, login: str) -> int:
    """A wrong sign-in that the proxy says comes from `address`."""
    browser = kit.stranger()
    token = token_in(await browser.text("/sign-in"), 'name="csrf" value="([^"]+)"')
    fields = {"csrf": token, "login": login, "password": "wrong"}
    return (await browser.post("/sign-in", fields, **{"X-Forwarded-For": address})).status


@pytest.mark.parametrize(("trusted", "others"), [((), 429), (("127.0.0.1", "::1"), 401)])
async def test_one_who_guesses_does_not_lock_out_who_shares_the_proxy(
    kit: Kit, trusted: tuple[str, ...], others: int
) -> None:
    kit.context.settings = msgspec.structs.replace(kit.context.settings, trusted_proxies=trusted)
    assert [await guess(kit, "198.51.100.1", "agent") for _ in range(5)] == [401] * 5
    assert await guess(kit, "198.51.100.1", "agent") == 429
    assert await guess(kit, "198.51.100.2", "agent") == others
