"""The WeChat platform, played on a loopback socket for the simulator and for tests."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from bot.web.simulator.account import Account, Mode, utc_now
from bot.web.simulator.faults import HTML, Fault, Faults, When
from bot.web.simulator.listener import Listener
from bot.web.simulator.phones import Direction, Entry, Phone
from bot.web.simulator.wechat_api import TROUBLES, ApiSide, Json
from bot.web.simulator.wechat_media import PHOTO, VIDEO, VOICE
from bot.web.simulator.wechat_push import Limits, Pushed, Pusher, cdata, render
from bot.web.simulator.wechat_templates import Kind, Listed
from bot.web.simulator.wire import Wire

_CLICKS: Final = frozenset({"click", "scancode_push", "scancode_waitmsg"})
_TOUCHES: Final = _CLICKS | {"subscribe", "scan"}


class WeChatPlatform:
    """One official account, its followers' phones, and the two directions of the protocol.

    API side: a server at `base_url` (give it to the service as API base). Push side: `push_…` sends a signed POST to
    `service_url` and returns when the platform would push it no more. `now` is the time it lives in; `limits` may be
    shortened so that a test need not wait.
    """

    def __init__(
        self,
        app_id: str,
        app_secret: str,
        token: str,
        original_id: str,
        *,
        now: Callable[[], datetime] = utc_now,
        limits: Limits | None = None,
        service_url: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.account = Account(app_id, app_secret, token, original_id, now)
        self._listener = Listener(host, port)
        self.faults = Faults(self._listener, TROUBLES)
        """What goes wrong until it is put back."""
        self.api = ApiSide(self.account, self.faults)
        self._pusher = Pusher(self.account, limits or Limits(), self.faults)
        self._pusher.service_url = service_url
        self._receipt_s = (limits or Limits()).receipt_s
        self.api.by_template = self._template_sent
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def base_url(self) -> str:
        """The API's address, once it has been started."""
        return self._listener.base_url

    async def start(self) -> None:
        """Listen. Raises `OSError` when the port is taken."""
        app = web.Application()
        app.add_routes(self.api.routes())
        await self._listener.start(app)

    async def stop(self) -> None:
        """Stop listening and pushing; streams end."""
        self.faults.release()
        self.wire.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pusher.close()
        await self._listener.stop()

    # What happened so far

    @property
    def wire(self) -> Wire:
        """The log of what travelled; `wire.until(...)` waits for something to be true."""
        return self.account.wire

    @property
    def calls(self) -> Counter[str]:
        """API calls by name: `stable_token`, `token`, `custom/send`, `custom/typing`."""
        return self.wire.calls

    @property
    def requests(self) -> list[tuple[str, Json]]:
        """Name and JSON of the API calls, in order."""
        return self.api.requests

    def phone(self, openid: str) -> Phone:
        """The phone of `openid`; an unknown one becomes a follower."""
        return self.account.phone(openid)

    def remember(self, openid: str, direction: Direction, text: str, at: datetime) -> None:
        """Put what was said before this start back on the screen; a message of the resident opens its window then."""
        phone = self.phone(openid)
        number = self.wire.next_number()
        phone.screen.append(Entry(number=number, direction=direction, text=text, at=at))
        if direction == "sent":
            phone.window.wrote(at)

    # Misbehaviour

    def script(
        self,
        call: str,
        *,
        errcode: int = 0,
        errmsg: str = "",
        html: bool = False,
        body: str = "",
        status: int = 0,
        delay_s: float = 0.0,
        hang: When = "",
        cut: When = "",
        times: int = 1,
    ) -> None:
        """The next `times` calls of `call` answer so. `hang`, `cut`: before or after the message reached the phone."""
        fault = Fault(
            code=str(errcode or ""), words=errmsg, body=HTML if html else body, status=status, delay_s=delay_s,
            hang=hang, cut=cut,
        )  # fmt: skip
        self.faults.script(call, fault, times)

    def unused_scripts(self) -> list[str]:
        """Scripted answers that nothing has asked for."""
        return self.faults.unused()

    def expire_token(self) -> None:
        """The access token is over (42001)."""
        self.api.tokens.expire(self.account.now())

    def revoke_token(self) -> None:
        """The access token is forgotten (40001)."""
        self.api.tokens.revoke()

    # Pushes

    @property
    def service_url(self) -> str:
        """Where pushes go: the service's `/channels/wechat/<account>`."""
        return self._pusher.service_url

    @service_url.setter
    def service_url(self, url: str) -> None:
        self._pusher.service_url = url

    def seal_pushes(self, mode: Mode, encoding_aes_key: str) -> None:
        """The mode of the server settings: in safe mode only an answer that is sealed, too, reaches the phone."""
        self.account.mode, self.account.encoding_aes_key = mode, encoding_aes_key

    async def handshake(self) -> bool:
        """Save the address at the platform: whether the service proved that it knows the token."""
        return await self._pusher.handshake()

    def signed_query(self, openid: str = "") -> dict[str, str]:
        """Query parameters of a request, for tests that send one themselves."""
        return self._pusher.query(openid)

    async def push_text(self, openid: str, text: str, *, msg_id: str = "", menu_id: str = "") -> Pushed:
        """The resident writes. `menu_id`: they tapped a line of a msgmenu (`bizmsgmenuid`)."""
        inner = f"<Content>{cdata(text)}</Content>"
        if menu_id:
            inner += f"<bizmsgmenuid>{cdata(menu_id)}</bizmsgmenuid>"
        return await self.push_message(openid, "text", inner, shown=text, msg_id=msg_id)

    def upload(self, content: bytes, kind: str) -> str:
        """A file as a phone uploads it, for `push_…`; its media id."""
        return self.api.media.put(content, kind, self.account.now())

    async def push_image(self, openid: str, media_id: str = "") -> Pushed:
        """The resident sends a photo."""
        media_id = media_id or self.upload(PHOTO, "image")
        inner = f"<PicUrl>{cdata('http://mmbiz.qpic.cn/simulated/0')}</PicUrl><MediaId>{cdata(media_id)}</MediaId>"
        return await self.push_message(openid, "image", inner, shown="[图片]")

    async def push_voice(self, openid: str, media_id: str = "", recognition: str = "") -> Pushed:
        """The resident speaks; recognition was retired in 2023 and is empty."""
        media_id = media_id or self.upload(VOICE, "voice")
        inner = (
            f"<MediaId>{cdata(media_id)}</MediaId><Format>{cdata('amr')}</Format>"
            f"<Recognition>{cdata(recognition)}</Recognition>"
        )
        return await self.push_message(openid, "voice", inner, shown="[语音] 6″")

    async def push_video(self, openid: str, media_id: str = "") -> Pushed:
        """The resident sends a video."""
        media_id = media_id or self.upload(VIDEO, "video")
        inner = f"<MediaId>{cdata(media_id)}</MediaId><ThumbMediaId>{cdata('MEDIA_THUMB')}</ThumbMediaId>"
        return await self.push_message(openid, "video", inner, shown="[视频]")

    async def push_location(self, openid: str, latitude: float, longitude: float, label: str = "") -> Pushed:
        """The resident sends a place."""
        inner = (
            f"<Location_X>{latitude}</Location_X><Location_Y>{longitude}</Location_Y>"
            f"<Scale>16</Scale><Label>{cdata(label)}</Label>"
        )
        return await self.push_message(openid, "location", inner, shown=f"[位置] {label}")

    async def push_message(self, openid: str, kind: str, inner: str, *, shown: str, msg_id: str = "") -> Pushed:
        """Any message kind; `inner` is the XML of its own fields."""
        phone, now = self.phone(openid), self.account.now()
        phone.window.wrote(now)
        phone.last_seen = now
        self.account.show(phone, "sent", shown, kind=kind)
        inner += f"<MsgId>{msg_id or self._pusher.next_message_id()}</MsgId>"
        body = render(self.account, openid, kind, inner)
        return await self._pusher.deliver(openid, kind, body, shows_fault=True)

    async def push_event(self, openid: str, event: str, key: str = "", inner: str = "") -> Pushed:
        """Any event; `inner` is the XML of fields beside `Event` and `EventKey`."""
        phone, now = self.phone(openid), self.account.now()
        name = event.lower()
        if name in _TOUCHES:
            phone.window.touched(now)
        if name in _CLICKS:
            phone.last_seen = now
        fields = f"<Event>{cdata(event)}</Event><EventKey>{cdata(key)}</EventKey>{inner}"
        body = render(self.account, openid, "event", fields)
        return await self._pusher.deliver(openid, event, body, shows_fault=name in _TOUCHES)

    async def follow(self, openid: str, scene: str = "") -> Pushed:
        """The resident follows the account, by the code of a place when `scene` is given."""
        phone = self.phone(openid)
        phone.followed = True
        self.account.show(phone, "system", "你已关注该服务号")
        key = f"qrscene_{scene}" if scene else ""
        return await self.push_event(openid, "subscribe", key, f"<Ticket>{cdata('TICKET')}</Ticket>" if scene else "")

    async def unfollow(self, openid: str) -> Pushed:
        """The resident leaves: every later send is refused (43004)."""
        phone = self.phone(openid)
        phone.followed = False
        phone.window.close()
        self.account.show(phone, "system", "你已取消关注该服务号")
        return await self.push_event(openid, "unsubscribe")

    async def click(self, openid: str, key: str, label: str = "") -> Pushed:
        """The resident taps a line of the menu."""
        if label:
            self.account.show(self.phone(openid), "system", f"点击菜单“{label}”")
        return await self.push_event(openid, "CLICK", key)

    async def scan(self, openid: str, scene: str, label: str = "") -> Pushed:
        """The resident scans the code of a place; whoever does not follow yet follows by it."""
        if label:
            self.account.show(self.phone(openid), "system", f"扫描二维码“{label}”")
        if not self.phone(openid).followed:
            return await self.follow(openid, scene)
        return await self.push_event(openid, "SCAN", scene, f"<Ticket>{cdata('TICKET')}</Ticket>")

    def list_template(self, template_id: str, title: str, fields: Mapping[str, str], kind: Kind = "template") -> None:
        """The account has chosen this template: its fields' names by their keys (thing1)."""
        self.api.templates.listed[template_id] = Listed(title, fields, kind)

    async def agree(self, openid: str, template_id: str) -> Pushed:
        """The resident agrees to one subscription notification."""
        consents = self.api.templates.consents
        consents[openid, template_id] = consents.get((openid, template_id), 0) + 1
        inner = (
            f"<SubscribeMsgPopupEvent><List><TemplateId>{cdata(template_id)}</TemplateId>"
            f"<SubscribeStatusString>{cdata('accept')}</SubscribeStatusString><PopupScene>1</PopupScene></List>"
            "</SubscribeMsgPopupEvent>"
        )
        return await self.push_event(openid, "subscribe_msg_popup_event", inner=inner)

    async def template_finished(self, openid: str, number: int, status: str = "success") -> Pushed:
        """The fate of a template message: `success`, `failed:user block` or `failed: system failed`."""
        inner = f"<MsgID>{number}</MsgID><Status>{cdata(status)}</Status>"
        return await self.push_event(openid, "TEMPLATESENDJOBFINISH", inner=inner)

    def _template_sent(self, openid: str, number: int) -> None:
        if self.service_url:
            self.spawn(self._finish_later(openid, number))

    async def _finish_later(self, openid: str, number: int) -> Pushed:
        await asyncio.sleep(self._receipt_s)
        refuses = self.phone(openid).refuses
        return await self.template_finished(openid, number, "failed:user block" if refuses else "success")

    async def push_body(self, openid: str, body: bytes, name: str = "raw") -> Pushed:
        """Push these bytes, signed: broken ones, or `Pushed.body` once more as a late repeat."""
        return await self._pusher.deliver(openid, name, body, shows_fault=True)

    def spawn(self, push: Coroutine[Any, Any, Pushed]) -> asyncio.Task[Pushed]:
        """Run a push in the background; `stop` ends it."""
        task = asyncio.create_task(push)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
