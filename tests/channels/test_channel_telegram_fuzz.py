"""Broken updates: whatever comes, only Unauthorised, Unreadable or Parsed comes out."""

import json
from collections.abc import Callable
from random import Random, SystemRandom
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.errors import Unauthorised, Unreadable
from channels.messages import ChannelEvent, InboundMessage, Parsed
from tests.channels.cases import FIXTURES
from tests.channels.telegram_kit import HEADER, SECRET, TelegramKit

KIT = TelegramKit()
CHANNEL = KIT.channel()
BODIES = [path.read_bytes() for path in sorted((FIXTURES / "telegram").glob("*.json"))]
VALUES: list[Any] = [json.loads(body) for body in BODIES]
PIECES = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u0000", b"\\ud800", b"null", b"true", b"-1", b"1e999", b"0.5",
    b"9" * 400, b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b'"text":', b'"message":{', b'"callback_query":{',
    b'"is_bot":true', b'"type":"group"', b'"data":"choice:1"', "漏".encode(),
]  # fmt: skip
ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63), 0.0, -0.0, 1.5, 1e308, "", "\x00", "choice:1",
    "private", "/start x", "漏" * 5000, [], [[]], {}, {"": None}, [None], {"id": 1}, {"file_id": "x"},
]  # fmt: skip


def mutate(random: Random) -> bytes:
    """An update with up to six cuts, copies and insertions, or with values put in the place of others."""
    if random.random() < 0.5:
        value = swapped(random, random.choice(VALUES))
        return json.dumps(value, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    body = random.choice(BODIES)
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


def swapped(random: Random, value: Any) -> Any:
    """The same with about one value in twelve replaced, by an odd one or by a part of another update."""
    if random.random() < 0.08:
        other = random.choice(VALUES)
        parts = list(other.values()) if isinstance(other, dict) else [other]
        return random.choice([random.choice(ODD), random.choice(parts)])
    if isinstance(value, dict):
        return {name: swapped(random, inner) for name, inner in value.items() if random.random() > 0.03}
    if isinstance(value, list):
        return [swapped(random, inner) for inner in value]
    return value


def outcome(body: bytes) -> Parsed | None:
    """What the channel makes of a genuine body; None: unreadable. Anything else fails the test."""
    try:
        parsed = CHANNEL.parse(KIT.request(body))
    except Unreadable as error:
        assert len(str(error)) < 200
        return None
    items: list[InboundMessage | ChannelEvent] = [*parsed.messages, *parsed.events]
    for item in items:
        assert 0 < len(item.external_id) <= 191
        assert item.sender
        assert "\x00" not in item.external_id + item.sender + item.raw
        json.dumps(item.external_id + item.raw).encode()
    for message in parsed.messages:
        assert "\x00" not in message.text
        message.text.encode()
    return parsed


def never_anything_else(body: bytes) -> None:
    outcome(body)


def is_refused(secret: str) -> None:
    if secret != SECRET:
        with pytest.raises(Unauthorised):
            CHANNEL.verify(KIT.request(b"{}", {HEADER: secret}))


MUTATED = st.builds(mutate, st.randoms(use_true_random=False))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(ODD))
NAMES = st.sampled_from([
    "update_id", "message", "edited_message", "callback_query", "my_chat_member", "message_id", "date", "chat", "from",
    "id", "type", "is_bot", "text", "photo", "voice", "document", "location", "contact", "data", "reply_markup",
    "inline_keyboard", "new_chat_member", "status", "file_id", "latitude", "longitude", "sticker", "venue",
])  # fmt: skip
OBJECTS = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner)), max_leaves=12
    ),
)


@pytest.mark.parametrize(
    ("strategy", "check"),
    [
        (MUTATED, never_anything_else),
        (OBJECTS.map(lambda value: json.dumps(value).encode()), never_anything_else),
        (st.text(max_size=60), is_refused),
    ],
    ids=["mutated", "objects", "secrets"],
)
@pytest.mark.parametrize("examples", [150, pytest.param(5_000, marks=pytest.mark.long)], ids=["small", "full"])
def test_only_the_three_outcomes(strategy: st.SearchStrategy[Any], check: Callable[[Any], None], examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def run(value: Any) -> None:
        check(value)

    run()


@pytest.mark.parametrize("payloads", [2_000, pytest.param(100_000, marks=pytest.mark.long)], ids=["small", "full"])
def test_mutated_updates_in_bulk(payloads: int) -> None:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    random = Random(seed)
    read = sum(outcome(mutate(random)) is not None for _ in range(payloads))
    # Both ends are met: a mutation can be harmless, and most are not.
    assert 0 < read < payloads
