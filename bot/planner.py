"""Which way a text takes to a resident (law 7): the ways there are and their order, what each of them can carry, and
when unasked messages may go.

Everything here is pure. The engine asks it again when a way did not carry a text (`bot.engine.fallback`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from bot.settings import DeskSettings
from bot.store.base import Row, new_id
from bot.store.outbox import EMERGENCY
from bot.store.records import CASE_KIND, Case, Conversation, Identity, Resident
from bot.world import World
from channels.messages import Choice
from channels.registry import CHANNELS
from channels.text import parts

Key = tuple[str, str, str]
"""(channel, account, address)"""

NUMBER_ENDS = "\uf8ff"
"""The last sign of what stands for a number that is not drawn yet; nothing from outside can hold it
(`channels.text.clean`)."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a resident: an address, and how it is used. `identity_id` None: nobody has used the address yet."""

    channel: str
    account: str
    address: str
    identity_id: UUID | None = None
    route: str = "push"
    """push, or template: an approved text, which needs no window."""

    @property
    def key(self) -> Key:
        return self.channel, self.account, self.address


@dataclass(frozen=True, slots=True)
class Moment:
    """What a text tells: the name under which approved texts are found (`channels/sms/vocabulary.toml`), and what fills
    them in."""

    name: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Something to be said, before it is known by which way."""

    text: str
    kind: str
    lane: int
    due_at: datetime
    choices: Sequence[Choice] = ()
    case: Case | None = None
    fence: int | None = None
    author_id: UUID | None = None
    without_question: str | None = None
    told: Moment | None = None


# -- the ways, in their order


def in_order(
    world: World, identities: Iterable[Identity], last_id: UUID | None, preferred: str, *, urgent: bool = False
) -> list[Identity]:
    """The addresses that still take messages: the one last written from, the channel the resident prefers, the others,
    newest first. What costs money comes after what does not, except in danger."""

    def rank(identity: Identity) -> tuple[bool, ...]:
        unknown = (identity.channel, identity.account) not in world.capabilities
        costs = not urgent and is_paid(identity.channel)
        return unknown, identity.id != last_id, identity.channel != preferred, costs

    newest = sorted((one for one in identities if one.reachable), key=lambda one: one.id, reverse=True)
    return sorted(newest, key=rank)


def is_paid(channel: str) -> bool:
    """Whether each message of this channel costs money."""
    return channel in CHANNELS and CHANNELS[channel].handset is not None


def ways(
    world: World, resident: Resident, identities: Sequence[Identity], last_id: UUID | None, moment: str, *, urgent: bool
) -> list[Way]:
    """All ways to a resident in order of preference, whether or not they are open at the moment."""
    reached = in_order(world, identities, last_id, resident.preferred_channel, urgent=urgent)
    pushed = [Way(one.channel, one.account, one.address, one.id) for one in reached if _limits(world, one) is not None]
    approved = [
        Way(way.channel, way.account, way.address, way.identity_id, "template")
        for way in pushed
        if moment in _templates(world, way)
    ]
    known = {(one.channel, one.account, one.address) for one in identities}
    phoned = [Way(*key) for key in handsets(world, resident) if key not in known]
    reached_by = [*pushed, *phoned]
    if urgent:
        return [*reached_by, *approved]
    preferred = resident.preferred_channel
    last = [way for way in reached_by if way.identity_id is not None and way.identity_id == last_id]
    wished = [way for way in reached_by if way not in last and way.channel == preferred]
    free = [way for way in reached_by if way not in last and way not in wished and not is_paid(way.channel)]
    paid = [way for way in reached_by if way not in [*last, *wished, *free]]
    return [*last, *wished, *free, *approved, *paid]


def _limits(world: World, identity: Identity) -> object | None:
    return world.capabilities.get((identity.channel, identity.account))


def _templates(world: World, way: Way) -> frozenset[str]:
    limits = world.capabilities[way.channel, way.account]
    return frozenset() if limits.templates_only else limits.templates


def handsets(world: World, resident: Resident) -> list[Key]:
    """The addresses of a resident's registered phone: the community's own account first. A number that somebody not
    yet known has named is none: nobody has checked whose it is."""
    if resident.provisional or not resident.phone:
        return []
    found: list[Key] = []
    for channel, account in _phone_accounts(world, resident.community_id):
        handset, settings = CHANNELS[channel].handset, world.settings.accounts(channel).get(account)
        address = handset(resident.phone, settings) if handset is not None and settings is not None else None
        if address is not None:
            found.append((channel, account, address))
    return found


def reaches_phones(world: World, community_id: UUID) -> bool:
    """Whether some account sends to the phones of a community's residents."""
    return bool(_phone_accounts(world, community_id))


def _phone_accounts(world: World, community_id: UUID) -> list[tuple[str, str]]:
    """The accounts that reach any phone by its number: the community's own first, none of another community."""
    ordered = sorted(world.capabilities, key=lambda key: world.accounts.get(key) is None)
    return [
        (channel, account)
        for channel, account in ordered
        if is_paid(channel) and (world.accounts.get((channel, account)) or community_id) == community_id
    ]


# -- what a way can carry


