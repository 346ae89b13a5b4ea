"""The real process with a language model: asked over the network, and answered where it cannot help."""

from pathlib import Path

import pytest

from tests.acceptance.test_acceptance_start import screen, state, write
from tests.support.language_model import KEY, standing_in
from tests.support.process import Service, running


@pytest.mark.long
async def test_a_process_asks_its_model(tmp_path: Path) -> None:
    async with standing_in({"intent": "repair", "category": "hvac"}, 500) as model:
        settings = {
            "FRONTDESK_LANGUAGE_MODEL__BASE_URL": model.url,
            "FRONTDESK_LANGUAGE_MODEL__API_KEY": KEY,
            "FRONTDESK_LANGUAGE_MODEL__MODEL": "stand-in",
        }
        async with running(Service(tmp_path, settings, "--demo")) as service:
            first, second = (phone["openid"] for phone in (await state(service))["phones"][:2])
            await write(service, first, "我家那个玩意儿又歇菜了")
            assert "没太听明白" not in (await screen(service, first))[-1]
            await write(service, second, "我家那个玩意儿又歇菜了")
            assert "没太听明白" in (await screen(service, second))[-1]
            assert len(model.requests) == 2
            assert KEY not in service.log.read_text()
            assert await service.stop() == 0
