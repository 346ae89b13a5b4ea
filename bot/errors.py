"""Errors that a person reads: each names what is wrong and how to mend it, and never a secret or a resident's data."""

import traceback


class FrontdeskError(Exception):
    """Base. The message is shown as it is."""


class SettingsError(FrontdeskError):
    """A setting is missing, unknown or of the wrong shape."""


class StoreError(FrontdeskError):
    """The database cannot be used as it stands."""


class NotAllowed(FrontdeskError):
    """This person may not do this."""


class Conflict(FrontdeskError):
    """The record has moved on since it was shown."""


class NotFound(FrontdeskError):
    """There is no such record, or it is not for this person."""


def trace(error: BaseException) -> str:
    """Kind and place of an error for the log, without its words: those may hold what a resident wrote (law 14)."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"
