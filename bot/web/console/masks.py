"""Names and numbers as lists and auditors see them (desk.md section 6)."""

import re

_PHONES = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)|(?<!\d)0\d{2,3}-?\d{7,8}(?!\d)")


def name(full: str) -> str:
    """王小明 to 王**."""
    full = full.strip()
    return f"{full[0]}**" if full else ""


def phone(full: str) -> str:
    """13812348000 to 138****8000; of a short number only the end."""
    if len(full) >= 9:
        return f"{full[:3]}****{full[-4:]}"
    return f"****{full[-2:]}" if full else ""


def address(full: str) -> str:
    """The end of an account's name at a channel."""
    return f"…{full[-4:]}" if full else ""


def text(words: str, *names: str) -> str:
    """Free text without the numbers and names that it is known to hold."""
    masked = _PHONES.sub(lambda found: phone(found.group()), words)
    for full in names:
        if len(full) > 1:
            masked = masked.replace(full, name(full))
    return masked
