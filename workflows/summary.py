"""A request in few words, as it is said back: the resident's own, without greeting, address, time and phone. Pure."""

import functools
import re

from intents.model import Reading
from intents.normalise import normalise

MOST = 28
"""A summary is cut at a clause after so many characters."""

_N = r"[\d一二三四五六七八九十百零幺〇两]"
_HOME = re.compile(
    rf"(?:[东東南西北][区區]|[一二三四五六]期)?\s*(?:第)?(?:{_N}{{1,4}}|[A-Za-z])\s*(?:号楼|號樓|号院|栋|"
    rf"棟|幢|座|#)\s*[-,，的]?\s*(?:{_N}{{1,2}}\s*(?:单元|"
    rf"單元))?\s*(?:{_N}{{1,2}}[楼樓层層])?\s*(?:{_N}{{3,4}}|[A-Ha-h](?![a-z]))?\s*(?:室|号|號|房)?"
    rf"|(?<![\w-])[TtBb]?\d{{1,2}}\s*[-#/]\s*(?:\d{{1,2}}\s*[-#/]\s*)?\d{{3,4}}[A-Ha-h]?(?![\d-])|"
    rf"{_N}{{1,2}}(?:单元|單元)\s*(?:{_N}{{3,4}})?(?:室)?"
    r"|\b(?:tower|block|building|bldg|flat|room|rm|unit|apt|apartment)\s*#?\s*\d{1,4}[a-z]?\b|"
    r"(?<![\d.])\d{3,4}\s*(?:室|号房|房)(?!租)",
    re.IGNORECASE,
)
_PHONE = re.compile(r"\+?\d[\d\s-]{6,}\d")
_PICTURE = re.compile(r"\[(?:图片|圖片|语音|視頻|视频|photo|image)\]|\[[^\[\]]{1,4}\]")
_LEAD = re.compile(
    r"^(?:[\s,，。.!！~、:：]|你好|您好|妳好|早上好|上午好|中午好|下午好|晚上好|在吗|在嗎|喂|嗨|哈喽|师傅|"
    r"師傅|物业|物業|请问|請問|请|請|麻烦|麻煩|唔該|打扰了?|那个|那個|就是|呃|嗯|啊|哎呀?|对了|對了|还有|還有|另外|顺便|"
    r"順便|"
    r"帮我们?|幫我|帮忙|幫忙|帮|我要|我想|想(?:要|请|約|约|预约)?(?=一?[个個名位下]|[约約订訂办辦])|我(?:们|哋)?(?:家|屋企)(?:里面?|裡面?|里头|的|嘅|入面)?(?=[^的,，。]{2})|我[们哋]?(?:这边|这里|呢度)?(?=[,，])|(?:来)?(?:报|報)(?:个|個|一下)?(?:修|障)(?:一下|"
    r"下)?|给?(?:看|修|处理|登记)(?:一下|下)(?=[,，])|约|預約|预约|问下|問下|问一下|hello|hi|hey|dear|"
    r"please|sorry|excuse me|(?:can|could) (?:i|we|you|somebody|someone)\b|"
    r"i(?:'d| would) like(?: to)?\b|i want(?: to)?\b|"
    r"(?:my|our|the|there is|there's|there are|we have|i have|i've got|it seems(?: that)?)\b|"
    r"(?:i'?m|this is|i am|i live) (?:in|at|from)\b)+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[\s,，。.!！~、?？:：;；]|(?:电话|手机|電話|手機)(?:号码?|號碼?)?(?:是|为)?|谢谢(?:您|你|啦|了)?|"
    r"謝謝|多谢|唔該晒?|麻烦(?:您|你|你们|您了|了|啦)?|辛苦(?:了)?|(?:麻烦|麻煩|请|請)?(?:快|赶紧|"
    r"尽快)?(?:派|叫|安排|找)(?:个|一?个|下)?(?:人|师傅|師傅)(?:来|過來|过来)?(?:看看|修|修一下|看一下|"
    r"修修|处理)?(?:一下|下)?(?:吧|呗|啊|好吗)?|"
    r"(?:来|过来|幫|帮忙|帮我|幫我)?(?:修|看|处理|申请|登记|办|办理|预约|查)(?:一下|下|一修|一看|看)(?:吧|"
    r"呗|啊|好吗|行吗)?|(?:能不能|可不可以|可以|能|可否|请|麻烦)?(?:帮|幫)(?:我|忙|个忙|我们)?(?:查|看|核对|处理|弄)(?:一下|下|一查|查)?(?:吗|嘛|嗎|吧|呗)?|"
    r"please|thanks?|thank you)+$",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"坏掉?|不行|没反应|沒反應|有问题|有問題|出毛病|毛病|问题|問題|报修|報修|维修|維修|修理|故障|不好使|"
    r"不能用|用不了|没法用|东西|東西|这个|那个|這個|那個|就是?|我家|家里|我们|我|你们|您|你|来|人|师傅|"
    r"師傅|修|看|一下|下|了|的|呀|啊|吧|呢|嘛|哦|又|都|给|帮|要|想|请|麻烦|个|"
    r"[\s,，。.!！?？~、]|it'?s|is|it|broken|broke|not working|doesn'?t work|the|my|please|help|fix|"
    r"repair|need|a|i|something|thing|out of order|report|to|want",
    re.IGNORECASE,
)


