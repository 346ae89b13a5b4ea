"""Plays the tour of README.md in Chromium against a running service: python scripts/tour.py http://127.0.0.1:8080

The steps are the lines of the block marked `tour` in the README. Each line is a verb and its words:

    window NAME           go on in the browser window of this name; it is opened when it is first named
    open PATH             open a page
    choose NAME           take the phone of this resident
    type TEXT             write on the phone and send
    sign-in LOGIN WORD    sign in to the console
    click TEXT            press the first link or button that reads so, or else one that begins so
    fill LABEL = VALUE    write into a field; `tomorrow` is tomorrow's date
    pick LABEL = VALUE    choose from a list; `first` is whatever stands first
    see TEXT              wait until it shows: on a phone in the newest answer, elsewhere anywhere on the page
    picture NAME          keep a picture of every window, where --screenshots names a folder
"""

import argparse
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Error, Locator, Page, expect, sync_playwright

README: Final = Path(__file__).resolve().parent.parent / "README.md"
CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS: Final = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
ZONE: Final = "Asia/Shanghai"
PATIENCE_MS: Final = 15_000
TRIES: Final = 10
PAUSE_MS: Final = 300
_LONG_TAIL: Final = "Aria snapshot"
_BLOCK: Final = re.compile(r"^```tour\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    verb: str
    words: str

    def __str__(self) -> str:
        return f"{self.verb} {self.words}"


def steps(readme: str) -> list[Step]:
    """The steps in the text of a README. Raises `ValueError` for a verb that nobody knows."""
    lines = [line.strip() for block in _BLOCK.findall(readme) for line in block.splitlines()]
    found = [Step(*line.split(" ", 1)) for line in lines if line]
    unknown = sorted({step.verb for step in found} - VERBS.keys())
    if unknown:
        raise ValueError(f"no such verb: {', '.join(unknown)}")
    return found


class Tour:
    """Somebody with a few browser windows, who follows the steps."""

    def __init__(self, browser: Browser, base: str, pictures: Path | None) -> None:
        self._browser = browser
        self._base = base.rstrip("/")
        self._pictures = pictures
        self._windows: dict[str, Page] = {}
        self._page: Page | None = None

    @property
    def page(self) -> Page:
        if self._page is None:
            self.window("window")
            assert self._page is not None
        return self._page

    def play(self, step: Step) -> None:
        VERBS[step.verb](self, step.words)

    def window(self, name: str) -> None:
        if name not in self._windows:
            context = self._browser.new_context(
                viewport={"width": 1366, "height": 768}, locale="zh-CN", timezone_id=ZONE, base_url=self._base
            )
            context.set_default_timeout(PATIENCE_MS)
            self._windows[name] = context.new_page()
        self._page = self._windows[name]

    def open(self, path: str) -> None:
        self.page.goto(path)

    def choose(self, name: str) -> None:
        expect(self.page.locator("#state")).to_have_text("在线", timeout=PATIENCE_MS)
        self.page.get_by_role("button", name=name).click()

    def type(self, text: str) -> None:
        field = self.page.get_by_role("textbox").first
        field.fill(text)
        field.press("Enter")

    def sign_in(self, words: str) -> None:
        login, password = words.split()
        self.page.locator("input[name=login]").fill(login)
        self.page.locator("input[name=password]").fill(password)
        self.page.locator("form button").first.click()
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def click(self, text: str) -> None:
        presses = self.page.locator("a, button")
        exact = presses.filter(has_text=re.compile(rf"^\s*{re.escape(text)}\s*$"), visible=True)
        begins = presses.filter(has_text=re.compile(rf"^\s*{re.escape(text)}"), visible=True)
        expect(begins.first).to_be_visible(timeout=PATIENCE_MS)
        (exact if exact.count() else begins).first.click()

    def fill(self, words: str) -> None:
        label, value = _pair(words)
        if value == "tomorrow":
            value = f"{datetime.now(ZoneInfo(ZONE)) + timedelta(days=1):%Y-%m-%d}"
        self._field(label).fill(value)

    def pick(self, words: str) -> None:
        label, value = _pair(words)
        field = self._field(label)
        if value == "first":
            field.select_option(field.locator("option:not([value=''])").first.get_attribute("value"))
        else:
            field.select_option(label=value)

    def _field(self, label: str) -> Locator:
        """The field with this label; where it is in a box that is folded up, in an unfolded one."""
        named = self.page.get_by_label(label)
        expect(named.first).to_be_attached(timeout=PATIENCE_MS)
        shown = named.filter(visible=True)
        for _ in range(TRIES):
            if shown.count():
                break
            named.first.locator("xpath=ancestor::details[1]/summary").click()
            self.page.wait_for_timeout(PAUSE_MS)
        return shown.first

    def see(self, text: str) -> None:
        phone = self.page.get_by_role("log")
        place = phone.locator(".received .bubble").last if phone.count() else self.page.locator("body")
        expect(place).to_contain_text(text, timeout=PATIENCE_MS)

    def picture(self, name: str) -> None:
        if self._pictures is None:
            return
        for window, page in self._windows.items():
            # `caret` as it is: hiding it would put a style on the page, which the policy of the console refuses.
            page.screenshot(path=self._pictures / f"{name}-{window}.png", caret="initial")


VERBS: Final[Mapping[str, Callable[[Tour, str], None]]] = {
    "window": Tour.window,
    "open": Tour.open,
    "choose": Tour.choose,
    "type": Tour.type,
    "sign-in": Tour.sign_in,
    "click": Tour.click,
    "fill": Tour.fill,
    "pick": Tour.pick,
    "see": Tour.see,
    "picture": Tour.picture,
}


def _pair(words: str) -> tuple[str, str]:
    label, value = words.split(" = ", 1)
    return label, value


def play(base: str, script: list[Step], pictures: Path | None) -> str | None:
    """Play all steps; what went wrong, or None."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        tour = Tour(browser, base, pictures)
        for number, step in enumerate(script, 1):
            sys.stdout.write(f"{number:2} {step}\n")
            sys.stdout.flush()
            try:
                tour.play(step)
            except (Error, AssertionError) as error:
                tour.picture("failed")
                return f"step {number}, {step}: {str(error).split(_LONG_TAIL)[0]}"
        browser.close()
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description="Play the tour of README.md in Chromium against a running service.")
    parser.add_argument("base", help="where the service runs, such as http://127.0.0.1:8080")
    parser.add_argument("--screenshots", type=Path, help="a folder for the pictures")
    parser.add_argument("--readme", type=Path, default=README, help="another file with a tour")
    options = parser.parse_args()
    if CHROMIUM is None:
        sys.stderr.write("no Chromium on PATH: install it with: sudo apt install chromium\n")
        return 1
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    trouble = play(options.base, steps(options.readme.read_text(encoding="utf-8")), options.screenshots)
    sys.stdout.write("the tour went through\n" if trouble is None else "")
    sys.stderr.write(f"{trouble}\n" if trouble else "")
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main())
