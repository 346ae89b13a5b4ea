"""The frozen types of all settings. `bot.config` reads them; everything else is handed what it needs."""

import difflib
import ipaddress
import zoneinfo
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, structs

from channels.sms import SmsSettings
from channels.telegram import TelegramSettings
from channels.wechat import WeChatSettings

# What a value has to be; `description` is what a wrong one is answered with.
Port = Annotated[int, Meta(ge=1, le=65535, description="a port from 1 to 65535")]
Count = Annotated[int, Meta(ge=1, le=10_000, description="a whole number from 1 to 10000")]
Seconds = Annotated[float, Meta(gt=0, le=3600, description="a number of seconds above 0, at most 3600")]
ModelSeconds = Annotated[float, Meta(gt=0, le=20, description="a number of seconds above 0, at most 20")]
Calls = Annotated[int, Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")]
Share = Annotated[float, Meta(ge=0, le=1, description="a number from 0 to 1")]
ClockTime = Annotated[
    str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="a time of day with four digits, such as 08:30")
]

_ANYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - named to be recognised, not to be bound


class PublicNumbers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers for a resident in danger. An empty one is not printed."""

    police: str = "110"
    fire: str = "119"
    ambulance: str = "120"
    traffic: str = "122"
    city: str = "12345"
    gas: str = ""
    power: str = ""
    water: str = ""
    lift_rescue: str = ""


class DeskSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the desk behaves. Minutes and hours as their names say; times of day are the community's, `HH:MM`."""

    service_phone: str = ""
    """The number that is answered round the clock, where a community has none of its own."""
    ladder_minutes: tuple[Count, Count] = (3, 8)
    """An emergency that nobody acknowledged climbs a rung after so many minutes."""
    owner_lease_minutes: Count = 30
    """A conversation that was taken over falls back after so long without an act of its owner."""
    takeover_wait_seconds: Seconds = 3.0
    """How long a takeover waits for what is on its way to the provider."""
    contact_hours: tuple[ClockTime, ClockTime] = ("08:00", "20:00")
    contact_within_hours: Count = 2
    first_contact_at: ClockTime = "08:30"
    """When the ones of the night are called."""
    done_within_hours: Count = 48
    urgent_contact_minutes: tuple[Count, Count] = (30, 60)
    """By day, by night."""
    urgent_done_hours: Count = 4
    public_done_days: Count = 3
    complaint_answer_hours: Count = 2
    complaint_answer_at: ClockTime = "10:00"
    """When a complaint of the evening or night gets its first answer."""
    complaint_result_days: Count = 3
    affair_days: Count = 7
    affair_answer_working_days: Count = 1
    quiet_hours: tuple[ClockTime, ClockTime] = ("21:30", "08:00")
    direct_answer_minutes: Count = 15
    """An answer to a message this fresh always goes, quiet hours or not."""
    night_hours: tuple[ClockTime, ClockTime] = ("20:00", "08:00")
    bubble_seconds: Seconds = 3.0
    """A form question waits so long for another bubble, and is not asked if one comes."""
    complaint_bubble_seconds: Seconds = 8.0
    """The same while somebody complains: they are heard out."""
    bubbles_at_most_seconds: Seconds = 12.0
    """From the first bubble on the question waits no longer than this."""
    voice_minutes: tuple[Count, Count] = (10, 5)
    """So soon a person listens to a voice message, by day and by night."""
    scan_minutes: Count = 30
    """So long the place of a scanned code is where the next report is."""
    reminder_minutes: Count = 10
    unfinished_minutes: Count = 30
    """An unfinished report becomes a person's task after so long in silence."""
    rework_by: ClockTime = "18:00"
    misunderstood_in_a_row: Count = 2
    choice_gap: Share = 0.15
    """A reading whose best two intents are closer than this is asked about."""
    reading_threshold: Share = 0.45
    """A reading below this is not acted on without asking."""
    helpful_again_hours: Count = 24
    """So long after it was asked whether an answer helped it is not asked again in a conversation."""
    offer_answer_days: Count = 7
    """Whoever asked what nobody knew is told the answer of an article that is released within so many days."""
    remember_days: Count = 14
    """A closed order can still be rated or reopened by words for so long."""
    binding_tries_an_hour: Count = 5
    """So many failed tries to bind within an hour, and an address tries no more for a while."""
    binding_tries_a_day: Count = 10
    """The same for a home, whoever tries, within a day."""
    binding_locked_hours: Count = 24
    binding_code_minutes: Count = 10
    binding_objection_days: Count = 7
    """So long the registered phone can object to a binding that it was told of."""
    tenancy_warning_days: Count = 7
    """So long before a tenancy ends the steward is asked whether it goes on."""


class DeliverySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How what we say goes out. Seconds."""

    lease_seconds: Seconds = 30.0
    passive_lease_seconds: Seconds = 25.0
    parallel: Count = 20
    attempts: Count = 6
    """After so many tries that failed for a passing reason a person is asked to phone; the row is still tried."""
    give_up_hours: Count = 24
    """So long after it was said a row is tried no more."""
    first_retry_seconds: Seconds = 2.0
    join_minutes: Count = 10
    """Two unasked messages to a resident are at least so far apart; what falls due in between is joined."""
    morning_spread_minutes: Count = 30
    """What the quiet hours held back leaves within so long after their end, each resident at a minute of their own."""
    answer_waits_hours: Count = 24
    """An answer that waits for a resident who was told so is phoned about after so long."""


AlarmKind = Literal[
    "emergency", "doubtful", "voice", "waiting", "red_flag", "late", "lapsed", "failed_turn", "channel", "drill_due"
]
"""What a person has to hear of (docs/operations.md). A drill goes every way, whatever is set."""

_ROBOT_URLS: Final = {
    "wecom": ("key=", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…"),
    "dingtalk": ("access_token=", "https://oapi.dingtalk.com/robot/send?access_token=…"),
    "feishu": ("/hook/", "https://open.feishu.cn/open-apis/bot/v2/hook/…"),
}
"""What the address of a robot holds, and how it looks where the platform shows it."""


class RobotSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The robot of a work group. Raises `ValueError`, and never shows its address or secret in its `repr`."""

    kind: Literal["wecom", "dingtalk", "feishu"]
    url: str
    """The whole address that the platform shows. Whoever knows it can write into the group."""
    secret: str = ""
    """DingTalk 加签, Feishu 签名校验. WeCom has none."""
    community: str = ""
    """The one community this group works for, by its name; empty: all."""
    kinds: tuple[AlarmKind, ...] = ("emergency", "doubtful", "voice", "failed_turn", "channel")
    """The alarms that this group is told of."""

    def __post_init__(self) -> None:
        holds, looks = _ROBOT_URLS[self.kind]
        if not self.url.startswith(("http://", "https://")) or holds not in self.url:
            raise ValueError(f"url must be the whole address that the platform shows, such as {looks}")
        if self.secret and self.kind == "wecom":
            raise ValueError("secret must be left out: WeCom's robots sign nothing")

    def __repr__(self) -> str:
        shown = f"kind={self.kind!r}, community={self.community!r}, kinds={self.kinds!r}"
        return f"RobotSettings({shown})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("kind", self.kind), ("community", self.community), ("kinds", self.kinds)]


class LanguageModelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A language model that is asked where the desk is not sure. Off until an address is set. Never shows its key.

    Raises `ValueError` for what no type can tell.
    """

    base_url: str = ""
    """The OpenAI-compatible address that `/chat/completions` is put behind; empty: off."""
    api_key: str = ""
    model: str = ""
    timeout_s: ModelSeconds = 4.0
    """So long a resident waits for it, and then hears what the desk would have said without."""
    daily_calls: Calls = 1000
    """At most so many calls a day; after them it is as if it were off."""
    read: bool = True
    """It is asked what a message means."""
    word: bool = True
    """It may word an answer from the articles found."""

    def __post_init__(self) -> None:
        if self.base_url and not self.base_url.startswith(("http://", "https://")):
            raise ValueError("base_url must begin with http:// or https://, such as https://api.example.com/v1")
        if not self.api_key.isascii() or any(sign.isspace() for sign in self.api_key):
            raise ValueError("api_key must hold nothing but the key: no space, no line break")
        if self.base_url and not self.model:
            raise ValueError("model is missing: name the model as the endpoint does")
        if not self.base_url and (self.model or self.api_key):
            raise ValueError("base_url is missing: without an address no model is asked; leave out the rest, or set it")

    def __repr__(self) -> str:
        return f"LanguageModelSettings(base_url={self.base_url!r}, model={self.model!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("base_url", self.base_url), ("model", self.model)]

    @property
    def reads(self) -> bool:
        return bool(self.base_url) and self.read

    @property
    def words(self) -> bool:
        return bool(self.base_url) and self.word


class AlarmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the people on duty hear of an alarm outside the console."""

    sms_kinds: tuple[AlarmKind, ...] = ("emergency",)
    """The alarms that are sent to the phones of the people they are addressed to; none: no texts."""
    sms_account: str = ""
    """The account of `sms` that sends them; empty: `main`, or the only one."""
    language: Literal["zh-Hans", "zh-Hant", "en"] = "zh-Hans"
    """The language of groups and staff phones."""
    link_minutes: Count = 15
    """So long a link acknowledges without a sign-in."""
    drill_days: Count = 31
    """A drill is asked for when the last one is longer ago."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings (docs/settings.md)."""

    database_url: str = ""
    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: Port = 8080
    staff_port: Port | None = None
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose word on where a request came from is taken (`bot.web.proxies`)."""
    timezone: str = "Asia/Shanghai"
    raw_payload_days: Count = 30
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    knowledge_dir: Path | None = None
    desk: DeskSettings = DeskSettings()
    delivery: DeliverySettings = DeliverySettings()
    numbers: PublicNumbers = PublicNumbers()
    alarms: AlarmSettings = AlarmSettings()
    language_model: LanguageModelSettings = LanguageModelSettings()
    robots: dict[str, RobotSettings] = msgspec.field(default_factory=dict)
    wechat: dict[str, WeChatSettings] = msgspec.field(default_factory=dict)
    telegram: dict[str, TelegramSettings] = msgspec.field(default_factory=dict)
    sms: dict[str, SmsSettings] = msgspec.field(default_factory=dict)

    def accounts(self, channel: str) -> dict[str, Any]:
        """The accounts of a channel by name; those that must know where they are called are told, if not yet."""
        found: dict[str, Any] = getattr(self, channel)
        return {
            name: values
            if getattr(values, "public_url", None) != ""
            else structs.replace(values, public_url=self.address)
            for name, values in found.items()
        }

    def __post_init__(self) -> None:
        """Raises `ValueError` for what no type can tell."""
        _check_timezone(self.timezone)
        for network in self.trusted_proxies:
            _check_network(network)
        if self.public_url and not self.public_url.startswith(("http://", "https://")):
            raise ValueError(f"public_url is {self.public_url!r}: it must begin with http:// or https://")
        if self.alarms.sms_account and self.alarms.sms_account not in self.sms:
            known = ", ".join(self.sms) or "none yet"
            raise ValueError(f"alarms.sms_account is {self.alarms.sms_account!r}; the accounts of sms are: {known}")
        if self.staff_port == self.port:
            raise ValueError(f"staff_port is {self.port}, as port is: give it another, or leave it out")

    @property
    def database(self) -> str:
        """The address of the database, the embedded one where none is set."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir.resolve() / 'frontdesk.db'}"

    @property
    def address(self) -> str:
        """The public address, without a slash at its end."""
        return (self.public_url or self.local(self.port)).rstrip("/")

    def local(self, port: int) -> str:
        """How this machine reaches a listener of ours."""
        host = "127.0.0.1" if self.host in _ANYWHERE else self.host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def staff_sms(self) -> str | None:
        """The SMS account that tells the staff of alarms; None: there is none."""
        if not self.alarms.sms_kinds or not self.sms:
            return None
        if self.alarms.sms_account or len(self.sms) > 1:
            return self.alarms.sms_account or ("main" if "main" in self.sms else None)
        return next(iter(self.sms))


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        nearest = difflib.get_close_matches(name, zoneinfo.available_timezones(), 1)
        hint = f"did you mean {nearest[0]}?" if nearest else "choose one such as Asia/Shanghai"
        raise ValueError(f"timezone is {name!r}, which is no time zone; {hint}") from None


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(
            f"trusted_proxies holds {text!r}, which is no network: write addresses or networks such as 10.0.0.0/8"
        ) from None
