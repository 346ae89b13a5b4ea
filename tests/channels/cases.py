"""The runner of the channel tests: two tables per channel, and the checks that nobody writes by hand.

Incoming: a payload `fixtures/<channel>/<event>__<variant>.<ext>` with what must come of it in a `.toml` beside it.
Outgoing: a message, what the provider's stand-in is scripted to do, and what must come of it. A channel brings a `Kit`.
"""

import json
import tomllib
import traceback
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import pytest

from channels.base import Channel
from channels.errors import Later, SendError, Unauthorised, Unreadable
from channels.messages import ChannelEvent, InboundMessage, OutboundMessage, Parsed, SendResult, WebhookRequest

FIXTURES: Final = Path(__file__).parent / "fixtures"


class Kit(Protocol):
    """What the runner must know of a channel."""

    secrets: tuple[str, ...]
    sent_at: datetime

    def channel(self) -> Channel:
        """The channel under test; it talks to nobody."""

    def request(self, body: bytes) -> WebhookRequest:
        """A genuine request, signed at `sent_at` and received then."""

    def forgeries(self, body: bytes) -> Iterable[tuple[str, WebhookRequest]]:
        """Requests that must be refused before anything is read."""

    def mutilations(self, body: bytes) -> Iterable[tuple[str, bytes]]:
        """Bodies that must be unreadable, however well they are signed."""


# Incoming


class Incoming(msgspec.Struct, frozen=True):
    """A payload and what must come of it: `unreadable` is how the reason begins."""

    body: bytes
    parsed: Parsed | None
    unreadable: str = ""


def incoming(channel: str) -> list[str]:
    """The names of a channel's payloads. Every one has its expectation, and every expectation its payload."""
    folder = FIXTURES / channel
    expected = {path.stem for path in folder.glob("*.toml")}
    payloads = {path.stem for path in folder.iterdir() if path.suffix != ".toml"}
    assert payloads == expected, f"without a partner: {sorted(payloads ^ expected)}"
    return sorted(payloads)


def load(kit: Kit, channel: str, name: str) -> Incoming:
    """Read a case. A file that expects nothing at all must say so with `nothing = true`."""
    folder = FIXTURES / channel
    (payload,) = (path for path in folder.glob(f"{name}.*") if path.suffix != ".toml")
    wanted: dict[str, Any] = tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))
    unreadable = wanted.pop("unreadable", "")
    nothing = wanted.pop("nothing", False)
    assert bool(unreadable) + bool(wanted) + nothing == 1, f"{name}: says nothing, or two things"
    under_test = kit.channel()
    for rows in wanted.values():
        for row in rows:
            row.update(channel=under_test.name, account=under_test.account)
    parsed = None if unreadable else msgspec.convert(wanted, Parsed)
    return Incoming(payload.read_bytes(), parsed, unreadable)


def check_incoming(kit: Kit, case: Incoming, caplog: pytest.LogCaptureFixture) -> None:
    """Run a case and all that goes without saying."""
    channel = kit.channel()
    request = kit.request(case.body)
    channel.verify(request)
    assert channel.handshake(request) is None
    if case.parsed is None:
        _check_unreadable(kit, channel, request, case.unreadable)
    else:
        _check_parsed(channel, request, case)
        _check_mutilations(kit, channel, case.body)
    _check_forgeries(kit, channel, case.body)
    check_no_secret(kit.secrets, caplog.text, "the log")
    check_no_secret(kit.secrets, repr(channel), "repr")


def _check_parsed(channel: Channel, request: WebhookRequest, case: Incoming) -> None:
    parsed = channel.parse(request)
    assert _without_raw(parsed) == case.parsed
    assert channel.parse(request) == parsed, "a repeat must be read as the same"
    items: list[InboundMessage | ChannelEvent] = [*parsed.messages, *parsed.events]
    for item in items:
        known = item.raw in {"", case.body.decode()}
        assert known or json.loads(item.raw) in json.loads(request.body)
        assert 0 < len(item.external_id) <= 191
    for text in _strings(msgspec.to_builtins(_without_raw(parsed))):
        assert "\x00" not in text
        text.encode()  # no lone surrogate


def _check_unreadable(kit: Kit, channel: Channel, request: WebhookRequest, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        channel.parse(request)
    assert str(caught.value).startswith(reason)
    check_no_secret(kit.secrets, _everything(caught.value), "the exception")
    # Law 12: what cannot be read is still acknowledged in the channel's way.
    assert channel.acknowledge(Parsed(), None, request.received_at).status == 200


def _check_mutilations(kit: Kit, channel: Channel, body: bytes) -> None:
    for name, broken in kit.mutilations(body):
        with pytest.raises(Unreadable) as caught:
            channel.parse(kit.request(broken))
            pytest.fail(f"{name}: was read")
        assert len(str(caught.value)) < 200, f"{name}: the reason quotes the payload"
        check_no_secret(kit.secrets, _everything(caught.value), name)


def _check_forgeries(kit: Kit, channel: Channel, body: bytes) -> None:
    for name, forged in kit.forgeries(body):
        with pytest.raises(Unauthorised) as caught:
            channel.verify(forged)
            pytest.fail(f"{name}: was let in")
        assert caught.value.status in {401, 403}
        check_no_secret(kit.secrets, _everything(caught.value), name)


def _without_raw(parsed: Parsed) -> Parsed:
    return Parsed(
        messages=tuple(msgspec.structs.replace(message, raw="") for message in parsed.messages),
        events=tuple(msgspec.structs.replace(event, raw="") for event in parsed.events),
        receipts=parsed.receipts,
        broken=tuple(msgspec.structs.replace(one, raw="") for one in parsed.broken),
    )


def _strings(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)


# Outgoing


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A message, the provider's scripted answers in order, and what must come of it.

    `error` None: sent. `requests`: names of the calls that must be made. `arrives`: whether the resident reads it.
    """

    name: str
    text: str = "登记好了：3栋2单元1502，厨房水管漏水。"
    address: str = "oDemoUser0000000000000000001"
    script: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    error: type[SendError] | None = None
    detail: str = ""
    after: float | None = None
    throttled: bool = False
    requests: tuple[str, ...]
    arrives: bool | None = None


async def check_outgoing(kit: Kit, channel: Channel, case: Outgoing, caplog: pytest.LogCaptureFixture) -> None:
    """Send, and look at the outcome; the test itself looks at the stand-in."""
    caught: SendError | None = None
    result: SendResult | None = None
    try:
        result = await channel.send(OutboundMessage(row_id="row-1", address=case.address, text=case.text))
    except SendError as error:
        caught = error
    if case.error is None:
        assert caught is None, f"{case.name}: {caught!r}"
        assert result is not None
        return
    assert type(caught) is case.error, f"{case.name}: {caught!r}"
    assert case.detail in caught.detail
    if isinstance(caught, Later):
        assert (caught.after, caught.throttled) == (case.after, case.throttled)
    for place, text in (("the exception", _everything(caught)), ("the log", caplog.text)):
        check_no_secret(kit.secrets, text, place)
        assert case.address not in text, f"{case.name}: {place} names the resident"


def check_no_secret(secrets: Iterable[str], text: str, place: str) -> None:
    """No secret of the account may be in `text`."""
    for secret in secrets:
        assert secret not in text, f"a secret is in {place}"


def _everything(error: BaseException) -> str:
    """All that a log could show of an exception: its chain, suppressed links included."""
    shown = [str(error), repr(error), "".join(traceback.format_exception(error))]
    shown.extend(_everything(linked) for linked in (error.__cause__, error.__context__) if linked is not None)
    return "\n".join(shown)
