"""What a message about an existing order or case wants done with it. Pure."""

import re
from typing import Literal

from intents.normalise import normalise

Ask = Literal["cancel", "restore", "swap", "move", "contact", "urge", "who", "status"]

_RESTORE = re.compile(
    r"(?:弄|搞|点|取消)错|恢复|还得(?:来|修|换)|还要(?:来|修|换)|还是(?:来修?|修)吧|别取消|不取消|不要取消|"
    r"mistake|restore|still (?:need|want)|un-?cancel"
)
_OTHER = re.compile(
    r"(?:要|想|该)?取消的是\s*(?P<drop>[^,，。;；]{1,16}?)(?:那个|那单|的)?(?:[,，。;；]|$)|"
    r"cancel the (?P<other>[^,.]{1,20}?)(?: one)? instead"
)
_CANCEL = re.compile(
    r"取消|撤销|撤掉|撤了|作废|不用(?:来|修|换|做|上门)了|不(?:修|来|换|做)了|别来了|不需要了|已经好了|"
    r"自己(?:修)?好了|cancel|no longer need|don'?t need|don'?t come"
)
_MOVE = re.compile(
    r"改(?:到|成|为|在|个?时间|期|约)|换(?:到|个时间|成|一天)|推迟|提前|延后|延到|挪到|晚点来|早点来|"
    r"reschedul|another (?:time|day)|change the time|move it|instead|postpone"
)
_WHO = re.compile(
    r"(?:哪个|哪位|谁|啥|什么)(?:师傅|人|维修)|派给谁|师傅(?:是谁|贵姓|电话)|谁(?:来|负责|接)|who(?:'s|"
    r" is)? (?:coming|assigned|the)|which technician"
)
_URGE = re.compile(
    r"催|快点|快些|赶紧|抓紧|还没(?:来|人|修|动静|消息|联系|处理)|还不来|怎么(?:还|这么|没)|没人(?:来|管|"
    r"理|联系)|等了?(?:半天|很久|一天|两天|好几|这么久|一上午|一下午)|到底|几天了|拖|放鸽子|人呢|"
    r"still (?:waiting|no)|hurry|no one|nobody|how long|chase|when on earth"
)


def ask_of(text: str, *, time: bool, phone: bool) -> Ask:
    """The one thing a message wants of an order. `time`, `phone`: it states one."""
    plain = normalise(text)
    if _RESTORE.search(plain):
        return "swap" if _OTHER.search(plain) else "restore"
    urges = _URGE.search(plain) is not None
    meant: tuple[tuple[Ask, bool], ...] = (
        ("cancel", _CANCEL.search(plain) is not None and not (time and _MOVE.search(plain))),
        ("move", time and not urges),
        ("contact", phone),
        ("move", _MOVE.search(plain) is not None),
        ("who", _WHO.search(plain) is not None),
        ("urge", urges),
    )
    return next((ask for ask, is_meant in meant if is_meant), "status")


def to_drop(text: str) -> str:
    """What a message names as the thing to cancel instead of another."""
    found = _OTHER.search(normalise(text))
    return (found["drop"] or found["other"] or "").strip() if found else ""


_THING = re.compile(
    r"(?:把|将)?(?:我(?:家)?|我们)?(?:的|那个|那|报的|上周.{0,2}报的|昨天报的|"
    r"前天报的)*(?P<thing>[^,，。;；的]{2,10}?)(?:的?(?:那个?|这个?)?(?:单子|单|报修|工单|事|"
    r"订单))?(?:取消|撤|不用|先别|到哪|怎么|进度|$)"
)


def thing_of(text: str) -> str:
    """What the order is about, in the resident's words: 换灯泡."""
    found = _THING.search(normalise(text).strip())
    thing = (found["thing"] if found else "").strip()
    return re.sub(r"^(?:把|将|我|家|的|那个|这个|报)+|(?:的|那个|单子|单)+$", "", thing)
