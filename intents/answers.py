"""What a short message answers to an open question: yes, no, a choice, a cancellation, a rating and so on."""

import re
from collections.abc import Callable
from typing import Literal

import msgspec

from intents.normalise import normalise
from intents.numerals import number

Kind = Literal["yes", "no", "choice", "cancel", "whatever", "decline", "correction", "rating", "none"]


class Answer(msgspec.Struct, frozen=True):
    """An answer read without its question.

    `choice`: the number picked, from 1 (-1 is the last one). `score`: a rating in stars or points as said. `rating`:
    `good`, `fair`, `bad` or `not_fixed` where words rate. `text`: the new value after a correction marker.
    """

    kind: Kind = "none"
    choice: int | None = None
    score: int | None = None
    rating: str | None = None
    text: str | None = None


_END = r"[\s。.!!~、,,啊呀哦喔哈啦了的呢吧嘛哒滴~]*"
_EMOTICONS = re.compile(
    r"\[(?:[^\[\]]{1,6}|[a-z ]{7,14})\]|/:(?:[a-z]{2,9}|[!-~]{1,4})|[\U0001F300-\U0001FAFF\u2600-\u27BF]", re.IGNORECASE
)
"""Emoji, and WeChat's codes for its own: [微笑], [ThumbsUp], /::), /:strong."""
_ORDINALS = "一二三四五六七八九"

_CHOICE = re.compile(
    r"^(?:我?[选回要]|回复|选择|就|choose|option|number|no\.?|#|第|the)?\s*(?P<n>[1-9]|"
    rf"[{_ORDINALS}两])\s*(?:[号个种套条项]|st|nd|rd|th)?(?:个|种|套|项|one)?{_END}$"
)
# "2 修好了，有话说": the digit of the menu with its own words.
_CHOICE_AND_WORDS = re.compile(
    r"^(?:回复?|选)?(?P<n>[1-9])[\s,，、:：.]+(?=(?:修好|没修好|满意|一般|不满意|有话说|"
    r"对|不|是|可以|fixed|not|satisfied|yes|no))"
)
_NAMED_CHOICE = re.compile(
    r"^(?:我?(?:选|要)|就)?\s*(?:第)(?P<n>[1-9一二三四五六七八九])(?:个|种|套|条|项|家)?|"
    r"^(?:选|回复?)\s*(?P<m>[1-9一二三四五六七八九])(?:号|个)?(?![\d分点星]|[:.]\d)|"
    r"^(?:the )?(?P<word>first|second|third|last|former|latter)(?: one)?\b"
)
_BEFORE_LAST = re.compile(r"^(?:我?选|要|就)?(?:前面?|上面?)(?:那|的|一)?(?:个|套)")
_LAST = re.compile(r"^(?:我?选|要|就)?(?:后面?|最后|下面)(?:那|的|一)?(?:个|套)")
_SCORE = re.compile(
    r"(?:^|打|给|评)\s*(?P<n>10|\d|[零一二两三四五六七八九十])\s*(?:分|星|颗星|points?\b|"
    r"stars?\b|/\s*(?:5|10))(?!钟)|^(?P<stars>[⭐★🌟]{1,5})$|(?P<full>满分)"
)

