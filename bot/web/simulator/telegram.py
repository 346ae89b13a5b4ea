"""Telegram, played on a loopback socket for the simulator and for tests."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Final

import msgspec
from aiohttp import web

from bot.web.simulator.account import utc_now
from bot.web.simulator.faults import HTML, Fault, Faults, When
from bot.web.simulator.listener import Listener
from bot.web.simulator.telegram_api import TROUBLES, ApiSide
from bot.web.simulator.telegram_bot import Bot, Json
from bot.web.simulator.telegram_phone import Bubble, Key, Phone
from bot.web.simulator.telegram_push import Limits, Pushed, Pusher
from bot.web.simulator.wire import Wire

GROUP: Final = -1001234567890


class TelegramPlatform:
    """One bot, the phones of those who write to it, and the two directions of the protocol.

    API side: a server at `base_url` (give it to the service as API base). Push side: what is done on a phone becomes an
    `Update`, pushed to the webhook that the service has set, or kept for getUpdates. `now` is the time it lives in.
    """

    def __init__(
        self,
        token: str,
        *,
        now: Callable[[], datetime] = utc_now,
        limits: Limits | None = None,
        wire: Wire | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.bot = Bot(token, now, wire)
        self._listener = Listener(host, port)
        self.faults = Faults(self._listener, TROUBLES)
        """What goes wrong until it is put back."""
        self.api = ApiSide(self.bot, self.faults)
        self.pusher = Pusher(self.bot, limits or Limits(), self.faults)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._queries = 0
        self.account = ""
        """Under what name the service of a demonstration knows the bot."""

    @property
    def base_url(self) -> str:
        """The API's address, once it has been started."""
        return self._listener.base_url

    async def start(self) -> None:
        """Listen. Raises `OSError` when the port is taken."""
        self.api.hold()
        app = web.Application()
        app.add_routes(self.api.routes())
        await self._listener.start(app)

    async def stop(self) -> None:
        """Stop listening and pushing; streams end."""
        self.api.release()
        self.bot.tell(None)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pusher.close()
        await self._listener.stop()

    # What happened so far

    @property
    def calls(self) -> Counter[str]:
        """API calls by method."""
        return self.api.calls

    @property
    def requests(self) -> list[tuple[str, Json]]:
        """Method and parameters of the API calls, in order."""
        return self.api.requests

    def phone(self, person: int, name: str = "", language: str = "zh-hans") -> Phone:
        """The phone of a person; an unknown one is made."""
        return self.bot.phone(person, name, language)

    def remember(self, person: int, side: Any, text: str, at: datetime) -> None:
        """Put what was said before this start back on the screen."""
        phone = self.phone(person)
        phone.started = True
        phone.screen.append(Bubble(message_id=phone.next_message_id(), side=side, text=text, at=at))

    # Misbehaviour

    def script(
        self,
        method: str,
        *,
        status: int = 0,
        description: str = "",
        parameters: Json | None = None,
        body: str = "",
        page: bool = False,
        hang: When = "",
        cut: When = "",
        times: int = 1,
    ) -> None:
        """The next calls of `method` answer so. `hang`, `cut`: before or after the message reached the phone."""
        fault = Fault(
            status=status, words=description, parameters=parameters, body=HTML if page else body, hang=hang, cut=cut,
        )  # fmt: skip
        self.faults.script(method, fault, times)

    def unused_scripts(self) -> list[str]:
        """Scripted answers that nothing has asked for."""
        return self.faults.unused()

    # What is done on the phone

    async def write(self, person: int, text: str) -> Pushed:
        """The resident writes."""
        return await self.send(person, {"text": text}, shown=text)

    async def begin(self, person: int, scene: str = "") -> Pushed:
        """The resident presses Start, after scanning a code where a scene is given."""
        text = f"/start {scene}".strip()
        entity = {"type": "bot_command", "offset": 0, "length": 6}
        return await self.send(person, {"text": text, "entities": [entity]}, shown=text)

    async def photo(self, person: int, caption: str = "", album: str = "") -> Pushed:
        """The resident sends a photo; those of one `album` were chosen together."""
        sizes = [
            {"file_id": f"PHOTO{n}", "file_unique_id": f"P{n}", "width": 320 * n, "height": 240 * n} for n in (1, 2)
        ]
        content: Json = {"photo": sizes}
        content |= {"caption": caption} if caption else {}
        content |= {"media_group_id": album} if album else {}
        return await self.send(person, content, shown=f"[照片] {caption}".strip(), kind="image")

    async def voice(self, person: int) -> Pushed:
        """The resident speaks."""
        voice = {"file_id": "VOICE", "file_unique_id": "V", "duration": 6, "mime_type": "audio/ogg", "file_size": 24000}
        return await self.send(person, {"voice": voice}, shown="[语音] 6″", kind="voice")

    async def document(self, person: int, name: str, size: int) -> Pushed:
        """The resident sends a file of so many bytes."""
        file = {"file_id": "FILE", "file_unique_id": "F", "file_name": name, "file_size": size}
        return await self.send(person, {"document": file}, shown=f"[文件] {name}", kind="file")

    async def location(self, person: int, latitude: float, longitude: float) -> Pushed:
        """The resident sends a place."""
        place = {"latitude": latitude, "longitude": longitude}
        return await self.send(person, {"location": place}, shown="[位置]", kind="location")

    async def contact(self, person: int, phone: str, of: int | None = None) -> Pushed:
        """The resident shares their own number, or the card of somebody else (`of`; 0: of nobody on Telegram)."""
        owner = person if of is None else of
        card: Json = {"phone_number": phone, "first_name": self.phone(owner or person).name}
        card |= {"user_id": owner} if owner else {}
        return await self.send(person, {"contact": card}, shown=f"[名片] {phone}", kind="contact")

    async def send(self, person: int, content: Json, *, shown: str, kind: str = "text") -> Pushed:
        """Any message; `content` is what makes its kind."""
        phone = self.phone(person)
        phone.started = True
        bubble = self.bot.show(phone, "sent", shown, kind=kind)
        return await self._deliver({"message": {**self._envelope(phone, bubble.message_id), **content}})

    async def edit(self, person: int, message_id: int, text: str) -> Pushed:
        """The resident edits what they wrote."""
        phone = self.phone(person)
        old = phone.bubble(message_id)
        assert old is not None, "only what is on the screen can be edited"
        self.bot.change(phone, msgspec.structs.replace(old, text=text, edited=True))
        now = int(self.bot.now().timestamp())
        message = {**self._envelope(phone, message_id), "edit_date": now, "text": text}
        return await self._deliver({"edited_message": message})

    async def press(self, person: int, message_id: int, data: str) -> Pushed:
        """The resident presses a button, one that stands there or one that stood there."""
        phone = self.phone(person)
        bubble = phone.bubble(message_id)
        query: Json = {
            "id": self._query_id(person), "from": self._user(phone), "chat_instance": "1", "data": data,
        }  # fmt: skip
        if bubble is not None:
            query["message"] = self._own_message(phone, bubble)
        return await self._deliver({"callback_query": query})

    async def press_label(self, person: int, label: str) -> Pushed:
        """The resident presses the newest button that reads so."""
        for bubble in reversed(self.phone(person).screen):
            for key in (key for row in bubble.keys for key in row if key.text == label):
                return await self.press(person, bubble.message_id, key.data)
        raise LookupError(f"no button reads {label}")

    async def block(self, person: int) -> Pushed:
        """The resident stops the bot: every later send is refused (403)."""
        phone = self.phone(person)
        phone.blocked = True
        self.bot.changed(phone)
        return await self._member(phone, "member", "kicked")

    async def unblock(self, person: int) -> Pushed:
        """The resident lets the bot write again."""
        phone = self.phone(person)
        phone.blocked = False
        self.bot.changed(phone)
        return await self._member(phone, "kicked", "member")

    async def group(self, person: int, text: str) -> Pushed:
        """Somebody speaks in a group that the bot was put into."""
        phone = self.phone(person)
        message = {**self._envelope(phone, 1), "chat": {"id": GROUP, "type": "supergroup", "title": "3栋业主群"}}
        return await self._deliver({"message": {**message, "text": text}})

    async def repeat(self, pushed: Pushed) -> Pushed:
        """Push an update once more, as after an answer that got lost."""
        return await self.pusher.repeat(pushed.update)

    def spawn(self, push: Coroutine[Any, Any, Pushed]) -> "asyncio.Task[Pushed]":
        """Do something in the background; `stop` ends it."""
        task = asyncio.create_task(push)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _deliver(self, content: Json) -> Pushed:
        return await self.pusher.deliver({"update_id": self.bot.next_update_id(), **content})

    def _envelope(self, phone: Phone, message_id: int) -> Json:
        now = int(self.bot.now().timestamp())
        return {"message_id": message_id, "date": now, "chat": self._chat(phone), "from": self._user(phone)}

    def _chat(self, phone: Phone) -> Json:
        return {"id": phone.person, "type": "private", "first_name": phone.name}

    def _user(self, phone: Phone) -> Json:
        return {"id": phone.person, "is_bot": False, "first_name": phone.name, "language_code": phone.language}

    def _own_message(self, phone: Phone, bubble: Bubble) -> Json:
        rows = [[_button(key) for key in row] for row in bubble.keys]
        return {
            "message_id": bubble.message_id, "date": int(bubble.at.timestamp()), "chat": self._chat(phone),
            "from": {"id": self.bot.id, "is_bot": True, "first_name": "物业前台"}, "text": bubble.text,
            "reply_markup": {"inline_keyboard": rows},
        }  # fmt: skip

    async def _member(self, phone: Phone, old: str, new: str) -> Pushed:
        bot = {"id": self.bot.id, "is_bot": True, "first_name": "物业前台"}
        change = {
            "chat": self._chat(phone), "from": self._user(phone), "date": int(self.bot.now().timestamp()),
            "old_chat_member": {"user": bot, "status": old}, "new_chat_member": {"user": bot, "status": new},
        }  # fmt: skip
        for member in (change["old_chat_member"], change["new_chat_member"]):
            if member["status"] == "kicked":  # type: ignore[index]
                member["until_date"] = 0  # type: ignore[index]
        return await self._deliver({"my_chat_member": change})

    def _query_id(self, person: int) -> str:
        self._queries += 1
        return f"{person}-{int(self.bot.now().timestamp() * 1000)}{self._queries:04}"


def _button(key: Key) -> Json:
    return {"text": key.text, "callback_data": key.data}
