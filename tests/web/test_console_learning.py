"""Learning from staff, from a message misread to a model that reads it: real pushes, real pages, real training."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from markupsafe import escape
from prometheus_client import REGISTRY

from bot import app
from bot.settings import Settings
from bot.store import learning as store
from bot.store import staff
from bot.store.base import Row, new_id
from bot.store.database import Database
from bot.web import staff as staff_pages
from bot.web.console.learning import TRAINER
from intents.examples import load_examples
from intents.normalise import normalise
from intents.rules import judge
from tests.engine.kit import Kit, opened, openid
from tests.support.clock import StoppedClock
from tests.support.process import free_port
from tests.web.console_kit import Browser, enter, token_in
from tests.web.console_seed import HASH, PASSWORD

SLANG = "我想盖一下小绿本"
"""What residents of this community call the booklet of their payments. Nobody else does."""
SAME = "我想盖一下小绿本！！"
OTHERWISE = "小绿本在哪里盖章"
LATER = "我家的小绿本要盖了"


@dataclass(slots=True)
class Console:
    """The console of a desk, and the browsers that are open."""

    server: TestServer
    browsers: list[Browser] = field(default_factory=list)

    async def sign_in(self, login: str) -> Browser:
        browser = Browser(TestClient(self.server))
        self.browsers.append(browser)
        response = await enter(browser, login, PASSWORD)
        assert response.status == 303
        page = await (await browser.client.get(response.headers["Location"])).text()
        browser.csrf = token_in(page, '"X-CSRF-Token": "([^"]+)"')
        return browser

    async def trained(self) -> None:
        """Wait until the training that was begun here has ended."""
        await self.server.app[TRAINER].finished()

    async def close(self) -> None:
        for browser in self.browsers:
            await browser.client.close()
        await self.server.close()


@asynccontextmanager
async def desk(url: str, clock: StoppedClock, *, fresh: bool = True) -> AsyncIterator[tuple[Kit, Console]]:
    """A desk with its console."""
    async with opened(url, clock, fresh=fresh) as kit:
        await kit.database.write(lambda conn: conn.execute(sa.update(staff.staff).values(password_hash=HASH)))
        application = staff_pages.application(kit.context)
        staff_pages.add_routes(application)
        console = Console(TestServer(application))
        await console.server.start_server()
        try:
            yield kit, console
        finally:
            await console.close()


async def read_as(kit: Kit, text: str) -> tuple[Row, str]:
    """Somebody writes this: the message as it was stored, and the intent that it was read as."""
    who = openid()
    await kit.push(who, text)
    (row,) = await kit.heard(who)
    return row, str(row["reading"]["intent"])


def why(row: Row) -> str:
    return f"/inbox/{row['conversation_id']}/why/{row['id']}"


AS_PAYMENT = {"reading": "payment/", "urgency": "normal"}


async def correct(browser: Browser, row: Row, **fields: str) -> ClientResponse:
    return await browser.post(why(row), {**AS_PAYMENT, **fields}, **{"HX-Request": "true"})


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True)
async def test_a_message_misread_is_corrected_learned_and_read_right_for_good(
    database_url: str, clock: StoppedClock, tmp_path: Path
) -> None:
    async with desk(database_url, clock) as (kit, console):
        row, intent = await read_as(kit, SLANG)
        assert intent != "payment"
        agent = await console.sign_in("s0")
        assert SLANG in await agent.text(why(row))
        corrected = await correct(agent, row, note="本子叫法", paraphrase=OTHERWISE)
        assert (corrected.status, "缴费" in await corrected.text()) == (200, True)
        assert (await agent.post("/learning/train")).status == 403
        assert (await read_as(kit, SAME))[1] == "payment"
        assert (await read_as(kit, LATER))[1] != "payment"
        await _taught_and_trained(kit, console, await console.sign_in("s1"))
        assert (await read_as(kit, LATER))[1] == "payment"
        if not kit.database.embedded:
            await _another_process_follows(database_url, clock)
        acts = [row["act"] for row in await kit.rows(staff.audit, staff.audit.c.act != "sign_in")]
        assert acts[:4] == ["reading.correct", "correction.use", "model.train", "model.live"]
    if database_url.startswith("sqlite"):
        await _after_a_restart(database_url, tmp_path)


async def _taught_and_trained(kit: Kit, console: Console, supervisor: Browser) -> None:
    correction = await kit.row(store.corrections)
    page = await supervisor.text("/learning")
    assert SLANG in page
    assert OTHERWISE in page
    used = await supervisor.post(f"/learning/corrections/{correction['id']}/use", {"paraphrase": OTHERWISE})
    assert used.status == 303
    examples = await kit.rows(store.learned_examples)
    assert [(row["text"], row["intent"], row["weight"]) for row in examples] == [
        (SLANG, "payment", 2),
        (OTHERWISE, "payment", 2),
    ]
    assert (await supervisor.post("/learning/train")).status == 303
    assert (await supervisor.post("/learning/train")).status == 409
    assert "正在训练" in await supervisor.text("/learning")
    await console.trained()
    model = await kit.row(store.reading_models)
    assert (model["state"], model["report"]["taught"], model["report"]["known_now"]) == ("ready", 2, 2)
    assert f"上线第{model['number']}号模型" in await supervisor.text("/learning")
    assert (await supervisor.post(f"/learning/models/{model['id']}/live")).status == 303
    assert REGISTRY.get_sample_value("frontdesk_reading_model") == model["number"]
    assert REGISTRY.get_sample_value("frontdesk_corrections_open") == 0


async def _another_process_follows(url: str, clock: StoppedClock) -> None:
    """A second process on the same database that was not told: it looks by itself."""
    async with desk(url, clock, fresh=False) as (other, console):
        assert other.worlds.current.reader.read(LATER, clock.now()).intent != "payment"
        await app.reload_world(other.context)
        assert (await read_as(other, LATER))[1] == "payment"
        supervisor = await console.sign_in("s1")
        assert (await supervisor.post("/learning/shipped")).status == 303
        assert (await read_as(other, LATER))[1] != "payment"
        assert (await read_as(other, SLANG))[1] == "payment"
        (model,) = await other.rows(store.reading_models)
        assert "换回第" in await supervisor.text("/learning")
        assert (await supervisor.post(f"/learning/models/{model['id']}/live")).status == 303
        assert (await read_as(other, LATER))[1] == "payment"


async def _after_a_restart(url: str, folder: Path) -> None:
    """The whole service, started anew on the same database."""
    async with app.running(Settings(database_url=url, data_dir=folder, port=free_port())) as service:
        read = service.context.world.reader.read
        now = service.context.clock.now()
        assert (read(LATER, now).intent, read(SLANG, now).intent) == ("payment", "payment")


@pytest.mark.long  # what decides is held in tests/intents/test_intents_learning.py, on fewer examples
async def test_a_model_poisoned_by_corrections_cannot_go_live(sqlite_url: str, clock: StoppedClock) -> None:
    """Somebody wants no more alarms: every fifth danger is called small talk, and the same words are meant to hold."""
    dangers = [example.text for example in load_examples() if example.urgency == "emergency"][::5]
    async with desk(sqlite_url, clock) as (kit, console):
        supervisor = await console.sign_in("s1")
        row, _ = await read_as(kit, SLANG)
        by = (await kit.row(staff.staff, staff.staff.c.login == "s1"))["id"]
        await kit.database.write(_poison, row, by, dangers, clock)
        before = kit.worlds.current.reader
        await supervisor.post("/learning/train")
        await console.trained()
        model = await kit.row(store.reading_models)
        assert (model["state"], model["model"]) == ("refused", None)
        assert model["report"]["new"]["recall"] < model["report"]["old"]["recall"]
        page = await supervisor.text("/learning")
        assert "现在能发现的险情会漏掉" in page
        assert all(str(escape(text)) in page for text in model["report"]["missed"])
        assert (await supervisor.post(f"/learning/models/{model['id']}/live")).status == 409
        assert kit.worlds.current.reader._classifier is before._classifier
        unnamed = next(text for text in dangers if judge(normalise(text)).raised)
        assert kit.worlds.current.reader.read(unnamed, clock.now()).urgency == "emergency"


def _poison(conn: sa.Connection, row: Row, by: UUID, texts: list[str], clock: StoppedClock) -> None:
    labels: Row = {"intent": "smalltalk", "category": None, "urgency": "normal"}
    for text in texts:
        mine: Row = {
            "community_id": row["community_id"], "conversation_id": row["conversation_id"], "message_id": row["id"],
            "staff_id": by, "text": text, "was": None, "article": "", "paraphrase": "", "note": "",
            "created_at": clock.now(), **labels,
        }  # fmt: skip
        example = {"community_id": row["community_id"], "text": text, "weight": 3, **labels}
        store.teach(conn, store.correct(conn, mine), [example], by, clock.now())


async def test_a_training_whose_process_dies_is_shown_as_failed(sqlite_url: str, clock: StoppedClock) -> None:
    async with desk(sqlite_url, clock) as (kit, console):
        supervisor = await console.sign_in("s1")
        await supervisor.post("/learning/train")
        await console.server.app[TRAINER].close()
        assert (await kit.row(store.reading_models))["state"] == "failed"
        assert "训练没有完成" in await supervisor.text("/learning")


async def test_a_training_of_a_process_that_is_gone_stands_in_nobodys_way(
    database: Database, clock: StoppedClock
) -> None:
    person = await database.write(_somebody, clock)

    def begin(conn: sa.Connection) -> UUID | None:
        return store.begin_training(conn, person, "key", 0, clock.now(), timedelta(minutes=5))

    first = await database.write(begin)
    assert await database.write(begin) is None
    clock.advance(minutes=6)
    second = await database.write(begin)
    assert second is not None
    assert second != first
    states = await database.read(lambda conn: [row["state"] for row in store.models(conn)])
    assert states == ["training", "failed"]


def _somebody(conn: sa.Connection, clock: StoppedClock) -> UUID:
    row: Row = {
        "id": new_id(), "login": "q", "name": "品质", "title": "", "phone": "", "password_hash": "-",
        "language": "zh-Hans", "skills": None, "active": True, "created_at": clock.now(),
    }  # fmt: skip
    staff.add(conn, row, [("quality", None)])
    return UUID(str(row["id"]))


async def test_only_the_last_models_keep_their_weights(database: Database, clock: StoppedClock) -> None:
    person = await database.write(_somebody, clock)

    def made(conn: sa.Connection) -> UUID:
        model = store.begin_training(conn, person, "key", 0, clock.now(), timedelta(minutes=5))
        assert model is not None
        store.end_training(conn, model, clock.now(), "ready", model=b"weights")
        store.go_live(conn, model, person, clock.now())
        clock.advance(hours=1)
        return model

    made_so = [await database.write(made) for _ in range(store.KEPT_MODELS + 2)]
    kept = await database.read(lambda conn: [store.weights(conn, model) is not None for model in made_so])
    assert kept == [False] * 2 + [True] * store.KEPT_MODELS
    live = await database.read(store.live)
    assert live is not None
    assert live["id"] == made_so[-1]
    await database.write(store.go_live, made_so[-2], person, clock.now())
    states = await database.read(lambda conn: {row["id"]: row["state"] for row in store.models(conn)})
    assert (states[made_so[-2]], states[made_so[-1]]) == ("live", "former")


async def test_a_model_of_another_version_of_the_program_does_not_read(sqlite_url: str, clock: StoppedClock) -> None:
    async with desk(sqlite_url, clock) as (kit, console):
        supervisor = await console.sign_in("s1")
        by = (await kit.row(staff.staff, staff.staff.c.login == "s1"))["id"]

        def old(conn: sa.Connection) -> None:
            model = store.begin_training(conn, by, "of 0.1.0", 3, clock.now(), timedelta(minutes=5))
            assert model is not None
            store.end_training(conn, model, clock.now(), "ready", model=b"not of this version")
            store.go_live(conn, model, by, clock.now())

        await kit.database.write(old)
        await app.reload_world(kit.context)
        assert (await read_as(kit, "厨房水管漏水"))[1] == "repair"
        assert "请重新训练" in await supervisor.text("/learning")
        assert REGISTRY.get_sample_value("frontdesk_reading_model") == 0
