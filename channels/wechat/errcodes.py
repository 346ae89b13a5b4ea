"""What the errcode in a 200 answer means for the row that was sent (全局返回码; WxJava's WxMpErrorMsgEnum of 2024-10).

The names are those of `wechatpy.constants`, which a test compares; importing it here would cost every start 0.2 s.
"""

import re
from collections.abc import Callable
from typing import Final

from channels.errors import (
    Blocked,
    Later,
    Misconfigured,
    OutcomeUnknown,
    QuotaUsedUp,
    Rejected,
    SendError,
    TemplateRefused,
    WindowClosed,
)

TOKEN_INVALID: Final = frozenset({40001, 40014, 42001})
"""The access token is wrong or over: drop it, fetch once, try once more."""

DUPLICATE: Final = frozenset({40241})
"""The same message within 60 s: an earlier try has gone out."""
_TEMPLATE_ONLY: Final = frozenset({40036, 40037, 43106, 43116, 45009, 48001, 48004})
"""To a call with a template these say that this way is closed; customer-service messages go on."""

Rule = tuple[Callable[[str], SendError], str]

_UNSPOKEN: Final = re.compile(r"[^\x20-\x7e]+")
_BUSY_S: Final = 2.0
_MINUTE_S: Final = 60.0
_TOO_FREQUENT_S: Final = 300.0


def _a_minute(detail: str) -> SendError:
    return Later(detail, _MINUTE_S, throttled=True)


def _some_minutes(detail: str) -> SendError:
    return Later(detail, _TOO_FREQUENT_S, throttled=True)


RULES: Final[dict[int, Rule]] = {
    # "System busy" may come after the message went out, and a customer-service message has no idempotency key.
    -1: (OutcomeUnknown, "SYSTEM_BUSY"),
    # Token, after the one retry; credentials, white list and rights: a person has to act, the account pauses.
    40001: (Misconfigured, "INVALID_CREDENTIAL"),
    40014: (Misconfigured, "INVALID_ACCESS_TOKEN"),
    42001: (Misconfigured, "EXPIRED_ACCESS_TOKEN"),
    40013: (Misconfigured, "INVALID_APP_ID"),
    40125: (Misconfigured, "INVALID_APP_SECRET"),
    40243: (Misconfigured, "APP_SECRET_FROZEN"),
    40164: (Misconfigured, "IP_NOT_IN_WHITELIST"),
    61004: (Misconfigured, "IP_NOT_IN_WHITELIST"),
    48001: (Misconfigured, "UNAUTHORIZED_API"),
    48003: (Misconfigured, "USER_NOT_AGREE_PROTOCOL"),
    48004: (Misconfigured, "API_BANNED"),
    40036: (Misconfigured, "INVALID_TEMPLATE_SIZE"),
    40037: (Misconfigured, "INVALID_TEMPLATE"),
    43116: (Misconfigured, "TEMPLATE_BANNED"),
    43106: (Misconfigured, "TEMPLATE_PUNISHED"),
    # The quota of a day is no pace: every row would fail until midnight in China, and a person has to hear of it.
    45009: (Misconfigured, "OUT_OF_API_FREQ_LIMIT"),
    # Pace.
    45011: (_a_minute, "API_MINUTE_QUOTA_REACH_LIMIT"),
    43117: (_some_minutes, "TOO_FREQUENT_TO_USER"),
    45066: (_a_minute, "CLIENTMSGID_RETRY_LATER"),
    # The resident left, or does not want to hear from us.
    43004: (Blocked, "REQUIRE_SUBSCRIBE"),
    46004: (Blocked, "USER_NOT_EXIST"),
    50005: (Blocked, "USER_UNSUBSCRIBED"),
    48002: (Blocked, "USER_BLOCK_MESSAGE"),
    50002: (Blocked, "USER_LIMITED"),
    # The window and what it allows.
    45015: (WindowClosed, "OUT_OF_RESPONSE_TIME_LIMIT"),
    45047: (QuotaUsedUp, "OUT_OF_RESPONSE_COUNT_LIMIT"),
    # A duplicate within 60 s: the first one may have gone out.
    40241: (OutcomeUnknown, "DUPLICATE_MESSAGE"),
    # Refused for good: our request, our content or this address.
    40002: (Rejected, "INVALID_CREDENTIAL_TYPE"),
    40003: (Rejected, "INVALID_OPENID"),
    40008: (Rejected, "INVALID_MESSAGE_TYPE"),
    40033: (Rejected, "INVALID_REQUEST_CHARSET"),
    40035: (Rejected, "INVALID_PARAMETER"),
    40004: (Rejected, "INVALID_MEDIA_TYPE"),
    40005: (Rejected, "INVALID_FILE_TYPE"),
    40006: (Rejected, "INVALID_FILE_SIZE"),
    40007: (Rejected, "INVALID_MEDIA_ID"),
    40009: (Rejected, "INVALID_IMAGE_SIZE"),
    40010: (Rejected, "INVALID_VOICE_SIZE"),
    40011: (Rejected, "INVALID_VIDEO_SIZE"),
    40012: (Rejected, "INVALID_THUMB_SIZE"),
    40029: (Rejected, "INVALID_OAUTH_CODE"),
    40163: (Rejected, "CODE_BEEN_USED"),
    41005: (Rejected, "MISSING_MEDIA_DATA"),
    41028: (Rejected, "INVALID_FORM_ID"),
    41029: (Rejected, "FORM_ID_USED"),
    41030: (Rejected, "INVALID_PAGE"),
    43019: (Rejected, "REQUIRE_UNBLOCK_USER"),
    43101: (Rejected, "USER_REFUSE_TO_ACCEPT_THE_MESSAGE"),
    44002: (Rejected, "EMPTY_POST_DATA"),
    44004: (Rejected, "EMPTY_CONTENT"),
    45001: (Rejected, "OUT_OF_MEDIA_SIZE_LIMIT"),
    45002: (Rejected, "OUT_OF_CONTENT_SIZE_LIMIT"),
    45003: (Rejected, "OUT_OF_TITLE_SIZE_LIMIT"),
    45004: (Rejected, "OUT_OF_DESCRIPTION_SIZE_LIMIT"),
    45028: (Rejected, "MASS_QUOTA_USED_UP"),
    45065: (Rejected, "CLIENTMSGID_EXIST"),
    45067: (Rejected, "CLIENTMSGID_SIZE_OUT_OF_LIMIT"),
    45064: (Rejected, "NO_PERMISSION_TO_USE_WEAPP_IN_MENU"),
    45072: (Rejected, "INVALID_TYPING_COMMAND"),
    45080: (Rejected, "TYPING_NEEDS_INTERACTION"),
    45081: (Rejected, "ALREADY_TYPING"),
    47001: (Rejected, "DATA_FORMAT_ERROR"),
    47003: (Rejected, "INVALID_TEMPLATE_ARGUMENT"),
    48005: (Rejected, "API_DELETE_PROHIBITED"),
    48006: (Rejected, "OUT_OF_RESET_LIMIT"),
    48008: (Rejected, "NO_PERMISSION_FOR_THIS_MSGTYPE"),
    50001: (Rejected, "USER_UNAUTHORIZED"),
    61451: (Rejected, "INVALID_KF_PARAMETER"),
    61452: (Rejected, "INVALID_KF_ACCOUNT"),
    61453: (Rejected, "KF_ACCOUNT_EXISTS"),
    61500: (Rejected, "DATE_FORMAT_ERROR"),
    65303: (Rejected, "THERE_IS_NO_SELFMENU"),
    65304: (Rejected, "MATCH_RULE_EMPTY"),
    65305: (Rejected, "MENU_COUNT_LIMIT"),
    65314: (Rejected, "INVALID_CITY_INFO"),
    65316: (Rejected, "DOMAIN_COUNT_REACH_LIMIT"),
}
_UNLISTED: Final[Rule] = (Rejected, "")


