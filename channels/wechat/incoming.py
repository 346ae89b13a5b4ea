"""A push to the normal form: every message and event kind of 接收普通消息 and 接收事件推送."""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from channels.errors import Blocked, Unreadable
from channels.messages import (
    Attachment,
    ChannelEvent,
    EventKind,
    InboundMessage,
    MessageKind,
    Parsed,
    Receipt,
    ReceiptOutcome,
)
from channels.text import clean
from channels.wechat.errcodes import send_error
from channels.wechat.xml import Payload

CHANNEL: Final = "wechat"

_OPENID: Final = re.compile(r"[A-Za-z0-9_@.-]{1,64}")
_SECONDS: Final = re.compile(r"[0-9]{1,11}")
_LATEST: Final = 253402300799
_ID_LIMIT: Final = 128
_SCENE: Final = "qrscene_"
_SENT: Final = "SubscribeMsgSentEvent/List"

_KINDS: Final[dict[str, EventKind]] = {
    "subscribe": "followed",
    "unsubscribe": "unfollowed",
    "scan": "scanned",
    # The three that open a window of three messages in one minute (客服消息介绍) are clicks; the other kinds are not.
    "click": "menu_click",
    "scancode_push": "menu_click",
    "scancode_waitmsg": "menu_click",
    "view": "menu_view",
    "view_miniprogram": "menu_view",
    "location": "position",
}


class Envelope(msgspec.Struct, frozen=True):
    """What every push carries."""

    account: str
    payload: Payload
    sender: str
    created: str
    sent_at: datetime
    raw: str


def convert(account: str, original_id: str, payload: Payload, raw: str) -> Parsed:
    """The messages, events and receipts of one push to `account`. Raises `Unreadable`, naming the field."""
    if original_id and payload.text("ToUserName") != original_id:
        raise Unreadable("ToUserName: another account")
    created = payload.text("CreateTime")
    envelope = Envelope(account, payload, _sender(payload), created, _moment(created), raw)
    kind = payload.text("MsgType")
    if kind == "event":
        return _happened(envelope, payload.text("Event"))
    return Parsed(messages=(_message(envelope, kind),))


def _sender(payload: Payload) -> str:
    sender = payload.text("FromUserName")
    if not _OPENID.fullmatch(sender):
        raise Unreadable("FromUserName: not an openid")
    return sender


def _moment(created: str) -> datetime:
    if not _SECONDS.fullmatch(created) or int(created) > _LATEST:
        raise Unreadable("CreateTime: expected Unix seconds")
    return datetime.fromtimestamp(int(created), UTC)


# Messages


def _message(envelope: Envelope, kind: str) -> InboundMessage:
    read = _MESSAGES.get(kind, _unsupported)
    normal, text, attachments = read(envelope.payload)
    return InboundMessage(
        channel=CHANNEL,
        account=envelope.account,
        external_id=_message_id(envelope),
        sender=envelope.sender,
        kind=normal,
        text=clean(text),
        attachments=attachments,
        choice=clean(envelope.payload.optional("bizmsgmenuid")) or None,
        sent_at=envelope.sent_at,
        raw=envelope.raw,
    )


def _message_id(envelope: Envelope) -> str:
    """MsgId, or a key of our own where it is missing or 0.

    A message without it is still a resident's: refusing it would leave them without an answer. Repeats of a push are
    the same in every field, so sender, second and a digest of the fields name it as well; merged are only equal
    messages of one person in one second.
    """
    given = envelope.payload.optional("MsgId")
    if given and given.strip("0"):
        return _bounded(given)
    fields = sorted(envelope.payload.fields.items())
    return f"{envelope.sender}:{envelope.created}:{_digest(repr((fields, envelope.payload.nested)))}"


def _bounded(external_id: str) -> str:
    external_id = clean(external_id)
    if len(external_id) <= _ID_LIMIT:
        return external_id
    return f"{external_id[: _ID_LIMIT - 41]}:{_digest(external_id)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


Read = tuple[MessageKind, str, tuple[Attachment, ...]]


def _text(payload: Payload) -> Read:
    return "text", payload.text("Content"), ()


def _image(payload: Payload) -> Read:
    url = clean(payload.optional("PicUrl"))
    return "image", "", (Attachment(kind="image", media_id=clean(payload.text("MediaId")), url=url),)


def _voice(payload: Payload) -> Read:
    # Recognition was retired in 2023 and is empty or absent; where an account still gets it, it is welcome.
    media_id, label = clean(payload.text("MediaId")), clean(payload.optional("Format"))
    attachment = Attachment(kind="voice", media_id=media_id, label=label)
    return "voice", payload.optional("Recognition"), (attachment,)


