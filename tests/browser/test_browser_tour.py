"""The tour of the README, extracted and played in Chromium against the real process. Skipped without Chromium."""

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Final

import pytest

from bot.web.staff import VENDOR
from tests.support.process import Service, running

ROOT: Final = Path(__file__).resolve().parent.parent.parent
CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WITHIN_S: Final = 180.0
PICTURES: Final = {
    f"{step}-{window}.png" for step in ("dispatched", "done", "rework") for window in ("phone", "console")
}

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: install chromium to run the browser tests"),
    pytest.mark.skipif(not VENDOR.is_dir(), reason="front-end files are missing: run python scripts/vendor.py"),
]


async def test_the_tour_of_the_readme_goes_through(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    async with running(Service(tmp_path, {}, "--demo")) as service:
        command = [ROOT / "scripts" / "tour.py", service.url, "--screenshots", pictures]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            async with asyncio.timeout(WITHIN_S):
                said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0, f"{said.decode()}\n{service.log.read_text()[-2000:]}"
    assert {path.name for path in pictures.iterdir()} >= PICTURES
