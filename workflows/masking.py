"""What a resident wrote, without what tells who they are: for lists that are kept longer than a conversation, and for
what leaves the house."""

import re

from intents.masking import MAIL, PLATE, mask

_ADDRESS = re.compile(
    r"(?:[东南西北]区)?[A-Za-z]?[0-9零一二三四五六七八九十]{1,3}(?:栋|幢|座|号楼|棟|號樓|#)"
    r"(?:[0-9零一二三四五六七八九十]{1,2}(?:单元|單元))?-?(?:[0-9零一二三四五六七八九十]{2,5}(?:室|号|房|號)?)?"
    r"|(?<![\d-])[A-Za-z]?\d{1,3}-(?:\d{1,2}-)?\d{3,4}(?![\d-])|(?<!\d)\d{3,4}(?:室|房)"
    r"|\b(?:block|tower|building) ?(?:\d{1,3}|[a-z])\b,? ?(?:flat|unit|room|apt)? ?(?:\d{1,4}[a-z]?\b)?"
    r"|\b(?:flat|unit|room|apt) ?\d{1,4}[a-z]?\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<!\d)\+?\d(?:[ -]?\d){6,18}[Xx]?(?!\d)")
_CALLED = re.compile(
    r"(?:我叫|我是|本人|my name is |i am |i'm )(?P<name>[\u4e00-\u9fff]{2,4}(?=[,，。 ])|[A-Z][a-z]+(?: [A-Z][a-z]+)?)"
)

_MARKS = ((MAIL, "[邮箱]"), (PLATE, "[车牌]"), (_ADDRESS, "[房号]"), (_NUMBER, "[号码]"))


def masked(text: str, *known: str) -> str:
    """The text with marks for addresses of homes, plates, numbers, mail, and names. `known`: names and numbers that
    the desk knows."""
    for word in sorted({word for word in known if len(word) > 1}, key=len, reverse=True):
        text = text.replace(word, "[姓名]" if not word.strip("+").isdigit() else "[号码]")
    for pattern, mark in _MARKS:
        text = pattern.sub(mark, text)
    return _CALLED.sub(lambda found: found.group().replace(found["name"], "[姓名]"), text)


# Homes as they are written in Hong Kong, and numbers spelled sign by sign.
_FLAT = re.compile(
    r"(?<!\d)\d{1,3} ?(?:/ ?[Ff]|楼|樓|层|層|字樓)[,， ]*(?:(?i:flat|room|unit|rm)\.? ?)?"
    r"[A-Za-z]\d{0,2}(?:室|座|房|(?![A-Za-z]))"
    r"|(?<![A-Za-z])[A-Za-z]\d{0,2} ?(?:室|座)(?: ?\d{1,3} ?(?:/ ?[Ff]|楼|樓|层|層))?"
    r"|\b(?i:flat|room|unit|rm)\.? ?[A-Za-z]?\d{0,4}[A-Za-z]?\b(?:[, ]+\d{1,3} ?/ ?[Ff])?"
)
_SPELLED = re.compile(r"[〇零一二三四五六七八九幺两]{3,}")


def for_outside(text: str, *known: str) -> str:
    """As `masked`, and stricter: for a reader outside the house no number of three figures stays but those of the
    police and the like. A name that only a person would know for one may stay; `known` ones never do."""
    text = masked(text, *known)
    for pattern, mark in ((_FLAT, "[房号]"), (_SPELLED, "[号码]")):
        text = pattern.sub(mark, text)
    return mask(text)