def _video(payload: Payload) -> Read:
    return "video", "", (Attachment(kind="video", media_id=clean(payload.text("MediaId"))),)


def _location(payload: Payload) -> Read:
    label = clean(payload.optional("Label"))
    latitude, longitude = _degrees(payload, "Location_X", 90), _degrees(payload, "Location_Y", 180)
    return "location", label, (Attachment(kind="location", label=label, latitude=latitude, longitude=longitude),)


def _degrees(payload: Payload, name: str, limit: float) -> float:
    try:
        value = float(payload.text(name))
    except ValueError:
        raise Unreadable(f"{name}: expected degrees") from None
    if not -limit <= value <= limit:
        raise Unreadable(f"{name}: expected degrees")
    return value


def _link(payload: Payload) -> Read:
    title, description = payload.optional("Title"), payload.optional("Description")
    text = "\n".join(part for part in (title, description) if part)
    return "link", text, (Attachment(kind="link", url=clean(payload.text("Url")), label=clean(title)),)


def _unsupported(payload: Payload) -> Read:
    label = clean(payload.text("MsgType"))[:64]
    return "unsupported", "", (Attachment(kind="unsupported", label=label),)


_MESSAGES: Final[dict[str, Callable[[Payload], Read]]] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "shortvideo": _video,
    "location": _location,
    "link": _link,
}


# Events and receipts


def _happened(envelope: Envelope, name: str) -> Parsed:
    name = name.lower()  # older accounts and third-party tools differ in case
    if name == "templatesendjobfinish":
        return Parsed(receipts=(_template_receipt(envelope),))
    if name == "subscribe_msg_sent_event":
        return Parsed(receipts=_subscription_receipts(envelope))
    kind = _KINDS.get(name, "ignored")
    event = ChannelEvent(
        channel=CHANNEL,
        account=envelope.account,
        external_id=_event_id(envelope, name),
        sender=envelope.sender,
        kind=kind,
        key=_key(kind, clean(envelope.payload.optional("EventKey"))),
        sent_at=envelope.sent_at,
        # Positions come by the minute and nobody asked for them: what is not kept cannot leak.
        raw="" if kind == "position" else envelope.raw,
    )
    return Parsed(events=(event,))


def _event_id(envelope: Envelope, name: str) -> str:
    """FromUserName and CreateTime (接收事件推送), with what tells two events of one second apart."""
    payload = envelope.payload
    parts = [envelope.sender, envelope.created, name, payload.optional("EventKey")]
    if number := payload.optional("MsgID") or payload.optional("MsgId"):
        parts.append(number)
    return _bounded(":".join(parts))


def _key(kind: EventKind, key: str) -> str:
    """The scene of a follow by QR code, without its prefix; other follow keys (`last_trade_no_…`) are no scene."""
    if kind != "followed":
        return key
    return key.removeprefix(_SCENE) if key.startswith(_SCENE) else ""


def _template_receipt(envelope: Envelope) -> Receipt:
    status = clean(envelope.payload.text("Status")).strip()
    blocked = "user block" in status.lower()
    error = "" if status.lower() == "success" else status
    return _receipt(envelope, envelope.payload.text("MsgID"), error, blocked=blocked)


def _subscription_receipts(envelope: Envelope) -> tuple[Receipt, ...]:
    numbers = envelope.payload.every(f"{_SENT}/MsgID")
    codes = envelope.payload.every(f"{_SENT}/ErrorCode")
    if not numbers or len(numbers) != len(codes):
        raise Unreadable(f"{_SENT}: expected MsgID and ErrorCode in every entry")
    return tuple(_subscription_receipt(envelope, *pair) for pair in zip(numbers, codes, strict=True))


def _subscription_receipt(envelope: Envelope, number: str, code: str) -> Receipt:
    if code == "0":
        return _receipt(envelope, number, "")
    error = send_error(int(code) if _SECONDS.fullmatch(code) else 0, "")
    return _receipt(envelope, number, error.detail, blocked=isinstance(error, Blocked))


def _receipt(envelope: Envelope, number: str, error: str, *, blocked: bool = False) -> Receipt:
    outcome: ReceiptOutcome = "failed" if error else "delivered"
    return Receipt(
        channel=CHANNEL,
        account=envelope.account,
        provider_id=_bounded(number),
        outcome=outcome,
        error=error[:200],
        at=envelope.sent_at,
        blocked=blocked,
    )
