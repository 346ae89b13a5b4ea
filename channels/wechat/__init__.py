"""WeChat official account (服务号): the server protocol and the customer-service API."""

from channels.wechat.channel import WeChat
from channels.wechat.settings import WeChatSettings

__all__ = ["WeChat", "WeChatSettings"]
