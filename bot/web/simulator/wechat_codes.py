"""Scene codes as the platform makes them (生成带参数的二维码)."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

TEMPORARY_MOST: Final = 2592000
TEMPORARY_USUAL: Final = 60
SCENE_MOST: Final = 64
NUMBER_MOST: Final = 100000


class Codes:
    """Tickets and what they stand for."""

    def __init__(self) -> None:
        self._scenes: dict[str, tuple[str, datetime | None]] = {}

    def create(self, asked: Mapping[str, object], now: datetime) -> dict[str, object] | None:
        """The answer of `qrcode/create`; None for what the platform refuses."""
        name, scene = str(asked.get("action_name", "")), _scene(asked)
        seconds = asked.get("expire_seconds", TEMPORARY_USUAL)
        lasting = name in {"QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE"}
        good = lasting or name in {"QR_SCENE", "QR_STR_SCENE"}
        if not good or not scene or not isinstance(seconds, int) or not 0 < seconds <= TEMPORARY_MOST:
            return None
        ticket = f"{secrets.token_urlsafe(48)}=="
        self._scenes[ticket] = scene, None if lasting else now + timedelta(seconds=seconds)
        answer: dict[str, object] = {"ticket": ticket, "url": f"http://weixin.qq.com/q/{secrets.token_urlsafe(12)}"}
        return answer if lasting else {**answer, "expire_seconds": seconds}

    def scene(self, ticket: str, now: datetime) -> str:
        """What a code says, while it holds; empty afterwards."""
        scene, until = self._scenes.get(ticket, ("", None))
        return scene if until is None or now < until else ""


def _scene(asked: Mapping[str, object]) -> str:
    info = asked.get("action_info")
    scene = info.get("scene") if isinstance(info, dict) else None
    if not isinstance(scene, dict):
        return ""
    text, number = scene.get("scene_str"), scene.get("scene_id")
    if isinstance(text, str):
        return text if 1 <= len(text) <= SCENE_MOST else ""
    return str(number) if isinstance(number, int) and 1 <= number <= NUMBER_MOST else ""
