"""The real command with an SMS account at each gateway, set as the documentation says, and the phone of `--demo`."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import aiohttp

from bot import demo
from bot.web.simulator.sms import SmsGateway
from tests.channels.sms_kit import ACCOUNTS, PHONE, dialect
from tests.support.process import Service, running

NAMES: Final = {"twilio": "main", "aliyun": "mainland", "tencent": "other"}
REPORT: Final = "翠湖苑3栋2单元1502厨房水管漏水，电话13912345678"


async def test_every_gateway_and_the_demo_phone(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        far: dict[str, SmsGateway] = {}
        for gateway in NAMES:
            far[gateway] = SmsGateway(dialect(gateway), answer_s=30.0)
            await far[gateway].start()
            stack.push_async_callback(far[gateway].stop)
        service = Service(tmp_path, _environment(far), "--demo")
        for gateway, name in NAMES.items():
            far[gateway].service = f"{service.url}/channels/sms/{name}"
        await stack.enter_async_context(running(service))
        for gateway in NAMES:
            assert (await far[gateway].push_text(PHONE, REPORT)).acknowledged, gateway
        twilio = far["twilio"]
        await twilio.wire.until(lambda: bool(twilio.phone(PHONE).received()), timeout_s=30)
        assert "单号WX" in twilio.phone(PHONE).received()[0]
        await twilio.wire.until(lambda: any(one.name == "receipt" for one in twilio.wire.transfers), timeout_s=30)
        await _the_demo_phone_is_answered(service)
        log = service.log.read_text("utf-8")
        secrets = {account[key] for account in ACCOUNTS.values() for key in account if "token" in key or "key" in key}
        assert not [word for word in (*secrets, "13800138000", "13912345678", "漏水") if word in log]


def _environment(far: dict[str, SmsGateway]) -> dict[str, str]:
    found: dict[str, str] = {}
    for gateway, name in NAMES.items():
        prefix = f"FRONTDESK_SMS__{name.upper()}__"
        found |= {f"{prefix}GATEWAY": gateway, f"{prefix}API_BASE": far[gateway].base_url}
        found |= {f"{prefix}{key.upper()}": value for key, value in ACCOUNTS[gateway].items() if isinstance(value, str)}
    return found


async def _the_demo_phone_is_answered(service: Service) -> None:
    """`main` is taken, so the simulator has an account `demo`."""
    visitor = demo.people()[-1]
    async with aiohttp.ClientSession(service.url) as session:
        sent = {"openid": visitor.openid, "text": "你好"}
        async with session.post("/simulator/sms/send", json=sent) as response:
            assert response.status == 202
        async with asyncio.timeout(30):
            while not (found := await _received(session, visitor.number)):
                await asyncio.sleep(0.1)
        assert found[0]["parts"] >= 1
        async with session.post("/channels/sms/demo/inbound", data=b"Body=x") as response:
            assert response.status == 403


async def _received(session: aiohttp.ClientSession, number: str) -> list[dict[str, Any]]:
    async with session.get("/simulator/sms/state") as response:
        state = json.loads(await response.text())
    (mine,) = (phone for phone in state["phones"] if phone["number"] == number)
    return [entry for entry in mine["screen"] if entry["direction"] == "received"]
