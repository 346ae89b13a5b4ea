"""The ports we listen on, taken before anything slow is done: a taken one is known at once."""

import errno
import os
import socket

from bot.errors import FrontdeskError


def bind(host: str, port: int, setting: str) -> list[socket.socket]:
    """Sockets bound to every address of `host`, not listening yet. Raises `FrontdeskError` naming `setting`."""
    bound: list[socket.socket] = []
    missing: OSError | None = None
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, *_, address in dict.fromkeys(found):
            try:
                bound.append(_bound(family, address))
            except OSError as error:
                # `localhost` names ::1 on machines without IPv6, too.
                if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                    raise
                missing = error
    except OSError as error:
        close(bound)
        raise refused(error, host, port, setting) from None
    if not bound and missing is not None:
        raise refused(missing, host, port, setting)
    return bound


def _bound(family: int, address: object) -> socket.socket:
    new = socket.socket(family, socket.SOCK_STREAM)
    try:
        new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            new.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        new.bind(address)  # type: ignore[arg-type]  # as getaddrinfo gave it
    except OSError:
        new.close()
        raise
    return new


def close(bound: list[socket.socket]) -> None:
    for one in bound:
        one.close()


def refused(error: OSError, host: str, port: int, setting: str) -> FrontdeskError:
    """The sentence for a port that cannot be had."""
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return FrontdeskError(f"{host!r} is no address of this machine; choose another with FRONTDESK_HOST=…")
    reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({os.strerror(error.errno or 0)})"
    return FrontdeskError(f"port {port} on {host} {reason}; stop what runs there, or choose another with {setting}=…")
