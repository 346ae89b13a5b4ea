"""What staff corrected in the reading of messages, the examples made of it, and the models trained with them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import (
    Json,
    Row,
    add_up,
    community_column,
    fixed,
    id_column,
    insert,
    insert_new,
    mappings,
    metadata,
    new_id,
    one,
    part_index,
    reference,
    value,
    when,
    words,
)
from bot.store.staff import staff

corrections = sa.Table(
    "corrections",
    metadata,
    id_column(),
    community_column(),
    reference("conversation_id", "conversations.id", nullable=False),
    reference("message_id", "messages.id", nullable=False, index=True),
    reference("staff_id", "staff.id", nullable=False),
    words("text"),
    sa.Column("was", Json),
    sa.Column("intent", sa.Text, nullable=False),
    sa.Column("category", sa.Text),
    sa.Column("urgency", sa.Text, nullable=False),
    words("article"),
    words("paraphrase"),
    words("note"),
    sa.Column("state", sa.Text, nullable=False),
    when("created_at", nullable=False),
    reference("decided_by", "staff.id"),
    when("decided_at"),
    part_index("ix_corrections_open", "id", where="state = 'open'"),
    part_index("ix_corrections_holding", "id", where="state IN ('open', 'used')"),
    comment="What a message should have been read as. The text is masked.",
)

CORRECTION_STATES = ("open", "used", "dismissed")
"""open: holds for the same words; used: examples were made of it, too; dismissed: wrong, or replaced by another."""

learned_examples = sa.Table(
    "learned_examples",
    metadata,
    id_column(),
    community_column(),
    reference("correction_id", "corrections.id", nullable=False, index=True),
    reference("staff_id", "staff.id", nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("intent", sa.Text, nullable=False),
    sa.Column("category", sa.Text),
    sa.Column("urgency", sa.Text, nullable=False),
    sa.Column("weight", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    when("created_at", nullable=False),
    when("withdrawn_at"),
    part_index("ix_learned_examples_active", "id", where="state = 'active'"),
    comment="Masked messages that the next model is trained with, beside the shipped ones.",
)

reading_models = sa.Table(
    "reading_models",
    metadata,
    id_column(),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("examples", sa.Integer, nullable=False),
    sa.Column("against_id", sa.Uuid),
    sa.Column("report", Json),
    sa.Column("model", sa.LargeBinary),
    words("error"),
    reference("trained_by", "staff.id", nullable=False),
    when("created_at", nullable=False),
    when("lease_until"),
    when("ended_at"),
    reference("live_by", "staff.id"),
    when("live_at"),
    part_index("ix_reading_models_training", "state", where="state = 'training'", unique=True),
    part_index("ix_reading_models_live", "state", where="state = 'live'", unique=True),
    comment="Trained models. None live: the one that ships reads.",
)

MODEL_STATES = ("training", "ready", "refused", "failed", "live", "former")

learning_revision = sa.Table(
    "learning_revision",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Integer, nullable=False),
    comment="One row: grows with every change that a running process has to hear of.",
)

HOLDING = 2000
"""So many corrections hold at once, the newest; older ones are in the models by then."""
KEPT_MODELS = 4
"""The live model and so many less one before it can be gone back to; older ones lose their weights."""


def revision(conn: sa.Connection) -> int:
    """What number the last change has; 0 where there was none."""
    return conn.execute(_REVISION).scalar_one_or_none() or 0


_REVISION = sa.select(learning_revision.c.value).where(learning_revision.c.id == 1)


def _changed(conn: sa.Connection) -> None:
    add_up(conn, learning_revision, {"id": 1, "value": 1}, ("id",), "value")


# -- corrections ------------------------------------------------------------------------------------------------------


def correct(conn: sa.Connection, row: Row) -> UUID:
    """Store a correction; an open one of the same message gives way to it."""
    new = {"id": new_id(), "state": "open", "decided_by": None, "decided_at": None, **row}
    earlier = sa.update(corrections).where(
        corrections.c.message_id == new["message_id"], fixed(corrections.c.state, "open")
    )
    conn.execute(earlier.values(state="dismissed", decided_by=new["staff_id"], decided_at=new["created_at"]))
    insert(conn, corrections, [new])
    _changed(conn)
    return UUID(str(new["id"]))


def _with_names() -> sa.Select[Any]:
    return sa.select(corrections, staff.c.name.label("staff_name")).join(staff, staff.c.id == corrections.c.staff_id)


def correction(conn: sa.Connection, correction_id: UUID) -> Row | None:
    return one(conn, _with_names().where(corrections.c.id == correction_id))


def of_message(conn: sa.Connection, message_id: UUID) -> Row | None:
    """The correction of a message that holds."""
    holding = _with_names().where(corrections.c.message_id == message_id, _HOLDS)
    rows = mappings(conn, holding.order_by(corrections.c.id.desc()).limit(1))
    return rows[0] if rows else None


def open_corrections(conn: sa.Connection, communities: Sequence[UUID] | None, limit: int = 100) -> list[Row]:
    """Those that nobody has decided on, the oldest first."""
    statement = _with_names().where(fixed(corrections.c.state, "open"))
    if communities is not None:
        statement = statement.where(corrections.c.community_id.in_(communities))
    return mappings(conn, statement.order_by(corrections.c.id).limit(limit))


def count_open(conn: sa.Connection) -> int:
    return int(
        value(conn, sa.select(sa.func.count()).select_from(corrections).where(fixed(corrections.c.state, "open")))
    )


_HOLDS = fixed(corrections.c.state, "open", "used")


def holding(conn: sa.Connection) -> list[Row]:
    """The corrections that hold now, in order of time."""
    columns = ("text", "was", "intent", "category", "urgency", "state")
    newest = sa.select(*(corrections.c[name] for name in columns)).where(_HOLDS)
    return mappings(conn, newest.order_by(corrections.c.id.desc()).limit(HOLDING))[::-1]


def dismiss(conn: sa.Connection, correction_id: UUID, staff_id: UUID, now: datetime) -> bool:
    """The correction holds no longer; False where somebody has decided already."""
    return _decide(conn, correction_id, "dismissed", staff_id, now)


def teach(conn: sa.Connection, correction_id: UUID, examples: Sequence[Row], staff_id: UUID, now: datetime) -> bool:
    """Make examples of a correction: text, intent, category, urgency, weight. False where somebody has decided."""
    if not _decide(conn, correction_id, "used", staff_id, now):
        return False
    own = {"correction_id": correction_id, "staff_id": staff_id, "state": "active", "created_at": now}
    insert(conn, learned_examples, [{"id": new_id(), "withdrawn_at": None, **own, **row} for row in examples])
    return True


def _decide(conn: sa.Connection, correction_id: UUID, state: str, staff_id: UUID, now: datetime) -> bool:
    mine = sa.update(corrections).where(corrections.c.id == correction_id, fixed(corrections.c.state, "open"))
    done = conn.execute(mine.values(state=state, decided_by=staff_id, decided_at=now))
    _changed(conn)
    return done.rowcount == 1


# -- examples ---------------------------------------------------------------------------------------------------------

_ACTIVE = fixed(learned_examples.c.state, "active")


def examples(conn: sa.Connection) -> list[Row]:
    """All that a model is trained with now, in one order."""
    return mappings(conn, sa.select(learned_examples).where(_ACTIVE).order_by(learned_examples.c.id))


def newest_examples(conn: sa.Connection, communities: Sequence[UUID] | None, limit: int = 100) -> list[Row]:
    """For the page: the newest first, of these communities (None: of all)."""
    statement = sa.select(learned_examples).where(_ACTIVE)
    if communities is not None:
        statement = statement.where(learned_examples.c.community_id.in_(communities))
    return mappings(conn, statement.order_by(learned_examples.c.id.desc()).limit(limit))


def example(conn: sa.Connection, example_id: UUID) -> Row | None:
    return one(conn, sa.select(learned_examples).where(learned_examples.c.id == example_id))


def withdraw(conn: sa.Connection, correction_id: UUID, staff_id: UUID, now: datetime) -> None:
    """The examples of a correction are used no more from the next training on, and the correction itself from now."""
    mine = sa.update(learned_examples).where(learned_examples.c.correction_id == correction_id, _ACTIVE)
    conn.execute(mine.values(state="withdrawn", withdrawn_at=now))
    decided = sa.update(corrections).where(corrections.c.id == correction_id)
    conn.execute(decided.values(state="dismissed", decided_by=staff_id, decided_at=now))
    _changed(conn)


# -- models -----------------------------------------------------------------------------------------------------------

_SHOWN = [column for column in reading_models.c if column.name != "model"]
_LIVE = fixed(reading_models.c.state, "live")


def begin_training(
    conn: sa.Connection, staff_id: UUID, key: str, count: int, now: datetime, lease: timedelta
) -> UUID | None:
    """A row for a training that begins; None where one is under way. One whose process died counts as failed."""
    lapsed = sa.update(reading_models).where(
        fixed(reading_models.c.state, "training"), reading_models.c.lease_until < now
    )
    conn.execute(lapsed.values(state="failed", error="lapsed", ended_at=now))
    number = conn.execute(sa.select(sa.func.max(reading_models.c.number))).scalar_one() or 0
    standing = live(conn)
    row: Row = {
        "id": new_id(), "number": number + 1, "key": key, "state": "training", "examples": count,
        "against_id": standing["id"] if standing else None, "report": None, "model": None, "error": "",
        "trained_by": staff_id, "created_at": now, "lease_until": now + lease, "ended_at": None, "live_by": None,
        "live_at": None,
    }  # fmt: skip
    if not insert_new(conn, reading_models, [row]):
        return None
    _changed(conn)
    return UUID(str(row["id"]))


def end_training(conn: sa.Connection, model_id: UUID, now: datetime, state: str, **values: Any) -> None:
    """What came of it: ready, refused or failed; `report`, `model`, `error`."""
    mine = sa.update(reading_models).where(reading_models.c.id == model_id, fixed(reading_models.c.state, "training"))
    conn.execute(mine.values(state=state, ended_at=now, lease_until=None, **values))
    _changed(conn)


def live(conn: sa.Connection) -> Row | None:
    """The model that reads, without its weights; None: the one that ships."""
    return one(conn, sa.select(*_SHOWN).where(_LIVE))


def weights(conn: sa.Connection, model_id: UUID) -> bytes | None:
    """The model itself; None where it is kept no longer."""
    found: bytes | None = conn.execute(
        sa.select(reading_models.c.model).where(reading_models.c.id == model_id)
    ).scalar_one_or_none()
    return found


def model(conn: sa.Connection, model_id: UUID) -> Row | None:
    """One model without its weights; `kept` says whether it has any."""
    kept = reading_models.c.model.is_not(None).label("kept")
    return one(conn, sa.select(*_SHOWN, kept).where(reading_models.c.id == model_id))


def models(conn: sa.Connection, limit: int = 10) -> list[Row]:
    """The newest first, with the names of who trained them and put them to use."""
    user = staff.alias()
    joined = reading_models.join(staff, staff.c.id == reading_models.c.trained_by).outerjoin(
        user, user.c.id == reading_models.c.live_by
    )
    kept = reading_models.c.model.is_not(None).label("kept")
    named = (staff.c.name.label("trainer"), user.c.name.label("user"))
    statement = sa.select(*_SHOWN, kept, *named).select_from(joined)
    return mappings(conn, statement.order_by(reading_models.c.number.desc()).limit(limit))


def go_live(conn: sa.Connection, model_id: UUID | None, staff_id: UUID, now: datetime) -> None:
    """This model reads from now on (None: the one that ships); the one before it can be gone back to."""
    conn.execute(sa.update(reading_models).where(_LIVE).values(state="former"))
    if model_id is not None:
        mine = sa.update(reading_models).where(reading_models.c.id == model_id)
        conn.execute(mine.values(state="live", live_by=staff_id, live_at=now))
    recent = sa.select(reading_models.c.id).where(reading_models.c.live_at.is_not(None))
    newest = list(conn.execute(recent.order_by(reading_models.c.live_at.desc()).limit(KEPT_MODELS)).scalars())
    old = reading_models.c.state.in_(("former", "ready")) & reading_models.c.id.not_in(newest)
    conn.execute(sa.update(reading_models).where(old).values(model=None))
    _changed(conn)
