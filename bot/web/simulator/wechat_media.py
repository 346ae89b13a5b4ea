"""What residents' phones upload: small, real files, which the platform hands out for three days (获取临时素材)."""

import secrets
import struct
import zlib
from datetime import datetime, timedelta
from typing import Final

KEPT: Final = timedelta(days=3)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _photo(width: int = 240, height: int = 180) -> bytes:
    """A PNG: a wall with a wet patch."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            wet = (x - 130) ** 2 + (y - 70) ** 2 * 2 < 4200
            rows += bytes((150, 165, 180) if wet else (226 - y // 8, 222 - y // 8, 212 - y // 8))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(bytes(rows)))
        + _chunk(b"IEND", b"")
    )


PHOTO: Final = _photo()
VOICE: Final = b"#!AMR\n" + (b"\x3c" + bytes(31)) * 300
"""Six seconds of AMR, as a phone sends them."""
SPOKEN: Final = b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01" + bytes(300)
"""The beginning of a voice in Ogg, as Telegram keeps it."""
PDF: Final = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
VIDEO: Final = struct.pack(">I", 24) + b"ftypmp42" + bytes(4) + b"mp42isom" + struct.pack(">I", 8) + b"mdat"


class Media:
    """Files by media id."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[bytes, str, datetime]] = {}

    def put(self, content: bytes, kind: str, now: datetime) -> str:
        """Keep a file; its media id."""
        media_id = f"{kind.upper()}_{secrets.token_urlsafe(32)}"
        self._files[media_id] = (content, kind, now)
        return media_id

    def get(self, media_id: str, now: datetime) -> tuple[bytes, str] | None:
        """Content and kind, unless it was never there or is forgotten."""
        content, kind, at = self._files.get(media_id, (b"", "", now - KEPT))
        return (content, kind) if now - at < KEPT else None
