"""SMS pushes: every kind, every forgery, and twilio's own library as the second opinion."""

import re
from typing import Any
from urllib.parse import parse_qsl

import pytest
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from channels.base import Channel
from channels.consent import OPT_IN, OPT_OUT, mark
from channels.errors import Unauthorised, Unreadable
from channels.messages import Parsed, WebhookRequest
from channels.sms import Sms, SmsSettings
from channels.sms.numbers import e164, national
from tests.channels.cases import FIXTURES, Kit, check_incoming, incoming, load
from tests.channels.sms_kit import (
    ACCOUNTS,
    KEY_SECRET,
    PUBLIC,
    PUSH_KEY,
    SENT_AT,
    TOKEN,
    KeyedKit,
    TwilioKit,
    oracle,
    request,
    settings,
)

KITS: dict[str, Kit] = {"twilio": TwilioKit(), "aliyun": KeyedKit("aliyun"), "tencent": KeyedKit("tencent")}
CASES = [(gateway, name) for gateway in KITS for name in incoming(f"sms_{gateway}")]


def body_of(gateway: str, name: str) -> bytes:
    (path,) = (path for path in (FIXTURES / f"sms_{gateway}").glob(f"{name}.*") if path.suffix != ".toml")
    return path.read_bytes()


@pytest.mark.parametrize(("gateway", "name"), CASES)
def test_incoming(gateway: str, name: str, caplog: pytest.LogCaptureFixture) -> None:
    check_incoming(KITS[gateway], load(KITS[gateway], f"sms_{gateway}", name), caplog)


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 60
    assert all(sum(gateway == one for one, _ in CASES) >= 14 for gateway in KITS)


# Twilio's signature


@pytest.mark.parametrize("name", incoming("sms_twilio"))
def test_signature_agrees_with_twilio(name: str) -> None:
    kit = TwilioKit()
    body = body_of("twilio", name)
    given = kit.request(body)
    fields = MultiDict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    for token, good in ((TOKEN, True), ("f" * 32, False)):
        theirs = RequestValidator(token).validate(PUBLIC + given.target, fields, given.headers["X-Twilio-Signature"])
        assert (theirs, _accepts(token, given)) == (good, good)


def _accepts(token: str, given: WebhookRequest) -> bool:
    try:
        Sms("main", settings("twilio", auth_token=token)).verify(given)
    except Unauthorised:
        return False
    return True


@pytest.mark.parametrize(
    ("configured", "signed"),
    [
        ("https://desk.example.com", "https://desk.example.com"),
        ("https://desk.example.com", "https://desk.example.com:443"),
        ("https://desk.example.com:443", "https://desk.example.com"),
        ("https://desk.example.com/", "https://desk.example.com"),
        ("http://desk.example.com", "http://desk.example.com:80"),
        ("https://desk.example.com:8443/behind/a/proxy", "https://desk.example.com:8443/behind/a/proxy"),
    ],
)
def test_the_address_is_the_public_one_in_any_spelling(configured: str, signed: str) -> None:
    body = body_of("twilio", "text__plain")
    given = request(body, "/inbound", {"X-Twilio-Signature": oracle(body, "/inbound", public=signed), "Host": "inside"})
    account = SmsSettings(gateway="twilio", public_url=configured, **ACCOUNTS["twilio"])
    Sms("main", account).verify(given)


def test_values_given_twice_and_blank_values_are_signed_as_twilio_does() -> None:
    body = b"MessageSid=SM1&B=2&B=1&B=2&Empty=&From=%2B8613800138000&Body=+x+"
    Sms("main", settings("twilio")).verify(TwilioKit().request(body))


def test_while_the_token_is_rotated_both_are_good() -> None:
    given = TwilioKit().request(body_of("twilio", "text__plain"))
    rotating = Sms("main", settings("twilio", auth_token="e" * 32, previous_auth_token=TOKEN))
    rotating.verify(given)


