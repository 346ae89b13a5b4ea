"""The frozen types of all settings. `bot.config` reads them; everything else is handed what it needs."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import structs

from channels.sms import SmsSettings
from channels.wechat import WeChatSettings


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
    ladder_minutes: tuple[int, int] = (3, 8)
    """An emergency that nobody acknowledged climbs a rung after so many minutes."""
    owner_lease_minutes: int = 30
    """A conversation that was taken over falls back after so long without an act of its owner."""
    takeover_wait_seconds: float = 3.0
    """How long a takeover waits for what is on its way to the provider."""
    contact_hours: tuple[str, str] = ("08:00", "20:00")
    contact_within_hours: int = 2
    first_contact_at: str = "08:30"
    """When the ones of the night are called."""
    done_within_hours: int = 48
    urgent_contact_minutes: tuple[int, int] = (30, 60)
    """By day, by night."""
    urgent_done_hours: int = 4
    public_done_days: int = 3
    complaint_answer_hours: int = 2
    complaint_answer_at: str = "10:00"
    """When a complaint of the evening or night gets its first answer."""
    complaint_result_days: int = 3
    affair_days: int = 7
    affair_answer_working_days: int = 1
    quiet_hours: tuple[str, str] = ("21:30", "08:00")
    direct_answer_minutes: int = 15
    """An answer to a message this fresh always goes, quiet hours or not."""
    night_hours: tuple[str, str] = ("20:00", "08:00")
    reminder_minutes: int = 10
    unfinished_minutes: int = 30
    """An unfinished report becomes a person's task after so long in silence."""
    rework_by: str = "18:00"
    misunderstood_in_a_row: int = 2
    choice_gap: float = 0.15
    """A reading whose best two intents are closer than this is asked about."""
    reading_threshold: float = 0.45
    """A reading below this is not acted on without asking."""
    remember_days: int = 14
    """A closed order can still be rated or reopened by words for so long."""


class DeliverySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How what we say goes out. Seconds."""

    lease_seconds: float = 30.0
    passive_lease_seconds: float = 25.0
    parallel: int = 20
    attempts: int = 6
    first_retry_seconds: float = 2.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings (docs/settings.md)."""

    database_url: str = ""
    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8080
    staff_port: int | None = None
    public_url: str = ""
    timezone: str = "Asia/Shanghai"
    raw_payload_days: int = 30
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    knowledge_dir: Path | None = None
    desk: DeskSettings = DeskSettings()
    delivery: DeliverySettings = DeliverySettings()
    numbers: PublicNumbers = PublicNumbers()
    wechat: dict[str, WeChatSettings] = msgspec.field(default_factory=dict)
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

    @property
    def database(self) -> str:
        """The address of the database, the embedded one where none is set."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir.resolve() / 'frontdesk.db'}"

    @property
    def address(self) -> str:
        """The public address, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def owner_lease(self) -> timedelta:
        return timedelta(minutes=self.desk.owner_lease_minutes)
