"""What a mainland gateway is asked to send: a number, the id of an approved template, and its values."""

import msgspec

from channels.errors import Rejected
from channels.messages import OutboundMessage
from channels.sms.numbers import national
from channels.sms.settings import SmsAccount
from channels.sms.vocabulary import match


class Approved(msgspec.Struct, frozen=True):
    """`number`: eleven digits; `values` in the order of the text."""

    number: str
    template_id: str
    values: dict[str, str]


def approved(message: OutboundMessage, settings: SmsAccount) -> Approved:
    """`message` as template and values. Raises `Rejected`: whoever plans goes on to another way."""
    number = national(message.address)
    if number is None:
        raise Rejected("no mainland mobile number")
    fit = match(message.text)
    if fit is None:
        raise Rejected("no template: the text is not in the vocabulary")
    template_id = settings.templates.get(fit.name)
    if not template_id:
        raise Rejected(f"no template: templates.{fit.name} has no id in the settings")
    return Approved(number, template_id, fit.values)
