"""What a file is, told by its first bytes: neither the provider's word nor a name is believed."""

from typing import Final

_STARTS: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"#!AMR\n", "audio/amr"),
    (b"#!AMR-WB\n", "audio/amr-wb"),
    (b"#!SILK_V3", "audio/silk"),
    (b"\x02#!SILK_V3", "audio/silk"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"%PDF-", "application/pdf"),
)
_BRANDS: Final = {
    b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"heic": "image/heic", b"heix": "image/heic",
    b"mif1": "image/heif", b"msf1": "image/heif",
}  # fmt: skip
"""Brands of an ISO base media file (ISO/IEC 14496-12) that are no MP4 video."""

ENDINGS: Final = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/heic": ".heic",
    "image/heif": ".heif", "audio/amr": ".amr", "audio/amr-wb": ".amr", "audio/silk": ".silk", "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg", "audio/mp4": ".m4a", "audio/wav": ".wav", "video/mp4": ".mp4", "video/quicktime": ".mov",
    "video/3gpp": ".3gp", "application/pdf": ".pdf",
}  # fmt: skip
"""The types that are kept, with the ending of their files."""

_FAMILY: Final = {"image": "image/", "voice": "audio/", "video": "video/"}


def content_type(content: bytes) -> str:
    """The media type of a file; "" for one that is none of `ENDINGS`."""
    if content[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(content[8:12], "")
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        return "video/3gpp" if brand[:3] == b"3gp" else _BRANDS.get(brand, "video/mp4")
    return next((named for start, named in _STARTS if content.startswith(start)), "")


def fits(kind: str, named: str) -> bool:
    """Whether a file of type `named` is what a message of this kind says it is; a `file` may be any that is kept."""
    return kind == "file" or (kind in _FAMILY and named.startswith(_FAMILY[kind]))
