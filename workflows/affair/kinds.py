"""The kinds of daily affairs as data: number, names, whose they are, what they need, by when (desk.md section 7)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.desk import DeskSettings
from workflows import deadlines

RECORDED, IN_HAND, ANSWERED, CLOSED, CANCELLED = "recorded", "in_hand", "answered", "closed", "cancelled"

STATES: Mapping[str, tuple[str, str]] = {
    RECORDED: ("待办", "to do"),
    IN_HAND: ("在办", "in hand"),
    ANSWERED: ("已回复", "answered"),
    CLOSED: ("已归档", "closed"),
    CANCELLED: ("已取消", "cancelled"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of affair: its number, its names, whose it is, what it needs before it can be done.

    `home`: which home; `takes_time`: a day may be wished; `asks_time`: it is asked for, once. `soon`: answered within
    hours. `done_days`: working days to its end; None: the days that the settings allow.
    """

    number: str
    zh: str
    en: str
    intent: str
    role: str = "supervisor"
    home: bool = False
    takes_time: bool = False
    asks_time: bool = False
    soon: bool = False
    done_days: int | None = None


KINDS: Mapping[str, Kind] = {
    "suggestion": Kind("JY", "建议", "suggestion", "suggestion"),
    "praise": Kind("RC", "表扬", "praise", "praise"),
    "payment": Kind("JF", "缴费异常", "payment exception", "payment", role="cashier", home=True, done_days=3),
    "application": Kind("SQ", "业务办理", "application", "application", role="desk", home=True, takes_time=True),
    "service": Kind(
        "RC", "便民服务", "service booking", "application", role="desk", home=True, takes_time=True, asks_time=True
    ),
    "question": Kind("RC", "咨询转办", "question passed on", "faq", role="desk", soon=True),
    "help": Kind("RC", "求助", "request for help", "other", role="desk", soon=True),
    "unfinished": Kind("RC", "未报完", "unfinished report", "other", role="desk"),
}

_SERVICE = re.compile(
    r"保洁|家政|钟点工?|鐘點|阿姨打扫|擦玻璃|擦窗|洗衣|干洗|乾洗|订餐|送餐|订(?:一?桶)?水|送水|叫(?:个|辆|部)?车|约(?:个|辆)?车|叫的士|订(?:机|车|火车|高铁)?票|"
    r"理疗|义诊|體檢|体检|清洗(?:空调|油烟机|地毯|沙发)|(?:空调|油烟机|地毯|沙发)清洗|搬家公司|上门(?:洗|理发|收)|"
    r"house ?keep|clean(?:er|ing)|laundry|dry.?clean|\btaxi\b|tickets?\b|water delivery|massage",
    re.IGNORECASE,
)
_ORDERS = re.compile(r"约|約|订|訂|叫|请|請|帮|幫|想|要|安排|预|need|book|like|want|arrange|order", re.IGNORECASE)
_HELP = re.compile(
    r"挪(?:一?下|个)?车|借(?:个|把|辆|一下|一?用)?.{0,4}(?:推车|手推车|梯子|工具|打气筒|轮椅|雨伞|充电器)|开(?:一?下|个)?(?:门禁|单元门|闸)|"
    r"(?:帮|幫|請|请).{0,6}(?:抬|搬|扛|代收|收(?:一)?下(?:快递|包裹)|扶)|(?:丢|掉|落|遗失|捡到|拾到|执到).{0,8}(?:钥匙|手机|钱包|身份证|卡|包|耳机|猫|狗)|失物|"
    r"(?:钥匙|鎖匙|手机|钱包|身份证|门禁卡|包裹|耳机|猫|狗).{0,4}(?:丢|掉|落|不见|忘|唔見|跌咗)|"
    r"move (?:the|that|this|his|her|a)? ?car|borrow|lend|lost (?:my|a)|found (?:a|some)|carry",
    re.IGNORECASE,
)
_OWNERS_ONLY = re.compile(
    r"装修|裝修|放行|搬出|搬走|动火|動火|改资料|改资料|过户|renovat|release (?:slip|pass)|hot.?work", re.IGNORECASE
)


def asked_for(text: str) -> str:
    """`service` or `help` where the words ask for a convenience service or a hand (挪车, a trolley, a lost key)."""
    if _SERVICE.search(text) and _ORDERS.search(text):
        return "service"
    return "help" if _HELP.search(text) else ""


def needs_owner(kind: str, text: str) -> bool:
    """Whether a tenant needs the owner's yes for it (desk.md section 2)."""
    return kind == "application" and _OWNERS_ONLY.search(text) is not None


def answer_by(kind: str, local: datetime, settings: DeskSettings) -> datetime:
    """When the resident has heard a first word."""
    if KINDS[kind].soon:
        return deadlines.answer_by(local, settings)
    return deadlines.affair_by(local, settings)


def done_by(kind: str, local: datetime, settings: DeskSettings) -> datetime:
    """When it is at its end."""
    return deadlines.affair_done_by(local, settings, KINDS[kind].done_days)