def _detail(errcode: int, errmsg: str) -> str:
    """Code, name, and the platform's words, which end with the `rid` that its support asks for."""
    words = _UNSPOKEN.sub(" ", errmsg)[:200].strip()
    return " ".join(part for part in (f"errcode {errcode}", RULES.get(errcode, _UNLISTED)[1], words) if part)


def send_error(errcode: int, errmsg: str) -> SendError:
    """The error for an answered message. Codes without a rule are refused for good; a person sees code and words."""
    return RULES.get(errcode, _UNLISTED)[0](_detail(errcode, errmsg))


def template_error(errcode: int, errmsg: str) -> SendError:
    """The error for a message by template."""
    if errcode in _TEMPLATE_ONLY:
        return TemplateRefused(_detail(errcode, errmsg))
    return send_error(errcode, errmsg)


def media_error(errcode: int, errmsg: str) -> SendError:
    """The error for a download: nothing was sent, so what may pass is tried again."""
    detail = f"media: {_detail(errcode, errmsg)}"
    if errcode in {-1, 0}:
        return Later(detail, _BUSY_S)
    return RULES.get(errcode, _UNLISTED)[0](detail)


def token_error(errcode: int, errmsg: str) -> SendError:
    """The error for a token call. No message has gone out yet: what is no pause is a wrong credential."""
    detail = f"token: {_detail(errcode, errmsg)}"
    if errcode == -1:
        return Later(detail, _BUSY_S)
    if errcode == 45011:
        return Later(detail, _MINUTE_S, throttled=True)
    return Misconfigured(detail)
