"""What both sides of the WeChat stand-in share: credentials, phones, the time."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from bot.web.simulator.phones import Direction, Entry, Phone, Via
from bot.web.simulator.wire import Change, Wire

Mode = Literal["plain", "compatible", "safe"]


def utc_now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


class Account:
    """One official account at the platform."""

    mode: Mode = "plain"
    encoding_aes_key = ""

    def __init__(
        self, app_id: str, app_secret: str, token: str, original_id: str, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.app_id = app_id
        self.app_secret = app_secret
        self.token = token
        self.original_id = original_id
        self.now = now
        self.phones: dict[str, Phone] = {}
        self.wire = Wire()

    def known(self, openid: str) -> Phone | None:
        """The phone of an openid of this account."""
        return self.phones.get(openid)

    def phone(self, openid: str) -> Phone:
        """The phone of `openid`; an unknown one becomes a follower."""
        return self.phones.setdefault(openid, Phone(openid))

    def show(self, phone: Phone, direction: Direction, text: str, *, via: Via = "", kind: str = "text") -> None:
        """Put a bubble on the screen."""
        number = self.wire.next_number()
        entry = Entry(number=number, direction=direction, text=text, at=self.now(), via=via, kind=kind)
        phone.screen.append(entry)
        self.wire.tell(Change(openid=phone.openid, entry=entry))

    def changed(self, phone: Phone) -> None:
        """The phone's state is new, its screen is not."""
        self.wire.tell(Change(openid=phone.openid))
