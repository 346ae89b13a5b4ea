"""Residents: their homes, the addresses they write from, and the one conversation that each of them has."""

from dataclasses import dataclass
from datetime import datetime

from bot.demo.book import Book
from bot.demo.sheets import Resident, Residents, read
from bot.demo.town import Town
from bot.store import records
from bot.store.base import Row, new_id
from bot.store.residents import households, identities, residents


@dataclass(frozen=True, slots=True)
class Person:
    """Whose phone the simulator shows; `note` says in a line who it is."""

    openid: str
    name: str
    note: str
    number: str
    """Of the handset, E.164; the registered one where there is one."""


@dataclass(slots=True)
class Neighbour:
    """A resident in the database, as the stories know them."""

    resident: records.Resident
    identity: records.Identity | None
    conversation: records.Conversation


def people() -> tuple[Person, ...]:
    """The phones' people: residents of the demonstration, then somebody whom nobody knows yet."""
    sheet = read("residents", Residents)
    known = [
        Person(openid(one.wechat), one.name, one.phone_of, f"+86{_phone(number)}")
        for number, one in enumerate(sheet.residents, 1)
        if one.phone_of
    ]
    newcomers = enumerate(sheet.newcomers, len(sheet.residents) + 1)
    return (*known, *(Person(one.openid, one.name, one.phone_of, f"+86{_phone(number)}") for number, one in newcomers))


def _phone(number: int) -> str:
    """The invented phone of the resident who stands in this place of the sheet."""
    return f"1540000{number:04}"


def openid(name: str) -> str:
    """An openid as WeChat makes them, 28 characters, that shows whose it is."""
    return f"oDemo{name}_"[:28].ljust(28, "0")


def move_in(book: Book, town: Town, account: tuple[str, str], since: datetime) -> dict[str, Neighbour]:
    """Enter residents, households and identities. Conversations are entered with the stories, which change them."""
    found: dict[str, Neighbour] = {}
    for number, sheet in enumerate(read("residents", Residents).residents, 1):
        resident = _resident(sheet, town, _phone(number), since)
        identity = _identity(sheet, resident, account)
        found[sheet.key] = Neighbour(resident, identity, _conversation(resident, identity))
        book.enter(residents, resident.row())
        book.enter(households, *_households(sheet, resident, town))
        if identity is not None:
            book.enter(identities, identity.row())
    return found


def _resident(sheet: Resident, town: Town, phone: str, since: datetime) -> records.Resident:
    where = sheet.homes[0].split()[0] if sheet.homes else next(iter(town.communities))
    return records.Resident(
        id=new_id(), community_id=town.communities[where], name=sheet.name, title=sheet.title, language=sheet.language,
        phone=phone if sheet.name else "", provisional=not sheet.name, greeted_at=since if sheet.wechat else None,
        created_at=since,
    )  # fmt: skip


def _identity(sheet: Resident, resident: records.Resident, account: tuple[str, str]) -> records.Identity | None:
    if not sheet.wechat:
        return None
    channel, name = account
    resident.preferred_channel = channel
    return records.Identity(
        id=new_id(), community_id=resident.community_id, resident_id=resident.id, channel=channel, account=name,
        address=openid(sheet.wechat), created_at=resident.created_at,
    )  # fmt: skip


def _conversation(resident: records.Resident, identity: records.Identity | None) -> records.Conversation:
    return records.Conversation(
        id=new_id(), community_id=resident.community_id, resident_id=resident.id,
        last_identity_id=identity.id if identity else None, created_at=resident.created_at,
        updated_at=resident.created_at,
    )  # fmt: skip


def _households(sheet: Resident, resident: records.Resident, town: Town) -> list[Row]:
    rows = []
    for home in sheet.homes:
        community, where, role, *payer = home.split()
        spot = town.homes[f"{community} {where}"]
        row = {"id": new_id(), "community_id": spot.community_id, "resident_id": resident.id, "home_id": spot.id}
        rows.append(row | {"role": role, "payer": payer == ["payer"], "since": None, "until": None})
    return rows
