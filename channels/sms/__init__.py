"""SMS: one channel, one file a gateway. `channels.sms.gateways` lists them."""

from channels.sms.channel import Sms, SmsSettings

__all__ = ["Sms", "SmsSettings"]
