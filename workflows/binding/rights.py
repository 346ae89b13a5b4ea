"""Who may see and do what for a home: the table of desk.md section 2. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

Role = Literal["owner", "family", "tenant", "visitor", "former"]
"""visitor: nobody we know, or somebody whom nothing binds to this home; former: the sale or the tenancy is over."""
Act = Literal[
    "report", "own_orders", "household_orders", "words_of_others", "bills", "agree_to_price", "change_data",
    "release_slip", "notices",
]  # fmt: skip
Answer = Literal[
    "yes", "no", "here", "until_end", "own_tenancy", "payer", "on_request", "up_to_limit", "own_account",
    "with_owner", "by_choice",
]  # fmt: skip
"""here: in the conversation that it was reported in; until_end: what is older than the end; own_tenancy: since it
began; on_request: through a person; up_to_limit: of money; own_account: what they pay themselves; with_owner: with the
owner's yes on file; by_choice: where they ask for it."""

RIGHTS: Mapping[Act, Mapping[Role, Answer]] = {
    "report": {"owner": "yes", "family": "yes", "tenant": "yes", "visitor": "yes", "former": "no"},
    "own_orders": {"owner": "yes", "family": "yes", "tenant": "yes", "visitor": "here", "former": "until_end"},
    "household_orders": {"owner": "yes", "family": "yes", "tenant": "own_tenancy", "visitor": "no", "former": "no"},
    "words_of_others": {"owner": "no", "family": "no", "tenant": "no", "visitor": "no", "former": "no"},
    "bills": {"owner": "on_request", "family": "no", "tenant": "payer", "visitor": "no", "former": "no"},
    "agree_to_price": {
        "owner": "yes", "family": "up_to_limit", "tenant": "own_account", "visitor": "no", "former": "no",
    },
    "change_data": {"owner": "yes", "family": "no", "tenant": "with_owner", "visitor": "no", "former": "no"},
    "release_slip": {"owner": "yes", "family": "yes", "tenant": "with_owner", "visitor": "no", "former": "no"},
    "notices": {"owner": "by_choice", "family": "no", "tenant": "yes", "visitor": "no", "former": "no"},
}  # fmt: skip


def role_of(role: str) -> Role:
    """The role as the register spells it; one that the table does not know has a visitor's rights."""
    known: dict[str, Role] = {"owner": "owner", "family": "family", "tenant": "tenant", "former": "former"}
    return known.get(role, "visitor")


def right(role: str, act: Act, *, payer: bool = False) -> Answer:
    """What the table says. `payer`: the bills of the home are registered in their name."""
    answer = RIGHTS[act][role_of(role)]
    if act == "bills" and payer and answer in {"on_request", "payer"}:
        return "yes"
    return "no" if answer == "payer" else answer


def sees_order(role: str, since: date | None, reported_on: date) -> bool:
    """Whether somebody may hear of an order that another member of the household reported: number, state and slot.

    After a sale nobody sees what is older than the handover, and a tenant only what lies in the tenancy.
    """
    if right(role, "household_orders") == "no":
        return False
    return since is None or reported_on >= since
