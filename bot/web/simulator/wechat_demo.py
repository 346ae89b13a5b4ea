"""The demonstration's account: every template that can be applied for is approved there."""

from bot.web.simulator.wechat import WeChatPlatform
from channels.wechat.settings import WeChatSettings
from channels.wechat.templates import Template, suggested


def account(platform: WeChatPlatform) -> WeChatSettings:
    """The settings of the account that the simulator plays; its templates are listed at the platform."""
    return WeChatSettings(
        app_id=platform.account.app_id,
        app_secret=platform.account.app_secret,
        token=platform.account.token,
        original_id=platform.account.original_id,
        api_base=platform.base_url,
        image_base=platform.base_url,
        templates=_approved(platform),
    )


def _approved(platform: WeChatPlatform) -> dict[str, Template]:
    approved: dict[str, Template] = {}
    for moment, known in suggested().items():
        keys = [f"{field.kind}{place}" for place, field in enumerate(known.fields, 1)]
        names = {key: field.name for key, field in zip(keys, known.fields, strict=True)}
        texts = {key: field.text for key, field in zip(keys, known.fields, strict=True)}
        approved[moment] = Template(id=f"DEMO_{moment}", fields=texts)
        platform.list_template(f"DEMO_{moment}", known.title, names)
    return approved
