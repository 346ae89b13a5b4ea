"""Takes personal data out of a message that is kept: to the classifier, what is left says the same.

Digits become zeros (any number is one feature), names become 某某, addresses at a provider are left out. What cannot
be told from an ordinary word stays; so a masked text is for staff, not for the public.
"""

import re
from collections.abc import Callable

PUBLIC_NUMBERS = frozenset({"110", "119", "120", "122", "12315", "12345", "12328", "95598", "911", "999"})
"""Numbers that belong to nobody."""

_NUMBER = re.compile(r"\d{3,}")
_SPELLED = re.compile(r"[〇零一二三四五六七八九幺两]{7,}")
MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_ACCOUNT = re.compile(
    r"(?i)((?:微信|weixin|wechat|telegram|\bvx|\bqq)\s*(?:号码?|id)?\s*(?:是|[:：])?\s*)@?[a-z\d][\w-]{4,}"
)
PLATE = re.compile(
    r"(?i)([京津沪滬渝冀豫云雲辽遼黑湘皖鲁魯新苏蘇浙赣贛鄂桂甘晋蒙陕陝吉闽閩贵貴粤粵青藏川宁寧琼瓊])"
    r"([a-z])[\s·.\-]?(?=[a-z]{0,6}\d)[a-z\d]{4,6}[港澳]?"
)
_SURNAMES = (
    "王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何林罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖萧蕭田董袁潘蔡蒋蔣余于杜叶葉程苏蘇魏吕呂丁任"
    "卢盧姚沈钟鍾姜崔谭譚陆陸范汪廖贾賈夏韦韋付傅方白邹鄒孟熊秦邱侯江尹薛闫閻段雷龙龍史陶贺賀顾顧毛郝龚龔邵万萬钱錢严嚴覃武戴莫孔汤湯欧歐阮岑"
)
_END = r"(?=$|[^\w]|的|啊|呀|哈|先生|女士|小姐|太太)"
_SELF = re.compile(
    rf"((?:我是|我叫|我名叫|本人|叫我|姓名\s*(?:是|[:：])?|我系)\s*)[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}{_END}"
)
_SURNAME = re.compile(rf"((?:我|免贵|敝|本人)姓)[{_SURNAMES}]")
_TITLED = re.compile(rf"[{_SURNAMES}][\u4e00-\u9fff]{{0,2}}(?=先生|女士|小姐|太太|阿姨|师傅|師傅|经理|經理)")
_ENGLISH = re.compile(
    r"((?i:my name is|i am|i'm|this is|name:)\s+(?i:mr\.?|mrs\.?|ms\.?)?\s*)[A-Z][a-z]+(?:\s[A-Z][a-z]+){0,2}"
)


# Each pattern and what its finds become, in order; a function where that depends on what was found.
_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (MAIL, "某某"),
    (_ACCOUNT, r"\1某某"),
    (PLATE, r"\1\g<2>00000"),
    (_NUMBER, lambda found: found.group() if found.group() in PUBLIC_NUMBERS else "0" * len(found.group())),
    (_SPELLED, lambda found: "零" * len(found.group())),
    (_SELF, r"\1某某"),
    (_SURNAME, r"\1某"),
    (_TITLED, "某"),
    (_ENGLISH, r"\1Somebody"),
)


def mask(text: str, *names: str) -> str:
    """`text` without phones, plates, accounts, numbers of orders and homes, and names; `names` are known to be such."""
    for name in names:
        if len(name) > 1:
            text = text.replace(name, "某某")
    for pattern, instead in _RULES:
        # Most texts hold none of it, and to look is far cheaper than to replace.
        if pattern.search(text):
            text = pattern.sub(instead, text)
    return text
