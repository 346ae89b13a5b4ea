"""SMS: one channel, one file a gateway. `channels.sms.gateways` lists them."""

from channels.sms.channel import Sms, SmsSettings
from channels.sms.numbers import handset
from channels.sms.vocabulary import approved

__all__ = ["Sms", "SmsSettings", "approved", "handset"]
