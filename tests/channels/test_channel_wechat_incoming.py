"""WeChat pushes: every kind, every forgery, and wechatpy as the second opinion."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from multidict import MultiDict
from wechatpy import parse_message
from wechatpy.exceptions import InvalidSignatureException
from wechatpy.replies import deserialize_reply
from wechatpy.utils import check_signature

from channels.errors import Unauthorised
from channels.messages import Attachment, Parsed, WebhookRequest
from channels.wechat import WeChat, WeChatSettings
from channels.wechat.channel import TEXT_LIMIT
from channels.wechat.crypto import signature as sign
from tests.channels.cases import FIXTURES, check_incoming, incoming, load
from tests.channels.wechat_kit import OPENID, ORIGINAL_ID, SECRET, SENT_AT, TOKEN, WeChatKit, query, settings

KIT = WeChatKit()
NAMES = incoming("wechat")


def body_of(name: str) -> bytes:
    return Path(FIXTURES / "wechat" / f"{name}.xml").read_bytes()


def parsed(name: str) -> Parsed:
    return KIT.channel().parse(KIT.request(body_of(name)))


@pytest.mark.parametrize("name", NAMES)
def test_incoming(name: str, caplog: pytest.LogCaptureFixture) -> None:
    check_incoming(KIT, load(KIT, "wechat", name), caplog)


def test_there_are_enough_cases() -> None:
    assert len(NAMES) >= 60


# The handshake and the signature


@pytest.mark.parametrize(
    ("timestamp", "nonce", "signature", "echo"),
    [
        ("1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696", "4375120948345356249"),
        ("1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78", "1"),
    ],
)
def test_official_vectors(timestamp: str, nonce: str, signature: str, echo: str) -> None:
    """消息与事件推送介绍, token AAAAA."""
    channel = WeChat("main", WeChatSettings(app_id="wx1", app_secret="x", token="AAAAA"))
    parameters = MultiDict(signature=signature, timestamp=timestamp, nonce=nonce, echostr=echo)
    received = datetime.fromtimestamp(int(timestamp), SENT_AT.tzinfo)
    request = WebhookRequest(method="GET", suffix="", query=parameters, headers={}, body=b"", received_at=received)
    channel.verify(request)
    answer = channel.handshake(request)
    assert answer is not None
    assert (answer.status, answer.body, answer.content_type) == (200, echo.encode(), "text/plain")


def test_a_plain_dict_is_as_good_a_query() -> None:
    channel = KIT.channel()
    request = KIT.request(b"")
    as_dict = WebhookRequest(
        method="POST", suffix="", query=dict(request.query), headers={}, body=b"", received_at=SENT_AT
    )
    channel.verify(as_dict)


@pytest.mark.parametrize("late", [-600.0, -1.0, 0.0, 15.0, 600.0])
def test_a_repeat_inside_the_window_is_let_in(late: float) -> None:
    KIT.channel().verify(KIT.request(b"", late=late))


def test_the_window_is_a_setting() -> None:
    narrow = WeChatSettings(app_id="wx1", app_secret=SECRET, token=TOKEN, replay_window_s=30)
    with pytest.raises(Unauthorised):
        WeChat("main", narrow).verify(KIT.request(b"", late=31))


@pytest.mark.parametrize(("timestamp", "nonce"), [("1767225600", "nonce88"), ("9", "10"), ("1767225600", "漏水")])
def test_signature_agrees_with_wechatpy(timestamp: str, nonce: str) -> None:
    check_signature(TOKEN, sign(TOKEN, timestamp, nonce), timestamp, nonce)
    with pytest.raises(InvalidSignatureException):
        check_signature(TOKEN, sign("anothertoken", timestamp, nonce), timestamp, nonce)
    assert query(timestamp, nonce)["signature"] == sign(TOKEN, timestamp, nonce)


# wechatpy as the oracle


@pytest.mark.parametrize("name", [name for name in NAMES if load(KIT, "wechat", name).parsed is not None])
def test_agrees_with_wechatpy(name: str) -> None:
    theirs, ours = parse_message(body_of(name)), parsed(name)
    for message in ours.messages:
        assert (message.sender, message.sent_at) == (theirs.source, SENT_AT)
        assert theirs.time == int(SENT_AT.timestamp())
        if message.external_id.isdigit():
            assert message.external_id == str(theirs.id)
    for event in ours.events:
        assert event.sender == theirs.source
    for receipt in ours.receipts:
        if theirs.type == "event":
            assert receipt.provider_id == str(theirs.id)
            assert receipt.error == ("" if theirs.status == "success" else theirs.status)


@pytest.mark.parametrize("name", ["text__plain", "text__split_cdata", "text__escaped", "text__lines_and_emoji"])
def test_text_agrees_with_wechatpy(name: str) -> None:
    assert parsed(name).messages[0].text.strip() == parse_message(body_of(name)).content


def test_media_agree_with_wechatpy() -> None:
    image, voice = parsed("image__plain").messages[0].attachments[0], parsed("voice__recognised").messages[0]
    their_image, their_voice = parse_message(body_of("image__plain")), parse_message(body_of("voice__recognised"))
    assert (image.media_id, image.url) == (their_image.media_id, their_image.image)
    assert (voice.attachments[0].media_id, voice.text) == (their_voice.media_id, their_voice.recognition)
    place: Attachment = parsed("location__plain").messages[0].attachments[0]
    assert tuple(map(float, parse_message(body_of("location__plain")).location)) == (place.latitude, place.longitude)


# Repeats and keys


def test_repeats_without_msgid_have_one_key_and_other_messages_another() -> None:
    body = body_of("text__without_msgid")
    channel = KIT.channel()
    keys = {
        channel.parse(KIT.request(variant)).messages[0].external_id
        for variant in (body, body, body.replace("没有".encode(), "还有".encode()), body.replace(b"600<", b"601<"))
    }
    assert len(keys) == 3


def test_two_events_of_one_second_have_two_keys() -> None:
    events = ("click__plain", "location_event__plain", "scan__scene", "subscribe__scene", "subscribe__plain")
    assert len({parsed(name).events[0].external_id for name in events}) == len(events)


def test_a_position_is_not_kept() -> None:
    assert parsed("location_event__plain").events[0].raw == ""


def test_without_an_original_id_any_account_is_read_and_answered_under_its_name() -> None:
    channel = WeChat("main", WeChatSettings(app_id="wx1", app_secret=SECRET, token=TOKEN))
    got = channel.parse(KIT.request(body_of("text__plain").replace(b"gh_demo00000001", b"gh_another00001")))
    answer = channel.acknowledge(got, "好", SENT_AT)
    assert deserialize_reply(answer.body).source == "gh_another00001"


# The answer


def test_success_where_there_is_nothing_to_say() -> None:
    channel = KIT.channel()
    got = parsed("text__plain")
    for answer in (channel.acknowledge(got, None, SENT_AT), channel.acknowledge(got, "", SENT_AT)):
        assert (answer.status, answer.body) == (200, b"success")
    assert channel.acknowledge(Parsed(), "nobody to tell", SENT_AT).body == b"success"


@pytest.mark.parametrize(
    "text", ["好", "两行\n第二行", "a]]>b", "]]>]]>", "<a href='x'>&amp;</a>", "😭" * 100, "]]", "x" * TEXT_LIMIT]
)
def test_the_passive_reply_is_what_wechatpy_reads(text: str) -> None:
    answer = KIT.channel().acknowledge(parsed("text__plain"), text, SENT_AT + timedelta(seconds=1))
    reply = deserialize_reply(answer.body)
    assert (reply.type, reply.content) == ("text", text)
    assert (reply.target, reply.source) == (OPENID, ORIGINAL_ID)
    assert reply.time == 1767225601


def test_an_event_can_be_answered_too() -> None:
    answer = KIT.channel().acknowledge(parsed("subscribe__scene"), "您好", SENT_AT)
    assert deserialize_reply(answer.body).target == OPENID


def test_what_xml_forbids_is_dropped_from_the_reply() -> None:
    answer = KIT.channel().acknowledge(parsed("text__plain"), "a\x00b\x0bc\ud800d\uffffe", SENT_AT)
    assert deserialize_reply(answer.body).content == "abcde"


def test_a_reply_too_long_for_one_part_is_cut_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    answer = KIT.channel().acknowledge(parsed("text__plain"), "漏" * 700, SENT_AT)
    content = deserialize_reply(answer.body).content
    assert content.endswith("漏…")
    assert TEXT_LIMIT - 4 < len(content.encode()) <= TEXT_LIMIT
    assert "cut" in caplog.text
    assert "漏" not in caplog.text


# Settings


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mode": "safe"}, "mode 'safe' needs encoding_aes_key: EncodingAESKey, 43 letters and digits"),
        ({"mode": "compatible", "encoding_aes_key": "x" * 42}, "mode 'compatible' needs encoding_aes_key"),
        ({"mode": "safe", "encoding_aes_key": "x" * 44}, "mode 'safe' needs encoding_aes_key"),
        ({"mode": "safe", "encoding_aes_key": "=" * 43}, "mode 'safe' needs encoding_aes_key"),
        ({"token": "ab"}, "token must be 3 to 32"),
        ({"token": "with blank"}, "token must be 3 to 32"),
        ({"token": "x" * 33}, "token must be 3 to 32"),
        ({"app_secret": ""}, "must not be empty"),
        ({"api_base": "api.weixin.qq.com"}, "api_base must be"),
        ({"replay_window_s": 0.0}, "replay_window_s"),
    ],
)
def test_wrong_settings_are_told(change: dict[str, str], says: str) -> None:
    values: dict[str, object] = {"app_id": "wx1", "app_secret": SECRET, "token": TOKEN, **change}
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        WeChatSettings(**values)  # type: ignore[arg-type]
    assert SECRET not in str(caught.value)


def test_settings_and_channel_do_not_show_secrets() -> None:
    for shown in (repr(settings()), str(settings()), repr(settings().__rich_repr__()), repr(KIT.channel())):
        assert SECRET not in shown
        assert TOKEN not in shown
    assert "wx1234567890abcdef" in repr(settings())


def test_redact() -> None:
    text = f"secret={SECRET} token {TOKEN} http://x/y?access_token=77_abc-DEF&y=1 {{'access_token': '9_x'}}"
    clean = KIT.channel().redact(text)
    assert clean == "secret=*** token *** http://x/y?access_token=***&y=1 {'access_token': '***'}"
