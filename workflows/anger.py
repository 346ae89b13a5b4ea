"""Anger: one sentence that names the matter, then a person by name and time; no menu, no form question (desk.md 11)."""

import re

from bot.desk import Case, Complaint, Incoming
from intents.normalise import normalise
from workflows import deadlines, progress, standing, wording
from workflows.affair import dialogue as affair
from workflows.complaint import dialogue as complaint
from workflows.repair import dialogue as repair
from workflows.summary import complaint_of
from workflows.talk import Talk

THREATS = frozenset({"律师", "起诉", "曝光", "记者", "抖音", "12345", "信访"})
"""Red-flag words that threaten; 住院 or 受伤 alone is no anger."""
LEAST_MATTER, MOST_CLAUSES = 4, 2
"""A matter shorter than this names nothing; more clauses than this are not said back."""

_PLATE = re.compile(r"[A-Za-z][·・ ]?12345(?!\d)")
_INSULT = re.compile(
    r"他妈的?|你妈的?|妈的|tmd|cnm|nmsl|操你[妈们]?|草你[妈们]?|[我卧]操|傻[逼bx叉]|sb|煞笔|王八蛋|混蛋|滚(?:蛋|出)?|废物|垃圾(?=物业|公司|东西|服务|管理|$)|狗(?=物业|东西|日)|"
    r"吃屎|吃干饭的?|死全家|缺德|不要脸|骗子|黑心|无耻|畜生|脑残|弄死|什么(?:破|烂|狗屁|垃圾|东西)|[破烂](?=物业|公司)|去死|仆街|冚家[铲鏟]|戆鸠|"
    r"fuck(?:ing|ed)?|bull ?shit|shit(?:ty)?|damn|idiots?|morons?|useless|scam(?:mers?)?|bastards?|outrageous",
    re.IGNORECASE,
)
_VENT = re.compile(
    r"忍无可忍|受够|气死|最后一?次|再不|再唔|别再发|干什么吃|第.{1,2}次|不交物业费|管不管|来不来|起诉|律师|记者|抖音|曝光|12345|信访|打官司|"
    r"你[们哋].{0,8}(?:吗|嘛)|lawyer|fed up|sue|sick of",
    re.IGNORECASE,
)
_BOSS = re.compile(r"经理|主管|主任|领导|负责人|老板|manager|boss|supervisor", re.IGNORECASE)


def is_angry(talk: Talk) -> bool:
    """Insults, threats: what the rules call anger, and the words that mean a lawyer or the press."""
    incoming = talk.desk.incoming
    assert incoming is not None
    threats = flags_of(incoming) & THREATS
    return "anger" in incoming.reading.flags or (bool(threats) and not talk.said.asks)


def flags_of(incoming: Incoming) -> frozenset[str]:
    """The flags of a message; a 12345 that is part of a number plate is no hotline."""
    plated = _PLATE.search(incoming.text) is not None
    return incoming.reading.flags - {"12345"} if plated else incoming.reading.flags


def start(talk: Talk) -> None:
    """A fault or a payment is recorded as what it is; else the case that is meant goes up, or a complaint begins."""
    intent = talk.reading.intent
    open_cases = [case for case in progress.candidates(talk) if case.closed_at is None]
    if intent == "repair" and talk.said.sure:
        repair.start(talk)
    elif intent == "payment" and talk.said.sure:
        affair.start(talk)
    elif open_cases and not (intent == "complaint" and talk.said.sure):
        _about(talk, open_cases[-1])
    else:
        complaint.start(talk)


def _about(talk: Talk, case: Case) -> None:
    """The words go to the case that they are about, and it goes to the supervisor."""
    talk.case = case
    talk.desk.record(case, "angry", talk.said.text)
    _promise(talk, standing.what(talk, case))
    talk.understood()
    talk.end("progress", "answered")


def calm(talk: Talk) -> None:
    """Whatever the turn meant to ask is not asked, and what it recorded is not left at that: a person phones."""
    recorded = talk.desk.outcome.state == "recorded" and not isinstance(talk.case, Complaint)
    if not talk.asked and not recorded:
        return
    talk.parts.clear()
    talk.choices, talk.asked = (), False
    form = next((form for form in talk.memory.forms if form.id in talk.touched), None)
    _promise(talk, form.fault if form is not None else complaint_of(talk.said.text))


def _promise(talk: Talk, what: str) -> None:
    desk, head = talk.desk, talk.supervisor()
    by = deadlines.answer_by(talk.local, desk.settings)
    case = talk.case
    words = f"{case.number} {talk.said.text}" if case is not None else talk.said.text
    desk.call_task("angry", words, by, case=case, owner_id=head.id if head else None)
    if case is not None:
        desk.promise(case, "call", by, head.id if head else None)
    number = talk.text("anger.number", number=case.number) if case is not None else ""
    matter = named(what)
    key = "anger.phone" if desk.known_phone else "anger.no_phone"
    values = {"name": wording.person(head, talk.language), "by": wording.by(by, talk.local, talk.language)}
    gap = " " if talk.language == "en" else ""
    pieces = [
        talk.text("anger.matter", what=matter) if matter else talk.text("anger.no_matter"),
        number,
        talk.text(key, phone=wording.masked_phone(desk.known_phone), **values),
    ]
    talk.add(gap.join(piece for piece in pieces if piece))


def asks_for_the_boss(text: str) -> bool:
    """叫你们经理出来: not a call for whoever sits at the desk."""
    return _BOSS.search(normalise(text)) is not None


def named(what: str) -> str:
    """The matter without insult, threat and venting: whole clauses fall with theirs; empty where nothing is left."""
    clauses = [clause.strip() for clause in re.split(r"[，,。.!！?？;；\n]", what)]
    clean = [clause for clause in clauses if clause and not _has(_INSULT, clause) and not _has(_VENT, clause)]
    rest = clean or [_INSULT.sub("", clause).strip() for clause in clauses if not _has(_VENT, clause)]
    mark = "，" if re.search(r"[\u4e00-\u9fff]", what) else ", "
    found = mark.join([clause for clause in rest if clause][:MOST_CLAUSES])
    return found if len(found) >= LEAST_MATTER else ""


def _has(pattern: re.Pattern[str], clause: str) -> bool:
    return pattern.search(normalise(clause)) is not None
