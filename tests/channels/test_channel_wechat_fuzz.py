"""Broken payloads: whatever comes, only Unauthorised, Unreadable or Parsed comes out."""

import base64
from collections.abc import Callable
from random import Random, SystemRandom
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import MultiDict

from channels.errors import Unauthorised, Unreadable
from channels.messages import ChannelEvent, InboundMessage, Parsed, WebhookRequest
from channels.wechat import WeChat
from tests.channels.cases import FIXTURES
from tests.channels.test_channel_wechat_safe import SAFE
from tests.channels.wechat_kit import WeChatKit

KIT = WeChatKit()
CHANNEL = KIT.channel()
SEALED = SAFE.channel()
BODIES = [path.read_bytes() for path in sorted((FIXTURES / "wechat").glob("*.xml"))]
PIECES = [
    b"<", b">", b"/>", b"]]>", b"<![CDATA[", b"&lt;", b"&#0;", b"&#xD800;", b"&#x110000;", b"<!--", b"<?x ?>",
    b"\x00", b"\xff", b"\xed\xa0\x80", b"<xml>", b"</xml>", b"<MsgId>", b"<Content/>", b"<!DOCTYPE x>", b" a='b'",
    b"-1", b"1e999", b"9" * 400, b"\xef\xbb\xbf", b"<Event>CLICK</Event>", "漏".encode(),
]  # fmt: skip


def mutate(random: Random) -> bytes:
    """A payload with up to six cuts, copies and insertions."""
    return broken(random, random.choice(BODIES))


def broken(random: Random, body: bytes) -> bytes:
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


def fields() -> st.SearchStrategy[bytes]:
    """Well-formed payloads of the right names with odd values."""
    names = st.sampled_from(
        ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "EventKey", "Content", "MsgId", "MsgID",
         "MediaId", "Location_X", "Location_Y", "Status", "Url", "SubscribeMsgSentEvent", "List", "bizmsgmenuid"]
    )  # fmt: skip
    values = st.one_of(
        st.sampled_from(
            ["gh_demo00000001", "oDemoUser0000000000000000001", "1767225600", "text", "event", "image", "0"]
        ),
        st.sampled_from(
            ["TEMPLATESENDJOBFINISH", "subscribe_msg_sent_event", "location", "subscribe", "nan", "-0", "1_0"]
        ),
        st.text(st.characters(blacklist_characters="<&", min_codepoint=32), max_size=20),
    )
    leaf = st.builds(lambda name, value: f"<{name}>{value}</{name}>", names, values)
    branch = st.builds(lambda name, inner: f"<{name}>{''.join(inner)}</{name}>", names, st.lists(leaf, max_size=3))
    inner = st.lists(st.one_of(leaf, leaf, leaf, branch), max_size=12)
    genuine = "<ToUserName>gh_demo00000001</ToUserName><FromUserName>oX</FromUserName><CreateTime>1</CreateTime>"
    start = st.sampled_from(["", genuine, genuine + "<MsgType>event</MsgType>"])
    return st.builds(lambda first, rest: f"<xml>{first}{''.join(rest)}</xml>".encode("utf-8", "replace"), start, inner)


def outcome(body: bytes) -> Parsed | None:
    """What the channel makes of a signed body; None: unreadable. Anything else fails the test."""
    try:
        parsed = CHANNEL.parse(KIT.request(body))
    except Unreadable as error:
        assert len(str(error)) < 200
        return None
    items: list[InboundMessage | ChannelEvent] = [*parsed.messages, *parsed.events]
    for item in items:
        assert item.external_id
        assert len(item.external_id) <= 191
        assert "\x00" not in item.raw
    answer = CHANNEL.acknowledge(parsed, "好]]>", KIT.sent_at)
    assert answer.status == 200
    return parsed


def never_anything_else(body: bytes) -> None:
    outcome(body)


def never_anything_else_in_a_seal(body: bytes) -> None:
    """Sealed by the platform it is read as in plain mode; as the body itself it is refused."""
    request = SAFE.request(body)
    SEALED.verify(request)
    assert read_by(SEALED, request) == read_by(CHANNEL, KIT.request(body))
    with pytest.raises(Unauthorised):
        SEALED.verify(KIT.request(body))


def read_by(channel: WeChat, request: WebhookRequest) -> Parsed | str:
    try:
        return channel.parse(request)
    except Unreadable as error:
        return str(error)


def cipher_is_refused(cipher: str) -> None:
    """Whatever stands where the cipher should: signed well, and still not ours."""
    with pytest.raises(Unauthorised):
        SEALED.verify(SAFE.carrying(cipher))


def query_is_refused(parameters: dict[str, str]) -> None:
    with pytest.raises(Unauthorised):
        CHANNEL.verify(KIT.request(b"", MultiDict(parameters)))


QUERIES = st.dictionaries(st.sampled_from(["signature", "timestamp", "nonce", "openid"]), st.text(max_size=50))
CIPHERS = st.one_of(
    st.text(st.characters(blacklist_characters="]", codec="utf-8"), max_size=60),
    st.binary(max_size=200).map(lambda raw: base64.b64encode(raw).decode()),
)
MUTATED = st.builds(mutate, st.randoms(use_true_random=False))


@pytest.mark.parametrize(
    ("strategy", "check"),
    [
        (MUTATED, never_anything_else),
        (fields(), never_anything_else),
        (QUERIES, query_is_refused),
        (MUTATED, never_anything_else_in_a_seal),
        (CIPHERS, cipher_is_refused),
    ],
    ids=["mutated", "fields", "queries", "sealed", "ciphers"],
)
@pytest.mark.parametrize("examples", [150, pytest.param(5_000, marks=pytest.mark.long)], ids=["small", "full"])
def test_only_the_three_outcomes(strategy: st.SearchStrategy[Any], check: Callable[[Any], None], examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def run(value: Any) -> None:
        check(value)

    run()


@pytest.mark.parametrize("payloads", [2_000, pytest.param(100_000, marks=pytest.mark.long)], ids=["small", "full"])
def test_mutated_payloads_in_bulk(payloads: int) -> None:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    random = Random(seed)
    read = sum(outcome(mutate(random)) is not None for _ in range(payloads))
    # Both ends are met: a mutation can be harmless, and most are not.
    assert 0 < read < payloads


def outcome_sealed(random: Random) -> Parsed | None:
    """A broken push in a good seal, or a good push in a broken one; None: refused or unreadable."""
    body = mutate(random)
    if random.random() < 0.5:
        request = SAFE.request(body)
    else:
        genuine = SAFE.request(random.choice(BODIES))
        request = msgspec.structs.replace(genuine, body=broken(random, genuine.body))
    try:
        SEALED.verify(request)
        return SEALED.parse(request)
    except (Unauthorised, Unreadable) as error:
        assert len(str(error)) < 200
        return None


@pytest.mark.parametrize("payloads", [1_000, pytest.param(100_000, marks=pytest.mark.long)], ids=["small", "full"])
def test_mutated_payloads_in_a_seal_in_bulk(payloads: int) -> None:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    random = Random(seed)
    read = sum(outcome_sealed(random) is not None for _ in range(payloads))
    assert 0 < read < payloads
