"""The ports we listen on: had at once, or refused with a sentence."""

import socket

import pytest

from bot.errors import FrontdeskError
from bot.web import sockets
from tests.support.process import free_port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_free_port_is_ours_until_it_is_given_back(host: str) -> None:
    port = free_port()
    bound = sockets.bind(host, port, "FRONTDESK_PORT")
    assert {one.getsockname()[1] for one in bound} == {port}
    bound[0].listen()
    with pytest.raises(FrontdeskError, match=f"port {port} on {host} is taken; .* FRONTDESK_PORT="):
        sockets.bind(host, port, "FRONTDESK_PORT")
    sockets.close(bound)
    sockets.close(sockets.bind(host, port, "FRONTDESK_PORT"))


def test_a_port_that_is_half_taken_leaves_nothing_bound() -> None:
    """`localhost` may be two addresses: with one of them taken, the other is let go."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FrontdeskError, match="is taken"):
            sockets.bind("localhost", port, "FRONTDESK_STAFF_PORT")
    sockets.close(sockets.bind("localhost", port, "FRONTDESK_STAFF_PORT"))


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_an_address_of_another_machine(host: str) -> None:
    with pytest.raises(FrontdeskError, match=f"'{host}' is no address of this machine; .* FRONTDESK_HOST="):
        sockets.bind(host, free_port(), "FRONTDESK_PORT")