_CANCEL = re.compile(
    r"^(?:还是|那)?(?:算了|算啦|算咯|罢了)|(?:不用|不要|别|不需要|不必)(?:再)?(?:报修?|修|"
    r"登记|派人?|来|麻烦|弄|办|投诉|处理|报)了|(?:^|我要|我想|帮我|请|那就?)(?:取消|撤销|"
    r"撤回|作废)(?!了?吗)|不(?:报修?|修|办|投诉|登记)了|先不(?:报|修|办|弄|投诉)|不用了|"
    r"\b(?:cancel(?! fee)|never ?mind|forget (?:it|about it)|no longer need(?:ed)?|"
    r"don't bother|scrap (?:it|that)|drop it)\b|(?:当|就当)我没说|自己(?:修)?好了"
)
_WHATEVER = re.compile(
    r"^(?:我)?(?:什么时候|哪天|几点|啥时候|随时|怎么|哪个|时间|何时|任何时间|白天|"
    r"都)?(?:都)?(?:行|可以|ok|得|好|方便|没问题)(?:的)?(?:[,，。!]|$)(?!.{6})|随便|随意|"
    r"随时(?:都)?(?:可以|行|来|方便|得|ok)?|越快越好|尽快|尽早|尽量早|早点来|看你们|"
    r"你们(?:定|安排|看着)|听你们|无所谓|都可以|都行|都得|不限|没要求|"
    r"\bany ?time\b|whenever|whatever|asap|as soon as possible|up to you|doesn't matter|"
    r"don't mind|any(?:thing| day| of them)? (?:is fine|works|is ok)|soonest|earliest|"
    r"either|sooner the better|快点就行"
)
_DECLINE = re.compile(
    r"不(?:方便|想|愿意?|便|太方便)(?:.{0,3})(?:留|说|透露|提供|给|讲|告诉)|(?:就|"
    r"先)?不(?:留|给|说|填|提供)了|保密.{0,3}不|(?:房号|电话|号码|名字|地址|"
    r"手机).{0,4}(?:不留|不给|不说|不写|不填|就算了|免了|不方便)|没(?:有)?(?:电话|手机)|"
    r"不用留|"
    r"(?:rather|prefer) not|don't want to (?:say|give|leave|share)|won't (?:say|give|"
    r"leave)|no phone|not comfortable|skip (?:that|it|this)"
)
_CORRECTION = re.compile(
    r"(?:写|打|说|发|填|报|搞|弄|看|记)错了?|错了[,，。;；\s]+(?:应该)?是|^(?:哦|噢|啊|哎|"
    r"等下|等等|等一下|唉)?[,\s]*(?:不对|不是|错了|错啦|有误|更正|纠正|改正|改一下|改下|"
    r"更改)|应该是|其实是|改成|改为|换成|"
    r"\b(?:sorry,? (?:it'?s|i meant)|i meant|correction|actually(?:,? it'?s)?|"
    r"wrong (?:room|number|flat|unit|time|one)|typo|should be|not .{1,12}(?:,|"
    r"but) (?:it'?s )?)\b"
)
# What stands before the new value; the last one counts ("不是1602，是1206").
_NEW_VALUE = re.compile(
    r"应该是|其实是|而是|改成|改为|换成|更正为?|(?:[,，。;；!\s]|^)(?:那个)?是|(?:不是|"
    r"不对|错了|错啦)[,，。;；!\s]+|i meant|it'?s|should be|actually|correction|"
    r"(?:wrong \w+|sorry)[,;:]|\bbut\b"
)
_YES = re.compile(
    r"^(?:嗯+|恩|对+|是+|好+|行|可以|没错|正确|确认|确定|没问题|无误|ok+|okay|okey|yes+|"
    r"yep|yeah|yup|ya|sure|right|correct|confirm(?:ed)?|fine|exactly|good|got it|要|需要|"
    r"同意|中|成|妥|得|可|收到|明白|就这样|没毛病|是啊|y|dui|shi|hao|keyi|the same|"
    r"that's right|that is right|looks good|all good|please do|go ahead|👌|👍)"
    rf"{_END}(?:[,，\s]*(?:就这样|没错|对的|是的|可以|就是这|都对|没问题|确认|这回对了|"
    r"对了|谢谢|please|thanks|thank you|that's right|correct|麻烦(?:你们?)?了?|登记吧|"
    rf"报吧|提交|下单吧).{{0,8}})?$|^(?:嗯|对|是|好)[的啊呀]*[,，\s]*(?:这回|这下|现在|都|"
    r"就)?(?:对|是这|没问题|没错)"
)
_NO = re.compile(
    r"^(?:不(?!用了)|不是|不对|不要|不行|不可以|不好|不同意|不需要|不用|没有|没|错|错了|"
    r"否|别|no+|nope|nah|not? (?:really|yet|right|correct)|wrong|incorrect|don't|n|"
    rf"bu)(?:{_END}|[,，\s].{{0,10}})$|^不(?:是这|对[,，])"
)
_NOT_FIXED = re.compile(
    r"没(?:有)?(?:修好|弄好|搞好|解决|用|好(?!气)|处理好|整好)|还(?:是)?(?:在)?(?:漏|滴|"
    r"堵|不亮|不行|坏|一样|响|不热|不冷|不能用|没好|没修|有问题|那样)|又(?:漏|坏|堵|不亮|"
    r"不行|跳闸|响|滴|来了|开始|出问题|犯|掉)|(?:照样|依然|依旧|仍然|仍)|修了(?:个寂寞|"
    r"跟没修|等于没|白修)|白修|"
    r"not (?:fixed|solved|resolved|repaired|working)|still (?:leak\w*|broken|not|dripping|"
    r"the same|blocked|doesn't|bad|out)|(?:leak|broke|block|drip|trip)\w* again|"
    r"again broken|same problem|didn't (?:fix|work|help)|isn't fixed|unresolved"
)
_GOOD = re.compile(
    r"^(?:非常|很|挺|十分|蛮|特别|比较|还)?(?:满意)|修好了(?!吗)|好了[,，。!\s]|都?弄好了|"
    r"不漏了|解决了|搞定了|(?:好评|点赞|赞|很好|非常好|不错|棒|给力|完美)|"
    r"^(?:very )?(?:satisfied|happy|great|excellent|perfect|good job|good|fixed|all fixed|"
    r"works? (?:now|fine|great))|no problem(?:s)? now"
)
_FAIR = re.compile(r"^(?:一般|还行|还可以|凑合|马马虎虎|普普通通|中等|过得去|so[- ]?so|average|okay-ish|meh|not bad)")
_BAD = re.compile(
    r"不(?:太|是很|怎么|大)?满意|很差|太差|差评|糟糕|不(?:怎么样|咋样)|失望|(?:not|"
    r"dis)[- ]?satisfied|unsatisfied|unhappy|terrible|awful|very bad|poor"
)
_THANKS = re.compile(
    r"^(?:好的|好|嗯|ok|收到)?[,，\s]*(?:谢谢|多谢|感谢|辛苦|谢了|thanks|thank you|thx|ty|"
    r"cheers|xie ?xie)(?:你们?|师傅|物业|客服|大家|啦|了|哈|very much|a lot|so much|"
    rf"for (?:the|your) \w+)*{_END}$"
)
_ASKS = re.compile(
    r"[??]\s*$|(?:吗|呢|么|没有|多少|什么|怎么|哪里|哪个|谁|几点|为什么)[??。]*$|^(?:what|"
    r"how|when|where|who|why|which|is|are|do|does|can|could|will)\b"
)


