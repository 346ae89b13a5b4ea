"""Errors that a person reads: each names what is wrong and how to mend it, and never a secret or a resident's data."""


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
