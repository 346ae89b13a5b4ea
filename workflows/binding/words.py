"""What a message says about who somebody is: a wish to bind or unbind, a name, the end of a number, a code. Pure."""

import re

from intents.normalise import normalise

CODE = re.compile(r"(?<!\d)(\d{6})(?!\d)")
_BIND = re.compile(r"绑定|綁定|認證|认证(?:房|业主|住户)|\bbind\b|link my (?:home|flat|account)", re.IGNORECASE)
_UNBIND = re.compile(
    r"(?<![不别別])(?:解绑|解綁)|解除绑定|解除綁定|取消绑定|取消綁定|不(?:再|要)绑定|unbind|unlink|remove my binding",
    re.IGNORECASE,
)
_KEEPS = re.compile(r"[不别別](?:要)?(?:解绑|解綁)|don'?t|keep", re.IGNORECASE)
_OBJECTS = re.compile(
    r"^\s*(?:不是|唔係|唔是|不系)(?:我|本人)?(?:绑|綁|绑定|綁定|操作|弄|做)?(?:的|嘅|噶)?[。.!！~\s]*$|"
    r"^\s*(?:(?:it(?:'s| is| was) )?not me|wasn'?t me|not mine|no)[.!\s]*$",
    re.IGNORECASE,
)
_WANTS_CODE = re.compile(r"验证码|驗證碼|短信|不记得|唔記得|忘了|忘記|忘记|\bcode\b|\bsms\b|forgot", re.IGNORECASE)
_FOUR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_PHONE = re.compile(r"(?<!\d)\d{7,15}(?!\d)")
_HOME = re.compile(
    r"[A-Za-z]?\d{1,4}\s*(?:[-－—/#]|号楼|號樓|栋|棟|幢|座|单元|單元|室|号|號|房|楼|樓)\s*"
    r"(?:[A-Za-z]?\d{1,4}\s*(?:[-－—/#]|单元|單元|室|号|號|房|楼|樓)?\s*)*|[A-Za-z]\s*座\s*\d{0,4}|"
    r"\b(?:tower|block|building|unit|flat|room)\s*\w{1,5}\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"绑定|綁定|房屋|房号|房號|房子|住址|地址|姓名|名字|登记|登記|手机号?|手機號?|电话|電話|号码|號碼|尾号|尾號|"
    r"后四位|後四位|最后|最後|四位|业主|業主|租户|租戶|住户|住戶|我是|我叫|我系|我係|我要|我想|帮我|幫我|请|請|"
    r"\b(?:bind|please|my|name|is|phone|number|last|four|digits|home|flat|ends?|in|with|and|the|i'?m|am|i|to|"
    r"want|would|like|link|account|register(?:ed)?|hello|hi|can|could|you|help|me|it|a|this|of|mobile)\b",
    re.IGNORECASE,
)
_SAYS_NAME = re.compile(r"(?:我是|我叫|名叫|叫做|叫|是|的)(?=[\u4e00-\u9fff·]{2,4}$)")
_HAN_NAME = re.compile(r"^[\u4e00-\u9fff]{1,3}(?:·?[\u4e00-\u9fff]{1,6})$")
_LATIN_NAME = re.compile(r"^[A-Z][A-Za-z'.-]*(?: [A-Z][A-Za-z'.-]*){0,4}$")
_NO_NAME = frozenset(
    {
        "是的", "好的", "对的", "對的", "可以", "没有", "沒有", "不知道", "不是", "谢谢",
        "謝謝", "你好", "您好", "在吗", "在嗎", "不用", "算了", "没错", "冇錯", "这个",
        "這個", "什么", "什麼",
    }
)  # fmt: skip
_SIGNS_IN = re.compile(r"^\s*(?:登录|登錄|登入|sign ?in|log ?in)\s*(\d{6})\s*$", re.IGNORECASE)
LONGEST_WISH = 60
"""A message longer than this tells a story, in which the word stands by the way."""


def wants_to_bind(text: str) -> bool:
    return len(text) <= LONGEST_WISH and _BIND.search(text) is not None and not wants_to_unbind(text)


def wants_to_unbind(text: str) -> bool:
    return len(text) <= LONGEST_WISH and _UNBIND.search(text) is not None


def keeps(text: str) -> bool:
    """They do not want to unbind after all."""
    return _KEEPS.search(text) is not None


def objects(text: str) -> bool:
    """Nothing but "it was not me"."""
    return _OBJECTS.match(text) is not None


def wants_code(text: str) -> bool:
    """They would rather prove the number with a text message."""
    return _WANTS_CODE.search(text) is not None


def code_in(text: str) -> str:
    """The six digits of a one-time code, where the message holds nothing else that they could be."""
    found = CODE.findall(text)
    return str(found[0]) if len(found) == 1 and not _PHONE.search(CODE.sub(" ", text)) else ""


def signs_in(text: str) -> str:
    """The code of a console that waits: 登录 482913. Its own word, so that nobody types such a code by mistake."""
    found = _SIGNS_IN.match(text)
    return found[1] if found else ""


def last_four(text: str) -> str:
    """The last four digits of a phone, from them alone or from the whole number; a home in the text is none."""
    whole = _PHONE.findall(text)
    if whole:
        return str(whole[-1])[-4:]
    found = _FOUR.findall(_HOME.sub(" ", text))
    return str(found[-1]) if found else ""


def name_in(text: str, *places: str) -> str:
    """The name that a message states beside a home and a number; `places`: names of communities, which are none."""
    rest = _HOME.sub(" ", text)
    for place in sorted(places, key=len, reverse=True):
        rest = rest.replace(place, " ")
    pieces = re.split(r"[\s,，、;；:：。.!！\d]+", _ABOUT.sub(" ", rest))
    latin = " ".join(piece for piece in pieces if re.fullmatch(r"[A-Za-z'.-]+", piece))
    for piece in pieces:
        said = _SAYS_NAME.split(piece)[-1]
        if _HAN_NAME.match(said) and len(said) >= 2 and said not in _NO_NAME:
            return said
    return latin if _LATIN_NAME.match(latin) and len(latin) > 1 else ""


def is_name(text: str) -> bool:
    """Nothing but a name: two to four characters of Chinese, or two to five capitalised words."""
    chinese = re.fullmatch(r"[\u4e00-\u9fff·]{2,4}", text) is not None and text not in _NO_NAME
    return chinese or (" " in text and _LATIN_NAME.match(text) is not None)


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are one name: case, spaces and the script do not count."""
    return bool(one) and _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return re.sub(r"[\s·.'-]", "", normalise(name)).casefold()