def worded(world: World, way: Way, text: str, moment: str | None, values: Mapping[str, str] | None) -> str | None:
    """`text` as this way carries it; None: it cannot, since only approved texts go there and none says this."""
    limits = world.capabilities.get((way.channel, way.account))
    if limits is None:
        return None
    if way.route == "template":
        return text if moment in limits.templates else None
    if not limits.templates_only:
        return text
    approved = CHANNELS[way.channel].approved if way.channel in CHANNELS else None
    if approved is None or not moment or moment not in limits.templates:
        return None
    return approved(moment, values or {})


def rows(world: World, said: Text, identity: Identity, conversation: Conversation, now: datetime) -> list[Row]:
    """A text as outbox rows to one address: one a part. An account that sends approved texts only gets that text where
    there is one; where there is none, delivery finds out and goes on to the next way."""
    way = Way(identity.channel, identity.account, identity.address, identity.id)
    row = _row(said, way, conversation, now)
    made = in_parts(world, row)
    if len(made) == 1 and said.told is not None:
        made[0].update(moment=said.told.name, values=dict(said.told.values))
        if not word_later(world, made[0]):
            made[0]["text"] = reworded(world, made[0])
    return made


def in_parts(world: World, row: Row) -> list[Row]:
    """A row as one a piece, where its text is longer than the provider takes. Only the last one asks; and none of
    several goes as an approved text, which cannot tell a part of something."""
    limits = world.capabilities.get((row["channel"], row["account"]))
    if limits is None or limits.templates_only or row["route"] == "template":
        pieces = [row["text"]]
    else:
        pieces = parts(row["text"], limits.text_limit, limits.text_unit)
    if len(pieces) < 2:
        return [row] if pieces else []
    key = row.get("dedupe_key")
    made = [
        {
            **row, "id": new_id(), "text": piece, "moment": None, "values": None, "choices": None,
            "without_question": None, "dedupe_key": f"{key}:{number}" if key else None,
        }
        for number, piece in enumerate(pieces)
    ]  # fmt: skip
    for one in made:
        one["part_of"] = made[0]["id"]
    made[-1].update(choices=row["choices"], without_question=row["without_question"])
    return made


def _row(said: Text, way: Way, conversation: Conversation, now: datetime) -> Row:
    row: Row = {
        "id": new_id(), "community_id": conversation.community_id, "conversation_id": conversation.id,
        "identity_id": way.identity_id, "channel": way.channel, "account": way.account, "address": way.address,
        "lane": said.lane, "route": "push", "text": said.text, "status": "queued", "due_at": said.due_at,
        # What tells a number that is drawn in this turn is owed to the resident, whatever becomes of the first attempt.
        "kind": "recorded" if NUMBER_ENDS in said.text else said.kind, "created_at": now,
        "fence": said.fence, "author_id": said.author_id, "without_question": said.without_question,
        "choices": [{"value": one.value, "label": one.label} for one in said.choices] or None,
    }  # fmt: skip
    if said.case is not None:
        row.update(case_kind=CASE_KIND[type(said.case)], case_id=said.case.id)
    return row


def word_later(world: World, row: Row) -> bool:
    """Whether the words of a row are decided once its numbers are drawn."""
    limits = world.capabilities.get((row["channel"], row["account"]))
    undrawn = any(NUMBER_ENDS in value for value in (row.get("values") or {}).values())
    return undrawn and limits is not None and limits.templates_only


def reworded(world: World, row: Row) -> str:
    """The words of such a row."""
    way = Way(row["channel"], row["account"], row["address"])
    return worded(world, way, row["text"], row["moment"], row["values"]) or str(row["text"])


# -- when unasked messages may go


def is_fresh(settings: DeskSettings, last_inbound_at: datetime | None, now: datetime) -> bool:
    """The resident wrote a moment ago: they are awake and looking, and hear at once what there is to hear."""
    return last_inbound_at is not None and now - last_inbound_at <= timedelta(minutes=settings.direct_answer_minutes)


def unasked_at(world: World, conversation: Conversation, lane: int, now: datetime) -> datetime:
    """When something that was not asked for may go: now, or after the quiet hours."""
    if lane == EMERGENCY or is_fresh(world.settings.desk, conversation.last_inbound_at, now):
        return now
    return after_quiet_hours(world, conversation.resident_id, now)


def after_quiet_hours(world: World, resident_id: UUID, now: datetime) -> datetime:
    """`now`, or the morning: then each resident has a minute of their own, so that not all messages of a night leave
    at once, and all of one resident leave together."""
    local = world.local(now)
    begins, ends = world.settings.desk.quiet_hours
    clock = f"{local:%H:%M}"
    if _between(ends, clock, begins):
        return now
    morning = local.replace(hour=int(ends[:2]), minute=int(ends[3:]), second=0, microsecond=0)
    spread = world.settings.delivery.morning_spread_minutes * 60
    return (morning if morning > local else morning + timedelta(days=1)) + timedelta(seconds=resident_id.int % spread)


def _between(start: str, clock: str, end: str) -> bool:
    """Whether a time of day lies from `start` to `end`, which may be on the next day."""
    return start <= clock < end if start < end else clock >= start or clock < end
