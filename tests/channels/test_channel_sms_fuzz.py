"""Broken pushes of every gateway: whatever comes, only Unauthorised, Unreadable or Parsed comes out."""

import importlib
from random import Random, SystemRandom
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.base import Channel
from channels.errors import Unauthorised, Unreadable
from channels.messages import ChannelEvent, InboundMessage, Parsed, Receipt
from channels.sms.gateways import GATEWAYS
from tests.channels.cases import FIXTURES, Kit
from tests.channels.sms_kit import KeyedKit, TwilioKit, body_of, request

_FIRST: Final[dict[str, Kit]] = {
    "twilio": TwilioKit(),
    "aliyun": KeyedKit("aliyun"),
    "tencent": KeyedKit("tencent"),
}
# Every gateway that came later brings its kit and the names of its fields in its own test file.
LATER: Final = {
    name: importlib.import_module(f"tests.channels.test_channel_sms_{name}")
    for name in (gateway.replace("-", "_") for gateway in GATEWAYS)
    if name not in _FIRST
}
KITS: Final[dict[str, Kit]] = {**_FIRST, **{name: module.KIT for name, module in LATER.items()}}
CHANNELS: Final[dict[str, Channel]] = {gateway: kit.channel() for gateway, kit in KITS.items()}
BODIES: Final = {
    gateway: [
        path.read_bytes() for path in sorted((FIXTURES / f"sms_{gateway}").iterdir()) if path.suffix != ".toml"
    ]
    for gateway in KITS
}  # fmt: skip
PIECES: Final = [
    b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"true", b"-1", b"1e999", b"9" * 400, b"\\ud800", b"\\u0000",
    b"\x00", b"\xff", b"\xed\xa0\x80", b"NaN", b"&", b"=", b"%", b"%00", b"%ff", b"+", b"&NumMedia=9", b"&From=1",
    b"MessageSid=&", b"&MessageStatus=sent", b"&OptOutType=STOP", b'"content":', b'"sid":', b'"success":1',
    "漏".encode(),
]  # fmt: skip


def mutate(random: Random, gateway: str) -> bytes:
    """A payload with up to six cuts, copies and insertions."""
    body = random.choice(BODIES[gateway])
    for _ in range(random.randint(1, 6)):
        start, end = sorted((random.randint(0, len(body)), random.randint(0, len(body))))
        kind = random.randrange(4)
        if kind == 0:
            body = body[:start] + random.choice(PIECES) + body[start:]
        elif kind == 1:
            body = body[:start] + body[min(end, start + 40) :]
        elif kind == 2:
            body = body[:end] + body[start:]
        else:
            body = body[:start] + random.randbytes(random.randint(1, 6)) + body[start:]
    return body


def outcome(gateway: str, body: bytes) -> Parsed | None:
    """What the channel makes of a body; None: unreadable. Anything else fails the test."""
    suffix = "/receipts?row=1" if b"MessageStatus" in body else "/inbound"
    channel = CHANNELS[gateway]
    try:
        parsed = channel.parse(request(body, suffix))
    except Unreadable as error:
        assert len(str(error)) < 200
        return None
    items: list[InboundMessage | ChannelEvent] = [*parsed.messages, *parsed.events]
    for item in items:
        assert 0 < len(item.external_id) <= 128
        assert 0 < len(item.sender) <= 32 or isinstance(item, ChannelEvent)
    for receipt in parsed.receipts:
        assert 0 < len(receipt.provider_id) <= 128
    for one in parsed.broken:
        assert 0 < len(one.reason) < 200
        one.raw.encode()
    _is_clean(parsed)
    assert channel.acknowledge(parsed, "好", KITS[gateway].sent_at).status == 200
    return parsed


def _is_clean(parsed: Parsed) -> None:
    """What goes to a database: no NUL, no lone surrogate."""
    rows: list[InboundMessage | ChannelEvent | Receipt] = [*parsed.messages, *parsed.events, *parsed.receipts]
    for row in rows:
        for value in msgspec.to_builtins(row).values():
            if isinstance(value, str):
                assert "\x00" not in value
                value.encode()


WORDS: Final = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20), st.sampled_from(["13800138000", "10086", "+8613800138000", "SUCCESS", "STOP", "退订"]),
    st.lists(st.integers(), max_size=2),
)  # fmt: skip
NAMES: Final = {
    "aliyun": ["phone_number", "content", "send_time", "sequence_id", "success", "biz_id", "err_code", "out_id"],
    "tencent": ["mobile", "nationcode", "text", "time", "extend", "sign", "sid", "report_status", "errmsg", "ext"],
    "twilio": [
        "MessageSid", "SmsSid", "AccountSid", "From", "Body", "NumMedia", "MediaUrl0", "MediaContentType0",
        "MessageStatus", "ErrorCode", "OptOutType",
    ],
    **{name: module.NAMES for name, module in LATER.items()},
}  # fmt: skip


def payloads(gateway: str) -> st.SearchStrategy[bytes]:
    """Well-formed pushes of the right names with odd values."""
    entry = st.dictionaries(st.sampled_from(NAMES[gateway]), WORDS, max_size=8)
    if gateway == "twilio":
        pairs = st.dictionaries(st.sampled_from(NAMES["twilio"]), st.text(max_size=20), max_size=8)
        return pairs.map(_form)
    return st.one_of(st.lists(entry, max_size=4), entry).map(body_of_any)


def _form(fields: dict[str, str]) -> bytes:
    return "&".join(f"{name}={value}" for name, value in fields.items()).encode("utf-8", "replace")


def body_of_any(value: object) -> bytes:
    """JSON that may hold halves of characters, as escapes."""
    try:
        return body_of(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(str(value).encode("ascii", "backslashreplace").decode())


@pytest.mark.parametrize("gateway", KITS)
@pytest.mark.parametrize("examples", [150, pytest.param(5_000, marks=pytest.mark.long)], ids=["small", "full"])
def test_odd_fields(gateway: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(payloads(gateway))
    def run(body: Any) -> None:
        outcome(gateway, body)

    run()


@pytest.mark.parametrize("examples", [150, pytest.param(5_000, marks=pytest.mark.long)], ids=["small", "full"])
def test_odd_proofs(examples: int) -> None:
    """Nothing that is not the signature or the key gets in, and nothing but a refusal comes out."""

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.text(max_size=50), st.binary(max_size=200))
    def run(proof: str, body: bytes) -> None:
        for channel in CHANNELS.values():
            with pytest.raises(Unauthorised):
                channel.verify(request(body, "/inbound", {"X-Twilio-Signature": proof}, key=proof))

    run()


@pytest.mark.parametrize("gateway", KITS)
@pytest.mark.parametrize("payloads", [1_000, pytest.param(100_000, marks=pytest.mark.long)], ids=["small", "full"])
def test_mutated_payloads_in_bulk(gateway: str, payloads: int) -> None:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    random = Random(seed)
    read = sum(outcome(gateway, mutate(random, gateway)) is not None for _ in range(payloads))
    # Both ends are met: a mutation can be harmless, and many are not.
    assert 0 < read < payloads
