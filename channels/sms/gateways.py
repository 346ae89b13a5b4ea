"""The gateways there are. A new one is one line."""

from collections.abc import Mapping
from typing import Final

from channels.sms.aliyun import Aliyun
from channels.sms.gateway import Gateway
from channels.sms.signed_json import SignedJson
from channels.sms.tencent import Tencent
from channels.sms.twilio import Twilio

GATEWAYS: Final[Mapping[str, type[Gateway]]] = {
    "twilio": Twilio,
    "aliyun": Aliyun,
    "tencent": Tencent,
    "signed-json": SignedJson,
}
