"""A person has the conversation: taken, spoken in, given back or run out, never in silence (law 8)."""

from datetime import timedelta

from bot.desk import Desk, Job, Member
from bot.errors import Conflict
from workflows import emergency, texts
from workflows.forms import Form
from workflows.talk import Talk

name = "takeover"
timers = frozenset({"takeover.lease"})


def start(talk: Talk) -> None:
    """A message while a person has the conversation: kept, and nothing is said."""
    talk.end("human", "human")


def resume(talk: Talk, form: Form) -> bool:
    """It has no form."""
    del talk, form
    return False


def question(talk: Talk, form: Form) -> None:
    """It asks nothing."""
    del talk, form


def take(desk: Desk, member: Member) -> None:
    """`member` has the conversation; the resident hears who speaks. Raises `Conflict` where a colleague has it."""
    conversation = desk.conversation
    if conversation.mode == "human" and conversation.owner_id == member.id:
        _renew(desk, member)
        return
    if conversation.mode == "human" and conversation.owned_until is not None and conversation.owned_until > desk.now:
        owner = desk.world.members.get(conversation.owner_id) if conversation.owner_id else None
        raise Conflict(f"这个会话在{owner.name if owner else '同事'}手里，请先让对方交还。")
    desk.take_over(member, desk.now + _lease(desk))
    desk.audit("conversation.take", "conversation", conversation.id)
    desk.unschedule(conversation.id, "human.waiting")
    _watch(desk)
    if emergency.taken_over(desk, member):
        return
    desk.say(texts.say(desk.language, "human.taken", name=member.name), kind="taken", fenced=False, author_id=member.id)


def reply(desk: Desk, member: Member, text: str) -> None:
    """What `member` typed goes to the resident under their name, and renews the hold.

    Raises `Conflict` where they have not the word.
    """
    conversation = desk.conversation
    if conversation.mode != "human" or conversation.owner_id != member.id:
        raise Conflict("先接管会话，再回复。")
    if not text.strip():
        raise Conflict("回复是空的。")
    signed = texts.say(desk.language, "human.signed", name=member.name, words=text.strip())
    desk.say(signed, kind="agent", author_id=member.id)
    desk.audit("conversation.reply", "conversation", conversation.id)
    _renew(desk, member)


def hand_back(desk: Desk, words: str = "") -> None:
    """The bot has the conversation again; the resident hears it, with the words of who leaves. Raises `Conflict`."""
    conversation = desk.conversation
    if conversation.mode == "bot":
        raise Conflict("这个会话已经在智能客服手里。")
    owner = desk.world.members.get(conversation.owner_id) if conversation.owner_id else None
    desk.hand_back()
    if conversation.waiting_since is not None:
        desk.change(conversation, waiting_since=None)
    desk.unschedule(conversation.id, "takeover.lease", "human.waiting")
    desk.audit("conversation.hand_back", "conversation", conversation.id)
    _say_back(desk, owner, words)


def _say_back(desk: Desk, owner: Member | None, words: str) -> None:
    if owner is None:
        text = texts.say(desk.language, "human.lapsed")
    elif words.strip():
        text = texts.say(desk.language, "human.back_words", name=owner.name, words=words.strip())
    else:
        text = texts.say(desk.language, "human.back", name=owner.name)
    desk.say(text, kind="handed_back")


def lapse(desk: Desk) -> None:
    """The owner has done nothing for too long, or has gone off duty: given back, and both sides hear it."""
    conversation = desk.conversation
    if conversation.mode != "human" or conversation.owned_until is None or conversation.owned_until > desk.now:
        return
    owner = desk.world.members.get(conversation.owner_id) if conversation.owner_id else None
    desk.hand_back()
    desk.raise_alarm("lapsed", conversation.last_text, [owner] if owner else [])
    desk.say(texts.say(desk.language, "human.lapsed"), kind="handed_back")


def _renew(desk: Desk, member: Member) -> None:
    desk.change(desk.conversation, owned_until=desk.now + _lease(desk), unread=0)
    del member


def _watch(desk: Desk) -> None:
    desk.schedule("takeover.lease", desk.now + _lease(desk), ref=desk.conversation.id)


def _lease(desk: Desk) -> timedelta:
    return timedelta(minutes=desk.settings.owner_lease_minutes)


def due(desk: Desk, job: Job) -> None:
    """The hold may have run out; where it was renewed meanwhile, look again when the new one ends."""
    del job
    conversation = desk.conversation
    if conversation.mode != "human" or conversation.owned_until is None:
        return
    if conversation.owned_until > desk.now:
        desk.schedule("takeover.lease", conversation.owned_until, ref=conversation.id)
    else:
        lapse(desk)