def is_vague(text: str) -> bool:
    """Whether a report says neither what is broken nor how: 坏了, 来修一下, it's broken."""
    bare = _PHONE.sub("", _HOME.sub("", _PICTURE.sub("", text)))
    left = _FILLER.sub("", normalise(bare))
    return not left


_LEFT_OVER = re.compile(
    r"\b(?:in|at|of|from)\s+(?=(?:is|are|has|was|keeps?|makes?|doesn't|won't|not)\b|[,.]|$)", re.IGNORECASE
)
"""A preposition whose place was taken out."""


def fault_of(text: str, reading: Reading | None = None, most: int = MOST) -> str:
    """What is wrong, in the resident's words."""
    text = _PICTURE.sub(" ", text)
    time = reading.slots.time.text if reading is not None and reading.slots.time is not None else ""
    if time:
        text = text.replace(time, " ")
    text = _LEFT_OVER.sub(" ", _PHONE.sub(" ", _HOME.sub(" ", text)))
    pieces = [_trimmed(piece) for piece in re.split(r"[\n。；;！!]|\.\s|[,，]\s*(?=谢|麻烦|thank)", text)]
    return _cut(
        "，".join(piece for piece in pieces if piece) if is_chinese(text) else ", ".join(p for p in pieces if p), most
    )


_COMPLAIN = re.compile(
    r"^(?:我?(?:还|也)?(?:要|想)?(?:投诉|投訴|举报|反映|反映一下)(?:一下|下)?[\s,，:：]*)+|^i (?:want|would like|"
    r"wish) to (?:complain|make a complaint)(?: about)?[\s,:]*",
    re.IGNORECASE,
)


def complaint_of(text: str) -> str:
    """What is complained of: as `fault_of`, with room for more, since it was heard out."""
    text = _PHONE.sub(" ", _PICTURE.sub(" ", text))
    pieces = [_trimmed(piece) for piece in re.split(r"[\n。；;！!]|\.\s", text)]
    found = _cut(("，" if is_chinese(text) else ", ").join(piece for piece in pieces if piece), 48)
    return _COMPLAIN.sub("", found) or found


_MINE = re.compile(r"\b(?:my|our)\b", re.IGNORECASE)


def _trimmed(piece: str) -> str:
    """Without greeting and courtesy at its ends, and in words that neither "I" nor "you" has to say."""
    before = None
    piece = _MINE.sub("the", piece)
    piece = re.sub(r"(?<=[，,、])\s+(?=[\u4e00-\u9fff])", "", re.sub(r"\s+", " ", piece)).strip()
    while before != piece:
        before = piece
        piece = _TAIL.sub("", _LEAD.sub("", piece))
    return re.sub(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])", "，", piece.strip(" ,，。.、:：?？"))


def is_chinese(text: str) -> bool:
    """Whether it holds a Chinese sign."""
    return re.search(r"[\u4e00-\u9fff]", text) is not None


def _cut(text: str, most: int) -> str:
    most = most if is_chinese(text) else most * 3
    if len(text) <= most:
        return text
    for mark in ("，", ",", " ", "、"):
        cut = text.rfind(mark, most // 3, most)
        if cut > 0:
            return text[:cut].rstrip("，, ")
    return text[: most - 1] + "…"


def bare_title(title: str) -> str:
    """The thing that an article is about: its title up to its question words."""
    return re.split(r"怎么|要什么|多少|管几|能不能|[，,？?]", title, maxsplit=1)[0]


def first_clause(text: str) -> str:
    """A summary cut to its first clause, where that says enough: 客厅换灯泡."""
    clause = re.split(r"[，,]", text, maxsplit=1)[0].strip()
    return clause if len(clause) >= 4 else text[:MOST]


def shared(text: str, words: str) -> int:
    """How many pairs of signs (Chinese) or words (English) two texts share: whether they speak of one thing."""
    return len(_pieces(text) & _pieces(words))


_COMMON = frozenset(
    word
    for line in (
        "这个 那个 什么 怎么 现在 一下 时候 可以 不用 我家 家里 我们 你们",
        "的话 一个 今天 明天 后天 上午 下午 晚上 早上 周日 周六 师傅 没有",
        "不是 就是 还是 已经 一直 有点 几点 多少 方便 麻烦 谢谢 取消 单子",
        "那单 电话 改成 来看 来修 投诉 报修 登记 厨房 卫生 生间 浴室 客厅",
        "卧室 主卧 次卧 书房 阳台",
    )
    for word in line.split()
)
"""Pairs of signs that say nothing about the thing spoken of: pronouns, times, courtesies, rooms."""
_COMMON_ENGLISH = frozenset(
    word for line in ("the and are was for with this that not you can please will have from",) for word in line.split()
)


_HAN = re.compile(r"[\u4e00-\u9fff]+")
_ENGLISH = re.compile(r"[a-z]{3,}")


@functools.lru_cache(maxsize=1024)
def _pieces(text: str) -> frozenset[str]:
    text = normalise(_PICTURE.sub(" ", text))
    pairs = {run[i : i + 2] for run in _HAN.findall(text) for i in range(len(run) - 1)}
    return frozenset((pairs - _COMMON) | (set(_ENGLISH.findall(text)) - _COMMON_ENGLISH))
