"""Phone numbers in one form, E.164, so that one handset is one address at every gateway."""

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from channels.sms.settings import SmsAccount

MAINLAND: Final = "+86"
_MAINLAND_MOBILE: Final = re.compile(r"\+861[3-9]\d{9}")
_WRITTEN: Final = re.compile(r"[+＋]?[0-9０-９()（）.\- ]{5,32}")


def e164(number: str, country: str) -> str | None:
    """`number` as E.164; None for what is no person's handset: 1069…, 10086, letters, fixed lines of the mainland.

    13800138000, 8613800138000, +8613800138000 and 008613800138000 are one number where `country` is CN.
    """
    if not _WRITTEN.fullmatch(number):
        return None
    try:
        parsed = phonenumbers.parse(number, country)
    except NumberParseException:
        return None
    text = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    if text.startswith(MAINLAND):
        return text if _MAINLAND_MOBILE.fullmatch(text) else None
    # Possible, not valid: a list of valid ranges is older than the ranges that carriers hand out.
    return text if phonenumbers.is_possible_number(parsed) else None


def handset(number: str, settings: SmsAccount) -> str | None:
    """The address of the handset with this number, for an account; None where it is no handset's."""
    return e164(number, settings.country)


def national(address: str) -> str | None:
    """The eleven digits of a mainland mobile, from its E.164 form; None for any other number."""
    return address.removeprefix(MAINLAND) if _MAINLAND_MOBILE.fullmatch(address) else None


def spellings(number: str) -> tuple[str, ...]:
    """How an E.164 number may stand in a register: as it is, without the plus, and as it is dialled at home."""
    parsed = phonenumbers.parse(number, None)
    home = phonenumbers.national_significant_number(parsed)
    return number, number.removeprefix("+"), home, f"00{number.removeprefix('+')}"
