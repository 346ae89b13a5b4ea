"""The parts of an `Update` that the desk reads (Bot API, "Available types"), decoded strictly; the rest is passed over.

Field by field the same as `telegram.Update.de_json` gives, which a test compares.
"""

from typing import Annotated, Final

import msgspec

from channels.errors import Unreadable

BODY_LIMIT: Final = 256 * 1024
"""Bytes. Telegram escapes what is not ASCII: 4096 characters, quoted in an answer to them, are over 50 KiB."""

UpdateId = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
ChatId = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
# At most 52 significant bits (User, `id`).
PersonId = Annotated[int, msgspec.Meta(gt=0, le=2**53)]
MessageId = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=253402300799)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
"""A `file_id`, or the id of a callback query: opaque, never empty."""
Size = Annotated[int, msgspec.Meta(ge=0)]


class User(msgspec.Struct, frozen=True):
    id: PersonId
    is_bot: bool
    language_code: str | None = None


class Chat(msgspec.Struct, frozen=True):
    id: ChatId
    type: str

    @property
    def is_private(self) -> bool:
        return self.type == "private"


class File(msgspec.Struct, frozen=True):
    """PhotoSize, Voice, Audio, Video, VideoNote, Animation or Document: what they have in common."""

    file_id: Name
    file_size: Size | None = None
    file_name: str | None = None
    mime_type: str | None = None


class Location(msgspec.Struct, frozen=True):
    """A place in WGS-84. `live_period`: it moves, and every move is an edit of its message."""

    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    live_period: int | None = None


class Venue(msgspec.Struct, frozen=True):
    location: Location
    title: str
    address: str


class Contact(msgspec.Struct, frozen=True):
    phone_number: str
    user_id: ChatId | None = None


class Button(msgspec.Struct, frozen=True):
    text: str
    callback_data: str | None = None


class Keyboard(msgspec.Struct, frozen=True):
    inline_keyboard: tuple[tuple[Button, ...], ...]


class Message(msgspec.Struct, frozen=True):
    message_id: MessageId
    date: Seconds
    chat: Chat
    sender: User | None = msgspec.field(default=None, name="from")
    text: str | None = None
    caption: str | None = None
    media_group_id: str | None = None
    photo: tuple[File, ...] | None = None
    voice: File | None = None
    audio: File | None = None
    video: File | None = None
    video_note: File | None = None
    animation: File | None = None
    document: File | None = None
    location: Location | None = None
    venue: Venue | None = None
    contact: Contact | None = None
    reply_markup: Keyboard | None = None


class CallbackQuery(msgspec.Struct, frozen=True):
    """A press of an inline button. `message` may be missing, and is a stub of date 0 where it is too old."""

    id: Name
    sender: User = msgspec.field(name="from")
    data: str | None = None
    message: Message | None = None


class ChatMember(msgspec.Struct, frozen=True):
    status: str


class ChatMemberUpdated(msgspec.Struct, frozen=True):
    chat: Chat
    sender: User = msgspec.field(name="from")
    date: Seconds
    new_chat_member: ChatMember


class Update(msgspec.Struct, frozen=True):
    update_id: UpdateId
    message: Message | None = None
    edited_message: Message | None = None
    callback_query: CallbackQuery | None = None
    my_chat_member: ChatMemberUpdated | None = None


class _Fields(msgspec.Struct, frozen=True):
    message: dict[str, msgspec.Raw] | None = None
    edited_message: dict[str, msgspec.Raw] | None = None


_UPDATE: Final = msgspec.json.Decoder(Update)
_FIELDS: Final = msgspec.json.Decoder(_Fields)


def text_of(body: bytes) -> str:
    """The text of a body. Raises `Unreadable` when it is too large or not UTF-8."""
    if len(body) > BODY_LIMIT:
        raise Unreadable(f"body: {len(body)} bytes, at most {BODY_LIMIT}")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"body: not UTF-8 at byte {error.start}") from None


def read(text: str) -> Update:
    """Read an update. Raises `Unreadable`, whose message names the path or the place and quotes nothing."""
    try:
        return _UPDATE.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:150]
    raise Unreadable(f"body: {reason}")


def field_names(text: str) -> set[str]:
    """The names of all fields of the message in an update that was read."""
    fields = _FIELDS.decode(text)
    return set(fields.message or fields.edited_message or ())