def test_the_official_vector() -> None:
    """twilio.com/docs/usage/security, as quoted with its expected signature."""
    fields = MultiDict(
        CallSid="CA1234567890ABCDE", Caller="+14158675309", Digits="1234", From="+14158675309", To="+18005551212"
    )
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert RequestValidator("12345").compute_signature(url, fields) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    given = WebhookRequest(
        method="POST", suffix="", target="/myapp.php?foo=1&bar=2", query={}, received_at=SENT_AT,
        headers={"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
        body=b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
    )  # fmt: skip
    account = SmsSettings(
        gateway="twilio", public_url="https://mycompany.com", account_sid="AC1", auth_token="12345", sender="+1"
    )
    Sms("main", account).verify(given)


# Keys, answers


def test_two_texts_of_one_second_have_two_keys_where_the_gateway_gives_none() -> None:
    kit = KITS["tencent"]
    body = body_of("tencent", "reply__plain")
    variants = (body, body, body.replace("漏水".encode(), "停电".encode()), body.replace(b"600}", b"601}"))
    assert len({kit.channel().parse(kit.request(one)).messages[0].external_id for one in variants}) == 3


def test_an_empty_push_is_nothing() -> None:
    kit = KITS["aliyun"]
    assert kit.channel().parse(kit.request(b"[]")) == Parsed()


@pytest.mark.parametrize(
    ("gateway", "body", "content_type"),
    [
        ("twilio", b'<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml"),
        ("aliyun", '{"code":0,"msg":"接收成功"}'.encode(), "application/json"),
        ("tencent", b'{"result":0,"errmsg":"OK"}', "application/json"),
    ],
)
def test_the_acknowledgement(gateway: str, body: bytes, content_type: str) -> None:
    channel: Channel = KITS[gateway].channel()
    for reply in (None, "好"):
        answer = channel.acknowledge(Parsed(), reply, SENT_AT)
        assert (answer.status, answer.body, answer.content_type) == (200, body, content_type)
    assert channel.capabilities.answer_within is None, "a reply never rides in it"


@pytest.mark.parametrize(("gateway", "budget"), [("twilio", 2.0), ("aliyun", 0.35), ("tencent", 0.5)])
def test_the_budget_of_a_turn(gateway: str, budget: float) -> None:
    assert KITS[gateway].channel().capabilities.turn_budget == budget


@pytest.mark.parametrize(("gateway", "keyed"), [("twilio", False), ("aliyun", True), ("tencent", True)])
def test_the_paths(gateway: str, keyed: bool) -> None:
    key = "/{key}" if keyed else ""
    routes = KITS[gateway].channel().routes
    assert [(route.method, route.suffix) for route in routes] == [
        ("POST", f"/inbound{key}"), ("POST", f"/receipts{key}")
    ]  # fmt: skip


def test_one_entry_is_kept_without_the_words_of_others() -> None:
    kit = KITS["aliyun"]
    parsed = kit.channel().parse(kit.request(body_of("aliyun", "smsup__one_bad_among_them")))
    assert ["停电" in message.raw for message in parsed.messages] == [False, True]
    assert '"content": 17' in parsed.broken[0].raw


def test_what_is_read_of_a_body_over_the_limit() -> None:
    for kit in KITS.values():
        with pytest.raises(Unreadable, match="bytes, at most"):
            kit.channel().parse(kit.request(b"x" * 70_000))


# Numbers and words


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("13800138000", "CN", "+8613800138000"),
        ("8613800138000", "CN", "+8613800138000"),
        ("+8613800138000", "HK", "+8613800138000"),
        ("008613800138000", "CN", "+8613800138000"),
        ("+86 138-0013-8000", "CN", "+8613800138000"),
        ("＋８６１３８００１３８０００", "CN", "+8613800138000"),
        ("61234567", "HK", "+85261234567"),
        ("+85261234567", "CN", "+85261234567"),
        ("+14155238886", "CN", "+14155238886"),
        ("+15005550006", "CN", "+15005550006"),
        ("10086", "CN", None),
        ("1069012345678", "CN", None),
        ("106912345678901234", "CN", None),
        ("01066668888", "CN", None),
        ("+861066668888", "CN", None),
        ("12800138000", "CN", None),
        ("95588", "CN", None),
        ("whatsapp:+8613800138000", "CN", None),
        ("WECHAT", "CN", None),
        ("", "CN", None),
        ("+", "CN", None),
        ("+999999999999", "CN", None),
        ("1" * 4000, "CN", None),
        ("٣" * 11, "CN", None),
    ],
)
def test_one_handset_is_one_address(written: str, country: str, number: str | None) -> None:
    assert e164(written, country) == number
    if number:
        assert e164(number, country) == number
        assert (national(number) is None) == (not number.startswith("+86"))


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        *((word, OPT_OUT) for word in ("T", "td", "Ｒ", " 退订\n", "拒收", "退訂", "STOP", "Unsubscribe", "end", "QUIT",
                                       "cancel", "STOPALL", "OptOut", "revoke")),
        *((word, OPT_IN) for word in ("START", "unstop", "恢复", "订阅", "訂閱", "恢復")),
        *((word, None) for word in ("我要退订报纸", "stop the leak", "T恤", "RE", "t2", "", "1", "取消", "YES")),
    ],
)  # fmt: skip
def test_words_that_bind(text: str, marked: str | None) -> None:
    assert mark(text) == marked


# Settings


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"gateway": "twillio"},
            "no gateway 'twillio'; there are twilio, aliyun, tencent, signed-json; did you mean twilio?",
        ),
        ({"auth_token": ""}, "gateway twilio needs auth_token"),
        ({"gateway": "aliyun", "sign_name": "x"}, "gateway aliyun needs access_key_id, access_key_secret, push_key"),
        ({"push_key": "short"}, "push_key must be 16 to 128"),
        ({"push_key": "with/slash/and more of it"}, "push_key must be 16 to 128"),
        ({"api_base": "api.twilio.com"}, "api_base must be"),
        ({"public_url": "desk"}, "public_url must be"),
        ({"country": "China"}, "country must be"),
        ({"daily_cap": 5.0}, "daily_cap needs price_per_part"),
        ({"daily_cap": -5.0}, "must not be negative"),
    ],
)
def test_wrong_settings_are_told(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        SmsSettings(**{"gateway": "twilio", **ACCOUNTS["twilio"], **change})
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("gateway", KITS)
def test_settings_and_channel_do_not_show_secrets(gateway: str) -> None:
    account = settings(gateway)
    channel = Sms("main", account)
    text = f"at {TOKEN} {KEY_SECRET} {PUSH_KEY}"
    hidden = [secret for secret in (TOKEN, KEY_SECRET, PUSH_KEY) if secret in account.secrets]
    assert hidden
    for shown in (repr(account), str(account), repr(account.__rich_repr__()), repr(channel), channel.redact(text)):
        assert not any(secret in shown for secret in hidden)
    assert "***" in channel.redact(text)
    assert gateway in repr(account)
