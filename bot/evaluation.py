"""`frontdesk evaluate --compare`: a model with the examples of staff against the one in use; changes nothing."""

import msgspec
import sqlalchemy as sa

from bot.engine import learning
from bot.errors import StoreError
from bot.settings import Settings
from bot.store.database import Database
from intents.learning import Report, train_and_compare


async def compare(settings: Settings) -> Report:
    """Train with what staff have taught in this installation. Writes nothing. Raises `StoreError`."""
    database = Database.open(settings.database)
    try:
        rows, live = await database.read(learning.material)
    except sa.exc.SQLAlchemyError as error:
        raise StoreError(
            f"the examples of staff cannot be read: {type(error).__name__}. Is FRONTDESK_DATA_DIR or "
            "FRONTDESK_DATABASE_URL that of the service, and was frontdesk migrate run?"
        ) from error
    finally:
        await database.close()
    return train_and_compare(learning.learned(rows), live).report


def as_json(report: Report) -> dict[str, object]:
    """What the verb prints; `may_replace` first."""
    return {"may_replace": report.may_replace, **msgspec.to_builtins(report)}
