"""SMS against the stand-ins: every outcome of the code tables, signatures of calls, faults of the line."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from channels.errors import (
    Blocked,
    Later,
    Misconfigured,
    OutcomeUnknown,
    QuotaUsedUp,
    Rejected,
    SendError,
)
from channels.messages import OutboundMessage
from channels.sms import aliyun, tencent, twilio
from channels.sms.aliyun import signed
from channels.sms.settings import SmsAccount
from channels.sms.tencent import authorization
from channels.sms.vocabulary import match, render, templates
from tests.channels.cases import Kit, Outgoing, check_outgoing
from tests.channels.sms_kit import IDS, PHONE, PUBLIC, SIGN_NAME, KeyedKit, TwilioKit, settings, standing

KITS: Final[Mapping[str, Kit]] = {"twilio": TwilioKit(), "aliyun": KeyedKit("aliyun"), "tencent": KeyedKit("tencent")}
CALL: Final = {"twilio": "Messages", "aliyun": "SendSms", "tencent": "SendSms"}
RECORDED: Final = render("recorded", what="厨房水管漏水", number="0001", until="今天17:30")
LONGEST: Final = "漏" * twilio.TEXT_LIMIT


def case(gateway: str, name: str, **more: Any) -> tuple[str, Outgoing]:
    call = CALL[gateway]
    values: dict[str, Any] = {"address": PHONE, "text": RECORDED, "requests": (call,), **more}
    script: Mapping[str, Any] | None = values.pop("fault", None)
    if script is not None:
        values["script"] = ((call, script),)
    return gateway, Outgoing(name=name, **values)


def refused(gateway: str, code: str, error: type[SendError], **more: Any) -> tuple[str, Outgoing]:
    return case(gateway, code, fault={"code": code}, error=error, detail=code, arrives=False, **more)


def line(gateway: str) -> list[tuple[str, Outgoing]]:
    """What may happen on the line, the same at every gateway."""
    return [
        case(gateway, "an approved text", arrives=True),
        case(gateway, "HTTP 429", fault={"status": 429}, error=Later, after=10.0, throttled=True, arrives=False),
        case(gateway, "HTTP 503", fault={"status": 503}, error=Later, after=5.0, arrives=False),
        case(gateway, "HTTP 500", fault={"status": 500}, error=OutcomeUnknown, detail="HTTP 500"),
        case(gateway, "HTTP 502", fault={"status": 502}, error=OutcomeUnknown),
        case(gateway, "HTTP 302", fault={"status": 302}, error=Later, after=5.0, arrives=False),
        case(
            gateway, "a proxy's page with 200", fault={"html": True}, error=OutcomeUnknown, detail="not a JSON object"
        ),
        case(gateway, "truncated JSON", fault={"body": '{"Code":"O'}, error=OutcomeUnknown),
        case(gateway, "deep JSON", fault={"body": '{"a":' + "[" * 100_000}, error=OutcomeUnknown),
        case(gateway, "an object that says nothing", fault={"body": "{}"}, error=OutcomeUnknown, detail="holds no"),
        case(gateway, "cut before delivery", fault={"cut": "before"}, error=OutcomeUnknown, arrives=False),
        case(gateway, "cut after delivery", fault={"cut": "after"}, error=OutcomeUnknown, arrives=True),
    ]


def mainland(gateway: str) -> list[tuple[str, Outgoing]]:
    """Where every text must be approved."""
    return [
        *(
            case(gateway, name, text=template.filled(template.example), arrives=True)
            for name, template in templates().items()
        ),
        case(gateway, "with the signature in front", text=f"【{SIGN_NAME}】{RECORDED}", arrives=True),
        case(gateway, "free text", text="您好，师傅马上到。", requests=(), error=Rejected, detail="no template"),
        case(gateway, "nearly a template", text=RECORDED + "谢谢。", requests=(), error=Rejected, detail="no template"),
        case(gateway, "a link", text=RECORDED.replace("厨房水管漏水", "http://x.com"), requests=(), error=Rejected),
        case(gateway, "a phone", text=RECORDED.replace("厨房水管漏水", "13800138000"), requests=(), error=Rejected),
        case(gateway, "abroad", address="+85261234567", requests=(), error=Rejected, detail="no mainland"),
        case(gateway, "no number", address="oWeChat", requests=(), error=Rejected, detail="no mainland"),
    ]


CASES: Final = [
    *line("twilio"),
    case("twilio", "lines, emoji, markup", text="一\n二 😭 <a href='x'>&</a> + % ＝", arrives=True),
    case("twilio", "abroad", address="+85261234567", arrives=True),
    case("twilio", "the longest", text=LONGEST, arrives=True),
    case("twilio", "over it", text=LONGEST + "c", requests=(), error=Rejected, detail="1600", arrives=False),
    case("twilio", "no number", address="oWeChat", error=Rejected, detail="21211", arrives=False),
    refused("twilio", "20003", Misconfigured),
    case("twilio", "20429", fault={"code": "20429"}, error=Later, detail="HTTP 429", after=10.0, throttled=True),
    refused("twilio", "21408", Misconfigured),
    refused("twilio", "21606", Misconfigured),
    refused("twilio", "21610", Blocked),
    refused("twilio", "21611", Later, after=10.0, throttled=True),
    refused("twilio", "21612", Misconfigured),
    refused("twilio", "21614", Rejected),
    refused("twilio", "21617", Rejected),
    refused("twilio", "29999", Rejected),
    *line("aliyun"),
    *mainland("aliyun"),
    refused("aliyun", "isv.BUSINESS_LIMIT_CONTROL", QuotaUsedUp),
    refused("aliyun", "isv.SMS_SIGNATURE_ILLEGAL", Misconfigured),
    refused("aliyun", "isv.SMS_TEMPLATE_ILLEGAL", Misconfigured),
    refused("aliyun", "isv.MOBILE_NUMBER_ILLEGAL", Rejected),
    refused("aliyun", "isv.PARAM_NOT_SUPPORT_URL", Rejected),
    refused("aliyun", "isv.BLACK_KEY_CONTROL_LIMIT", Rejected),
    refused("aliyun", "isv.AMOUNT_NOT_ENOUGH", Misconfigured),
    refused("aliyun", "isv.ACCOUNT_ABNORMAL", Misconfigured),
    refused("aliyun", "isp.RAM_PERMISSION_DENY", Misconfigured),
    refused("aliyun", "SignatureDoesNotMatch", Misconfigured),
    refused("aliyun", "Throttling.User", Later, after=10.0, throttled=True),
    refused("aliyun", "isp.SYSTEM_ERROR", OutcomeUnknown),
    refused("aliyun", "ServiceUnavailable", OutcomeUnknown),
    refused("aliyun", "isv.SOMETHING_NEW", Rejected),
    *line("tencent"),
    *mainland("tencent"),
    refused("tencent", "LimitExceeded.PhoneNumberThirtySecondLimit", QuotaUsedUp),
    refused("tencent", "LimitExceeded.PhoneNumberDailyLimit", QuotaUsedUp),
    refused("tencent", "LimitExceeded.PhoneNumberCountLimit", Rejected),
    refused("tencent", "LimitExceeded.DeliveryFrequencyLimit", Later, after=10.0, throttled=True),
    refused("tencent", "RequestLimitExceeded", Later, after=10.0, throttled=True),
    refused("tencent", "LimitExceeded.AppDailyLimit", Misconfigured),
    refused("tencent", "FailedOperation.SignatureIncorrectOrUnapproved", Misconfigured),
    refused("tencent", "FailedOperation.TemplateParamSetNotMatchApprovedTemplate", Rejected),
    refused("tencent", "FailedOperation.ContainSensitiveWord", Rejected),
    refused("tencent", "FailedOperation.PhoneNumberInBlacklist", Blocked),
    refused("tencent", "FailedOperation.InsufficientBalanceInSmsPackage", Misconfigured),
    refused("tencent", "InvalidParameterValue.IncorrectPhoneNumber", Rejected),
    refused("tencent", "UnauthorizedOperation.RequestIpNotInWhitelist", Misconfigured),
    refused("tencent", "AuthFailure.SignatureExpire", Misconfigured),
    refused("tencent", "InternalError.Timeout", OutcomeUnknown),
    refused("tencent", "FailedOperation.OtherError", OutcomeUnknown),
    refused("tencent", "SomethingNew", Rejected),
]


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize(("gateway", "wanted"), CASES, ids=lambda one: getattr(one, "name", one))
async def test_outgoing(gateway: str, wanted: Outgoing, caplog: pytest.LogCaptureFixture) -> None:
    async with standing(gateway) as (far, channel):
        for call, fault in wanted.script:
            far.script(call, **fault)
        await check_outgoing(KITS[gateway], channel, wanted, caplog)
        assert tuple(name for name, _ in far.requests) == wanted.requests
        assert far.unused_scripts() == []
        signed_text = wanted.text if gateway == "twilio" else f"【{SIGN_NAME}】{wanted.text.split('】')[-1]}"
        if wanted.arrives is not None:
            assert far.phone(wanted.address).received() == ([signed_text] if wanted.arrives else [])


SENT: Final[Mapping[str, dict[str, Any]]] = {
    "twilio": {
        "To": PHONE, "From": "+85230000001", "Body": RECORDED,
        "StatusCallback": f"{PUBLIC}/channels/sms/main/receipts?row=row-1",
    },
    "aliyun": {
        "PhoneNumbers": "13800138000", "SignName": SIGN_NAME, "TemplateCode": IDS["recorded"], "OutId": "row-1",
        "TemplateParam": '{"what":"厨房水管漏水","number":"0001","until":"今天17:30"}',
    },
    "tencent": {
        "PhoneNumberSet": [PHONE], "SmsSdkAppId": "1400006666", "SignName": SIGN_NAME,
        "TemplateId": IDS["recorded"], "TemplateParamSet": ["厨房水管漏水", "0001", "今天17:30"],
        "SessionContext": "row-1",
    },
}  # fmt: skip


@pytest.mark.parametrize("gateway", KITS)
async def test_what_is_sent_and_how_it_is_named(gateway: str) -> None:
    async with standing(gateway) as (far, channel):
        result = await channel.send(OutboundMessage(row_id="row-1", address=PHONE, text=RECORDED))
        assert far.requests == [(CALL[gateway], SENT[gateway])]
        (handed,) = far.handed
        push = far.dialect.receipt("http://service", handed, "", far.now())
        (receipt,) = channel.parse(KITS[gateway].request(push.body)).receipts
        assert (result.provider_id, "delivered") == (receipt.provider_id, receipt.outcome)
        if gateway != "twilio":  # there it stands in the address
            assert receipt.row_id == "row-1"


async def test_a_messaging_service_sends_in_place_of_a_number() -> None:
    async with standing("twilio") as (far, _):
        channel = type(_)("main", settings("twilio", far.base_url, sender="MG" + "0" * 32))
        with pytest.raises(Misconfigured):
            await channel.send(OutboundMessage(row_id="1", address=PHONE, text="好"))
        assert far.requests[0][1]["MessagingServiceSid"] == "MG" + "0" * 32
        await channel.close()


@pytest.mark.parametrize("gateway", ["aliyun", "tencent"])
async def test_an_extension_code_travels(gateway: str) -> None:
    async with standing(gateway) as (far, _):
        channel = type(_)("main", settings(gateway, far.base_url, sender="12"), lambda: far.now().timestamp())
        await channel.send(OutboundMessage(row_id="1", address=PHONE, text=RECORDED))
        assert far.requests[0][1][{"aliyun": "SmsUpExtendCode", "tencent": "ExtendCode"}[gateway]] == "12"
        await channel.close()


@pytest.mark.parametrize("gateway", ["aliyun", "tencent"])
async def test_a_text_without_an_id_in_the_settings_is_told_by_name(gateway: str) -> None:
    async with standing(gateway) as (far, _):
        channel = type(_)("main", settings(gateway, far.base_url, templates={"done": "SMS_1"}))
        with pytest.raises(Rejected, match=r"templates\.recorded has no id"):
            await channel.send(OutboundMessage(row_id="1", address=PHONE, text=RECORDED))
        assert far.requests == []
        await channel.close()


@pytest.mark.parametrize("gateway", KITS)
@pytest.mark.parametrize("hang", ["before", "after"])
async def test_no_answer_in_time_is_unknown(gateway: str, hang: str, caplog: pytest.LogCaptureFixture) -> None:
    async with standing(gateway, timeout_s=0.2) as (far, channel):
        _, wanted = case(gateway, hang, error=OutcomeUnknown, detail="TimeoutError")
        far.script(CALL[gateway], hang=hang)
        await check_outgoing(KITS[gateway], channel, wanted, caplog)
        assert len(far.phone(PHONE).received()) == (hang == "after")


@pytest.mark.parametrize("gateway", KITS)
async def test_nobody_listens_and_nothing_went_out(gateway: str, caplog: pytest.LogCaptureFixture) -> None:
    async with standing(gateway) as (far, channel):
        await far.stop()
        _, wanted = case(gateway, "refused", error=Later, after=5.0, detail="not connected")
        await check_outgoing(KITS[gateway], channel, wanted, caplog)
        await far.start()
        await channel.send(OutboundMessage(row_id="1", address=PHONE, text=RECORDED))
        assert len(far.phone(PHONE).received()) == 1


@pytest.mark.parametrize(("gateway", "wrong"), [("twilio", "auth_token"), ("aliyun", "access_key_secret"),
                                                ("aliyun", "access_key_id"), ("tencent", "secret_key"),
                                                ("tencent", "secret_id"), ("tencent", "sdk_app_id")])  # fmt: skip
async def test_credentials_are_tried_without_sending_anything(gateway: str, wrong: str) -> None:
    async with standing(gateway) as (far, channel):
        await channel.try_credentials()
        other = type(channel)("main", settings(gateway, far.base_url, **{wrong: "somethingelse"}))
        for attempt in (
            other.try_credentials,
            lambda: other.send(OutboundMessage(row_id="1", address=PHONE, text=RECORDED)),
        ):
            with pytest.raises(Misconfigured):
                await attempt()
        assert far.handed == []
        await other.close()


# Signatures of calls: vectors made with the vendors' SDKs (alibabacloud_dysmsapi20170525 4.6.0,
# tencentcloud-sdk-python-sms 3.1.153).


def test_the_signature_of_aliyun() -> None:
    account = SmsAccount(gateway="aliyun", access_key_id="AKEXAMPLE", access_key_secret="SKEXAMPLE")
    parameters = {
        "OutId": "out-1", "PhoneNumbers": "13800138000", "SignName": "测试物业", "TemplateCode": "SMS_1",
        "TemplateParam": '{"code":"1"}',
    }  # fmt: skip
    _, headers = signed(
        account, "SendSms", parameters, host="dysmsapi.aliyuncs.com", date="2026-01-01T00:00:00Z", nonce="nonce-0001"
    )
    vector = "5183e586bb53f31e82c9c59757e36e56690e31f01500d4d253a2bdcefff18464"
    assert headers["Authorization"].endswith(f"Signature={vector}")


def test_the_signature_of_tencent() -> None:
    account = SmsAccount(gateway="tencent", secret_id="AKIDEXAMPLE", secret_key="SKEXAMPLE")
    body = (
        '{"PhoneNumberSet":["+8613800138000"],"SmsSdkAppId":"1400006666","TemplateId":"1110","SignName":"测试物业",'
        '"TemplateParamSet":["4370"],"SessionContext":"out-1"}'
    ).encode()
    vector = "389e47cc75b60f6a46f1f4d82a2512e6e82eefe337ea39e30cd524862c31f808"
    assert authorization(account, body, 1767225600, host="sms.tencentcloudapi.com").endswith(f"Signature={vector}")


# Code tables and vocabulary


@pytest.mark.parametrize("rules", [twilio.RULES, aliyun.RULES, tencent.RULES], ids=["twilio", "aliyun", "tencent"])
def test_what_pauses_alarms_and_what_waits_is_throttled(rules: Mapping[Any, Callable[[str], SendError]]) -> None:
    for code, rule in rules.items():
        error = rule("x")
        assert error.loggable or isinstance(error, Later | QuotaUsedUp), code
        assert not isinstance(error, Later) or error.throttled, code


@pytest.mark.parametrize("name", templates())
def test_a_text_of_the_vocabulary_is_found_again(name: str) -> None:
    template = templates()[name]
    text = template.filled(template.example)
    fit = match(text)
    assert fit is not None
    assert (fit.name, fit.values) == (name, template.example)
    assert len(f"【{SIGN_NAME}】{text}") <= 70
    assert set(template.example) == set(template.variables)
    assert not any(mark in text for mark in ("!", "！", "http"))


@pytest.mark.parametrize(
    "value",
    ["", "漏水，很大", "https://a.cn", "www.a.com", "13800138000", "010-12345678", "两\n行", "x" * 21, "a@b.c"],
)
def test_values_that_no_carrier_takes(value: str) -> None:
    with pytest.raises(ValueError, match="what: 1 to 20 characters"):
        render("recorded", what=value, number="0001", until="今天17:30")


@pytest.mark.parametrize(
    "text", ["", "【某某物业】", "我到了，谢谢。", "单号0001", "【a】【b】" + RECORDED, RECORDED + "\n"]
)
def test_free_text_fits_nothing(text: str) -> None:
    assert match(text) is None


def test_the_application_form_stands_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs/channels/sms.md").read_text("utf-8")
    for name, template in templates().items():
        example = "，".join(template.example.values()) or "—"
        filed = f"{template.filed(aliyun.filed)} | {template.filed(tencent.filed)}"
        assert f"| `{name}` | {template.moment} | {template.type} | {filed} | {example} |" in page
