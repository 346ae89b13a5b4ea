"""Files are told by their first bytes."""

import pytest

from bot.web.simulator.wechat_media import PHOTO, VIDEO, VOICE
from channels.media import ENDINGS, content_type, fits

FILES = [
    (PHOTO, "image/png", "image"),
    (VOICE, "audio/amr", "voice"),
    (VIDEO, "video/mp4", "video"),
    (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg", "image"),
    (b"GIF87a..", "image/gif", "image"),
    (b"GIF89a..", "image/gif", "image"),
    (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp", "image"),
    (b"\x00\x00\x00\x18ftypheic", "image/heic", "image"),
    (b"\x00\x00\x00\x18ftypmif1", "image/heif", "image"),
    (b"#!AMR-WB\n\x00", "audio/amr-wb", "voice"),
    (b"\x02#!SILK_V3", "audio/silk", "voice"),
    (b"ID3\x04", "audio/mpeg", "voice"),
    (b"\xff\xfb\x90", "audio/mpeg", "voice"),
    (b"OggS\x00", "audio/ogg", "voice"),
    (b"RIFF\x10\x00\x00\x00WAVEfmt ", "audio/wav", "voice"),
    (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4", "voice"),
    (b"\x00\x00\x00\x18ftypisom", "video/mp4", "video"),
    (b"\x00\x00\x00\x14ftypqt  ", "video/quicktime", "video"),
    (b"\x00\x00\x00\x18ftyp3gp5", "video/3gpp", "video"),
    (b"%PDF-1.7", "application/pdf", "file"),
]
OTHERS = [
    b"", b"\xff\xd8", b"RIFF", b"RIFF\x10\x00\x00\x00AVI LIST", b" %PDF-1.7", b"PK\x03\x04", b"MZ", b"<svg/>",
    b"<html>", b"\x7fELF", b"{}", b" GIF89a",
]  # fmt: skip


@pytest.mark.parametrize(("content", "named", "kind"), FILES, ids=[named for _, named, _ in FILES])
def test_what_is_kept(content: bytes, named: str, kind: str) -> None:
    assert content_type(content) == named
    assert named in ENDINGS
    assert [one for one in ("image", "voice", "video", "location") if fits(one, named)] == (
        [kind] if kind != "file" else []
    )
    assert fits("file", named)


@pytest.mark.parametrize("content", OTHERS, ids=repr)
def test_what_is_not_kept(content: bytes) -> None:
    assert content_type(content) == ""
    assert not fits("image", "")
