"""The closed list of what can go wrong between a provider and us.

Receiving: `Unauthorised` (nothing is stored) and `Unreadable` (stored raw, acknowledged, shown to staff). Sending: a
`SendError`
says what the outbox does next (law 6). `detail` holds the provider's code and words, and never a secret, an address
or a text.
"""

from typing import ClassVar


class Unauthorised(Exception):
    """The request did not prove that the provider sent it. `status` is what the caller is answered."""

    def __init__(self, reason: str, status: int = 403) -> None:
        super().__init__(reason)
        self.status = status


class Unreadable(Exception):
    """The provider sent it, but we cannot read it. The message names what is wrong, without quoting the payload."""


class SendError(Exception):
    """Base of the list. `retryable`: the same row may go out again later. `loggable`: a person has to hear of it."""

    retryable: ClassVar[bool] = False
    loggable: ClassVar[bool] = True

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Later(SendError):
    """Nothing went out for certain, try again after `after` seconds. `throttled` ones never count as a failure."""

    retryable = True
    loggable = False

    def __init__(self, detail: str, after: float, *, throttled: bool = False) -> None:
        super().__init__(detail)
        self.after = after
        self.throttled = throttled


class WindowClosed(SendError):
    """The resident's window is closed; the row waits for the next message."""

    loggable = False


class QuotaUsedUp(SendError):
    """The messages allowed inside the window are used up; the row waits for the next message."""

    loggable = False


class Blocked(SendError):
    """The resident left or refuses: this address is unreachable until they come back."""


class Rejected(SendError):
    """Refused for good: our content or this address."""


class TemplateRefused(Rejected):
    """The approved text of `moment` cannot be used: this way is closed, the account is not. A person is alarmed."""

    def __init__(self, detail: str, moment: str = "") -> None:
        super().__init__(detail)
        self.moment = moment


class Misconfigured(SendError):
    """Credentials, rights or white list: the account pauses, a person is alarmed, the row is tried again later."""

    retryable = True


class OutcomeUnknown(SendError):
    """The request was written and no answer came: it may or may not have gone out."""
