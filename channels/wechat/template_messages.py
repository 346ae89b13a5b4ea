"""Sending by template: the one way that needs no window (发送模板消息; 发送订阅通知)."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Final

from channels.errors import OutcomeUnknown, Rejected, TemplateRefused
from channels.messages import OutboundMessage, SendResult
from channels.wechat.api import WeChatApi
from channels.wechat.errcodes import DUPLICATE
from channels.wechat.templates import TOLD_AT, Data, Template, filled

TEMPLATE: Final = "/cgi-bin/message/template/send"
SUBSCRIPTION: Final = "/cgi-bin/message/subscribe/bizsend"

REST_S: Final = 3600.0
"""So long a template that the platform refused is not tried: every message would meet the same refusal."""
CHINA: Final = timezone(timedelta(hours=8))
"""What stands on a follower's screen is in the time of the platform."""


class TemplateMessages:
    """The approved templates of one account. `clock` gives monotonic seconds."""

    def __init__(self, api: WeChatApi, templates: Mapping[str, Template], clock: Callable[[], float]) -> None:
        self._api = api
        self._templates = templates
        self._clock = clock
        self._resting: dict[str, tuple[float, str]] = {}

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send the template of the message's moment; its number comes back in the receipt. Raises a `SendError`."""
        template = self._templates.get(message.moment)
        if template is None:
            raise Rejected(f"no template: templates.{message.moment} is not set")
        self._check_rest(message.moment, template)
        data = filled(message.moment, template, {**message.values, **_told_at(message.said_at)})
        try:
            if template.kind == "subscription":
                return await self._subscription(message, template, data)
            return await self._template(message, template, data)
        except TemplateRefused as error:
            self._resting[template.id] = (self._clock() + REST_S, error.detail)
            detail = error.detail
        raise TemplateRefused(detail, message.moment)

    def _check_rest(self, moment: str, template: Template) -> None:
        until, reason = self._resting.get(template.id, (0.0, ""))
        if self._clock() < until:
            raise TemplateRefused(reason, moment)

    async def _template(self, message: OutboundMessage, template: Template, data: Data) -> SendResult:
        """The same `client_msg_id` goes to the same follower once in ten minutes: what nobody knows is asked again."""
        payload = {
            "touser": message.address, "template_id": template.id, "client_msg_id": message.row_id, "data": data,
        }  # fmt: skip
        try:
            answer = await self._api.call_template(TEMPLATE, payload, fine=DUPLICATE)
        except OutcomeUnknown:
            answer = await self._api.call_template(TEMPLATE, payload, fine=DUPLICATE)
        return _sent(answer)

    async def _subscription(self, message: OutboundMessage, template: Template, data: Data) -> SendResult:
        payload = {"touser": message.address, "template_id": template.id, "data": data}
        return _sent(await self._api.call_template(SUBSCRIPTION, payload))


def _told_at(moment: datetime | None) -> dict[str, str]:
    return {TOLD_AT: f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}"} if moment else {}


def _sent(answer: Mapping[str, object]) -> SendResult:
    """`msgid` of a template; a subscription names none where the page says nothing of it."""
    number = answer.get("msgid")
    return SendResult(str(number) if isinstance(number, int | str) and number else None)