# In this order: 不用了 is more than a no, 不方便留 too.
_PLAIN: tuple[tuple[Kind, Callable[[str], object]], ...] = (
    ("cancel", _CANCEL.search),
    ("decline", _DECLINE.search),
    ("yes", _YES.match),
    ("no", _NO.match),
    ("whatever", lambda plain: len(plain) <= 30 and _WHATEVER.search(plain)),
)


def read_answer(text: str) -> Answer:
    """Reads a reply to an open question. Which kinds make sense is the question's matter; `none` fits no kind."""
    plain = _EMOTICONS.sub("", normalise(text)).strip() if not _SCORE.search(normalise(text)) else normalise(text)
    if not plain:
        return _emoji(text)
    return _number(plain) or _words(plain) or Answer()


def _number(plain: str) -> Answer | None:
    if found := _SCORE.search(plain):
        return _score(found)
    if found := _CHOICE.match(plain) or _CHOICE_AND_WORDS.match(plain):
        return Answer("choice", choice=number(found["n"]), rating=_rating(plain))
    if found := _NAMED_CHOICE.match(plain):
        return Answer("choice", choice=_named(found))
    if _BEFORE_LAST.match(plain):
        return Answer("choice", choice=1)
    return Answer("choice", choice=-1) if _LAST.match(plain) else None


def _score(found: re.Match[str]) -> Answer:
    if found["stars"]:
        return Answer("rating", score=len(found["stars"]))
    return Answer("rating", score=5 if found["full"] else number(found["n"]))


def _named(found: re.Match[str]) -> int | None:
    words = {"first": 1, "former": 1, "second": 2, "third": 3, "last": -1, "latter": -1}
    return words[found["word"]] if found["word"] else number(found["n"] or found["m"])


def _words(plain: str) -> Answer | None:
    if rating := _rating(plain):
        return Answer("rating", rating=rating)
    if _CORRECTION.search(plain) and (new := _new_value(plain)):
        return Answer("correction", text=new)
    return next((Answer(kind) for kind, says in _PLAIN if says(plain)), None)


def _rating(plain: str) -> str | None:
    if len(plain) > 60:
        return None
    for name, pattern in (("not_fixed", _NOT_FIXED), ("bad", _BAD), ("fair", _FAIR), ("good", _GOOD)):
        if pattern.search(plain):
            return name
    return None


def _new_value(plain: str) -> str | None:
    ends = [found.end() for found in _NEW_VALUE.finditer(plain)]
    value = plain[ends[-1] :].strip(" ,，:。.!").removeprefix("是") if ends else ""
    return value if 0 < len(value) <= 40 else None


def _emoji(text: str) -> Answer:
    if re.search(r"[👌👍🆗]|\[(?:ok|强|好的|thumbsup)\]|/:(?:ok|strong)", text, re.IGNORECASE):
        return Answer("yes")
    return Answer("no") if re.search(r"👎|\[(?:弱|thumbsdown)\]|/:weak", text, re.IGNORECASE) else Answer()


def is_thanks(text: str) -> bool:
    """Whether the message is thanks and nothing else."""
    return bool(_THANKS.match(_EMOTICONS.sub("", normalise(text)).strip()))


def asks_back(text: str) -> bool:
    """Whether the reply is itself a question."""
    return bool(_ASKS.search(normalise(text)))
