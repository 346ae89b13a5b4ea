"""The SMS account of the demonstration: a gateway inside the process, and the settings that lead to it."""

import secrets
from contextlib import AsyncExitStack
from typing import Final

import msgspec

from bot.settings import Settings
from bot.store import outbox
from bot.store.database import Database
from bot.web.simulator.sms import SmsGateway
from bot.web.simulator.sms_twilio import Twilio
from channels.sms import SmsSettings

_NUMBER: Final = "+85230000001"
_LINES: Final = 500


async def start(settings: Settings, database: Database, stack: AsyncExitStack) -> tuple[Settings, SmsGateway]:
    """An account for the phones: `main` where none is set, else `demo` beside those that are.

    The handsets show what was said before this start.
    """
    name = "demo" if "main" in settings.sms else "main"
    dialect = Twilio(f"AC{secrets.token_hex(16)}", secrets.token_hex(16), _NUMBER)
    # What the service is called by must be what it checks the signature over, whatever the public address is.
    here = settings.local(settings.port)
    gateway = SmsGateway(dialect, service=f"{here}/channels/sms/{name}")
    await gateway.start()
    stack.push_async_callback(gateway.stop)
    for line in await database.read(outbox.said_before, "sms", name, _LINES):
        if line["text"] and line["at"] is not None:
            gateway.show(line["address"], "sent" if line["theirs"] else "received", line["text"], line["at"])
    account = SmsSettings(
        gateway="twilio", account_sid=dialect.account_sid, auth_token=dialect.auth_token, sender=_NUMBER,
        api_base=gateway.base_url, public_url=here,
    )  # fmt: skip
    return msgspec.structs.replace(settings, sms={**settings.sms, name: account}), gateway
