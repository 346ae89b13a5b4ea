"""An update to the normal form: private chats only, every kind of message, presses, edits, blocking."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from channels.errors import Unreadable
from channels.messages import Attachment, ChannelEvent, EventKind, InboundMessage, MessageKind, Parsed
from channels.telegram import keyboard, updates
from channels.telegram.updates import CallbackQuery, ChatMemberUpdated, File, Message, Update
from channels.text import clean

CHANNEL: Final = "telegram"

LARGEST_FILE: Final = 20 * 1024 * 1024
"""Bytes that getFile hands out."""
GROUP: Final = "group"
PRESS: Final = "press"
"""Keys of ignored events that still deserve a word: somebody spoke in a group; a button that means nothing any more."""

# Service messages: what happened to the chat, not what somebody said (telegram.constants.MessageType).
SERVICE: Final = frozenset({
    "boost_added", "channel_chat_created", "chat_background_set", "chat_owner_changed", "chat_owner_left",
    "chat_shared", "checklist_tasks_added", "checklist_tasks_done", "connected_website", "delete_chat_photo",
    "direct_message_price_changed", "forum_topic_closed", "forum_topic_created", "forum_topic_edited",
    "forum_topic_reopened", "general_forum_topic_hidden", "general_forum_topic_unhidden", "gift", "gift_upgrade_sent",
    "giveaway_completed", "giveaway_created", "group_chat_created", "left_chat_member", "managed_bot_created",
    "message_auto_delete_timer_changed", "migrate_to_chat_id", "new_chat_members", "new_chat_photo", "new_chat_title",
    "paid_message_price_changed", "passport_data", "pinned_message", "poll_option_added", "poll_option_deleted",
    "proximity_alert_triggered", "refunded_payment", "successful_payment", "suggested_post_approval_failed",
    "suggested_post_approved", "suggested_post_declined", "suggested_post_paid", "suggested_post_refunded",
    "supergroup_chat_created", "unique_gift", "users_shared", "video_chat_ended", "video_chat_participants_invited",
    "video_chat_scheduled", "video_chat_started", "web_app_data", "write_access_allowed",
})  # fmt: skip
# Contents that nobody at the desk can read; a field of no known name counts as one.
UNREAD: Final = (
    "sticker", "poll", "dice", "story", "game", "paid_media", "invoice", "checklist", "giveaway", "giveaway_winners",
    "live_photo",
)  # fmt: skip

_COMMAND: Final = re.compile(r"/(?P<name>[A-Za-z0-9_]{1,32})(?:@[A-Za-z0-9_]{1,64})?(?:\s+(?P<rest>.*))?", re.DOTALL)
_SCENE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MENU: Final = frozenset({"repair", "complaint", "suggestion", "progress", "payment", "application", "human", "faq"})
"""Commands that name what somebody wants; the others are words."""
_DIGITS: Final = re.compile(r"\+?[0-9]{5,15}")


class Source(msgspec.Struct, frozen=True):
    """An update, and where it came in."""

    account: str
    update: Update
    raw: str


def convert(source: Source, *, is_over: Callable[[CallbackQuery], bool]) -> Parsed:
    """What one update holds; nothing for kinds that a desk has no use for. Raises `Unreadable`.

    `is_over`: whether the question of a pressed button has been answered, or a newer one asked.
    """
    update = source.update
    if update.message is not None:
        return _said(source, update.message)
    if update.edited_message is not None:
        return _edited(source, update.edited_message)
    if update.callback_query is not None:
        return _pressed(source, update.callback_query, is_over)
    if update.my_chat_member is not None:
        return _member(source, update.my_chat_member)
    return Parsed()


def _event(source: Source, kind: EventKind, sender: int, name: str, key: str = "", date: int | None = None) -> Parsed:
    # What is said in a group is nobody's business here, and a position nobody asked for: neither is kept.
    raw = "" if key == GROUP or kind == "position" else source.raw
    event = ChannelEvent(
        channel=CHANNEL, account=source.account, external_id=_key(source, name), sender=str(sender),
        kind=kind, key=key, sent_at=None if date is None else _moment(date), raw=raw,
    )  # fmt: skip
    return Parsed(events=(event,))


def _key(source: Source, name: str) -> str:
    """The update and what it is about: after a quiet week update ids start anew at random (Update, `update_id`)."""
    return f"{source.update.update_id}:{name}"


def _moment(date: int) -> datetime:
    return datetime.fromtimestamp(date, UTC)


# Messages


def _said(source: Source, message: Message) -> Parsed:
    name = f"{message.chat.id}:{message.message_id}"
    if not message.chat.is_private:
        return _event(source, "ignored", message.chat.id, name, GROUP, message.date)
    if message.sender is None:
        raise Unreadable("body: a private message without a sender - at `$.message`")
    if message.sender.is_bot:
        return Parsed()
    command = _COMMAND.fullmatch(message.text or "")
    if command is not None:
        return _commanded(source, message, name, command)
    return _message(source, message, name)


def _commanded(source: Source, message: Message, name: str, command: re.Match[str]) -> Parsed:
    word, rest = command["name"].lower(), (command["rest"] or "").strip()
    if word == "start":
        scene = rest if _SCENE.fullmatch(rest) else ""
        return _event(source, "followed", message.chat.id, name, scene, message.date)
    if word in _MENU and not rest:
        return _event(source, "menu_click", message.chat.id, name, word, message.date)
    words = rest if word in _MENU else f"{command['name']} {rest}".strip()
    return _message(source, msgspec.structs.replace(message, text=words), name)


def _message(source: Source, message: Message, name: str) -> Parsed:
    read = _read(source, message)
    if read is None:
        return Parsed()
    kind, text, attachments = read
    said = InboundMessage(
        channel=CHANNEL, account=source.account, external_id=_key(source, name), sender=str(message.chat.id),
        kind=kind, text=clean(text), attachments=attachments, own_phone=_own_phone(message),
        sent_at=_moment(message.date), raw=source.raw,
    )  # fmt: skip
    return Parsed(messages=(said,))


Read = tuple[MessageKind, str, tuple[Attachment, ...]]


def _read(source: Source, message: Message) -> Read | None:
    """Kind, words and attachments; None for a service message."""
    if message.text is not None:
        return "text", message.text, ()
    place = message.venue.location if message.venue else message.location
    if place is not None:
        label = clean(f"{message.venue.title} {message.venue.address}".strip()) if message.venue else ""
        point = Attachment(kind="location", label=label, latitude=place.latitude, longitude=place.longitude)
        return "location", label, (point,)
    if message.contact is not None:
        phone = _own_phone(message)
        return ("text", _as_dialled(phone), ()) if phone else _unsupported("contact", message)
    return _media(message) or _other(source, message)


def _media(message: Message) -> Read | None:
    kind, file = _file(message)
    if file is None:
        return None
    label = clean(file.file_name or "")[:200]
    caption = message.caption or ""
    if (file.file_size or 0) > LARGEST_FILE:
        # No media id: there is nothing to fetch.
        return "too_large", caption, (Attachment(kind="file", label=label or kind),)
    album = clean(message.media_group_id or "")[:64]
    return kind, caption, (Attachment(kind=kind, media_id=clean(file.file_id), label=label, album=album),)


def _file(message: Message) -> tuple[MessageKind, File | None]:
    if message.photo:
        return "image", message.photo[-1]  # sizes grow
    if voice := message.voice or message.audio:
        return "voice", voice
    # An animation comes as a document, too: the first of them counts.
    if video := message.video or message.video_note or message.animation:
        return "video", video
    return _document_kind(message.document), message.document


def _document_kind(document: File | None) -> MessageKind:
    """A photo or film that was sent uncompressed is still one."""
    mime = (document.mime_type or "") if document else ""
    return "image" if mime.startswith("image/") else "video" if mime.startswith("video/") else "file"


def _other(source: Source, message: Message) -> Read | None:
    fields = updates.field_names(source.raw)
    if fields & SERVICE:
        return None
    return _unsupported(next((name for name in UNREAD if name in fields), "unknown"), message)


def _unsupported(label: str, message: Message) -> Read:
    return "unsupported", message.caption or "", (Attachment(kind="unsupported", label=label),)


def _own_phone(message: Message) -> str:
    """The number of a contact that is the sender's own, in E.164; of somebody else's card nothing."""
    contact, sender = message.contact, message.sender
    if contact is None or sender is None or contact.user_id != sender.id:
        return ""
    digits = contact.phone_number.replace(" ", "")
    if not _DIGITS.fullmatch(digits):
        return ""
    return f"+{digits.removeprefix('+')}"  # it comes with or without the plus, always with the country code


def _as_dialled(phone: str) -> str:
    """As people write it: without the country code at home."""
    return phone.removeprefix("+86")


# Edits, presses, blocking


CORRECTED: Final = {"zh": "更正：", "en": "Correction: "}
"""How an edited message begins: it puts right what was said, it is not said a second time."""
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")


def _edited(source: Source, message: Message) -> Parsed:
    name = f"{message.chat.id}:{message.message_id}"
    words = message.text or message.caption or ""
    if not message.chat.is_private or message.sender is None or message.sender.is_bot:
        return Parsed()
    if message.location is not None:
        return _event(source, "position", message.chat.id, name, date=message.date)
    if not words.strip():
        return Parsed()
    prefix = CORRECTED["zh" if _HAN.search(words) else "en"]
    text_only = msgspec.structs.replace(message, text=f"{prefix}{words}")
    return _message(source, text_only, name)


def _pressed(source: Source, query: CallbackQuery, is_over: Callable[[CallbackQuery], bool]) -> Parsed:
    name = f"press:{clean(query.id)[:64]}"
    value = keyboard.value_of(query)
    private = query.message is None or query.message.chat.is_private
    if query.sender.is_bot or not private:
        return Parsed()
    if value is None or is_over(query):
        return _event(source, "ignored", query.sender.id, name, PRESS)
    pressed = InboundMessage(
        channel=CHANNEL, account=source.account, external_id=_key(source, name), sender=str(query.sender.id),
        kind="text", text=clean(keyboard.label_of(query)) or value, choice=value, raw=source.raw,
    )  # fmt: skip
    return Parsed(messages=(pressed,))


def _member(source: Source, change: ChatMemberUpdated) -> Parsed:
    status = change.new_chat_member.status
    name = f"member:{change.chat.id}"
    if not change.chat.is_private:
        added = status in {"member", "administrator", "restricted"}
        return _event(source, "ignored", change.chat.id, name, GROUP, change.date) if added else Parsed()
    if status == "kicked":
        return _event(source, "unfollowed", change.chat.id, name, date=change.date)
    return _event(source, "returned", change.chat.id, name, date=change.date)
