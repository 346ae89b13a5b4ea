"""Who writes to a phone number sees what it makes: text messages, or nothing that may be sent."""

import msgspec
import pytest
import sqlalchemy as sa

from bot.store.residents import identities
from tests.channels import sms_kit
from tests.web.console_kit import Kit

LONG = "师傅明天上午九点到十点来看水管，到之前会打电话，家里留人。" * 3


async def by_text(kit: Kit, gateway: str) -> str:
    """Wang writes text messages over this gateway; the page of the conversation."""
    sms = {"main": sms_kit.settings(gateway)}
    kit.context.settings = msgspec.structs.replace(kit.context.settings, sms=sms)
    number = {"channel": "sms", "account": "main", "address": "+8613812348000"}
    await kit.run(
        lambda conn: conn.execute(sa.update(identities).where(identities.c.address == "owang").values(number))
    )
    return f"/inbox/{kit.seed.conversations['wang']}"


@pytest.mark.parametrize(
    ("gateway", "text", "said"),
    [
        ("twilio", "Coming at nine.", "短信1段，还能写145字"),
        ("twilio", LONG, "短信2段，还能写47字"),
        ("aliyun", "师傅在路上。", "内地短信只发报备过的文本：这句发不出去，会换别的路或变成回电"),
        ("twilio", "", ""),
    ],
)
async def test_what_a_text_makes(kit: Kit, gateway: str, text: str, said: str) -> None:
    where = await by_text(kit, gateway)
    owner = await kit.sign_in("agent")
    await owner.post(f"{where}/take")
    assert f'hx-post="/console{where}/parts"' in await owner.text(where)
    assert await (await owner.post(f"{where}/parts", {"text": text})).text() == said


async def test_elsewhere_nobody_counts(kit: Kit) -> None:
    where = f"/inbox/{kit.seed.conversations['wang']}"
    owner = await kit.sign_in("agent")
    await owner.post(f"{where}/take")
    assert "/parts" not in await owner.text(where)
    assert await (await owner.post(f"{where}/parts", {"text": "好的"})).text() == ""
