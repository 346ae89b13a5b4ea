"""The documentation says what is: settings, commands, links and tours are held against the code."""

import re
import subprocess
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from bot import cli
from bot.config import PREFIX
from bot.settings import Settings
from channels.registry import CHANNELS
from scripts import tour

ROOT: Final = Path(__file__).resolve().parent.parent
READMES: Final = ("README.md", "README.zh-CN.md")
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ACCOUNT: Final = "ACCOUNT"
LARGEST_PICTURE: Final = 300_000

LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
SECTION: Final = re.compile(r"^## ", re.MULTILINE)
PICTURE: Final = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")
COMMAND: Final = re.compile(r"`(make|frontdesk) ([a-z][a-z-]*)")
TARGET: Final = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
ROW: Final = re.compile(r"^\| `([a-zA-Z_.]+)` \| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)
BLOCK: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
ALARM: Final = re.compile(r"\b(?:raise_)?alarm\(\s*(?:conn, [^,\n]+,\s*)?\"(\w+)\"")
METRIC: Final = re.compile(r'"(frontdesk_\w+)"')
NOT_YET: Final = {"frontdesk backup"}
"""Named only to say that it is missing."""
# Put together here, so that this file does not hold what it looks for.
FOREIGN: Final = re.compile("|".join([
    "/wo" + "rk/(main|shared)", "/ro" + r"ot/\w", "/ho" + r"me/\w", "/Us" + r"ers/\w", "files.python" + "hosted",
    "registry.npm" + "js", "py" + r"pi\.org", "index-" + "url",
]))  # fmt: skip


def read(name: str | Path) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# -- settings ---------------------------------------------------------------------------------------------------------


def settings(kind: Any, key: str = "", variable: str = PREFIX) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every setting with its name in the environment and its default, as docs/settings.md writes them."""
    for field in msgspec.structs.fields(kind):
        inner, name = field.type, field.encode_name
        account = ""
        if name in CHANNELS or name == "robots":
            inner, account = typing.get_args(inner)[1], f"{ACCOUNT}."
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            deeper = f"{name}.{account}"
            yield from settings(inner, key + deeper, variable + deeper.upper().replace(".", "__"))
        elif typing.get_origin(inner) is dict:  # one value a name, or one table a name
            entry = typing.get_args(inner)[1]
            if isinstance(entry, type) and issubclass(entry, msgspec.Struct):
                yield from settings(entry, f"{key}{name}.NAME.", f"{variable}{name.upper()}__NAME__")
            else:
                default = shown(field.default) if field.default_factory is msgspec.NODEFAULT else "none"
                yield f"{key}{name}.NAME", (f"`{variable}{name.upper()}__NAME`", default)
        else:
            yield key + name, (f"`{variable}{name.upper()}`", shown(field.default))


def shown(default: Any) -> str:
    if default is msgspec.NODEFAULT:
        return "required"
    if default is None:
        return "none"
    if isinstance(default, tuple | bool):
        return f"`{msgspec.json.encode(default).decode().replace(',', ', ')}`"
    return f"`{default}`" if str(default) else '`""`'


def test_every_setting_is_documented_as_it_is() -> None:
    told = {key: (variable, default) for key, variable, default, _ in ROW.findall(read("docs/settings.md"))}
    assert told == dict(settings(Settings))


def test_every_setting_says_what_it_means() -> None:
    assert [key for key, *_, meaning in ROW.findall(read("docs/settings.md")) if not meaning.strip()] == []


# -- commands, links, pictures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    links = [link.split("#")[0] for link in LINK.findall(text) if "://" not in link and not link.startswith("#")]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    known = {
        "make": set(TARGET.findall(read("Makefile"))),
        "frontdesk": set(re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.MULTILINE)),
    }
    assert known["make"] >= {"run", "test"}
    assert known["frontdesk"] >= {"run", "check"}
    named = COMMAND.findall(page.read_text(encoding="utf-8"))
    missing = {f"{program} {verb}" for program, verb in named if verb not in known[program]}
    assert missing - NOT_YET == set()


def test_the_decisions_are_all_listed() -> None:
    pages = {path.name for path in (ROOT / "docs/adr").glob("0*.md")}
    assert set(LINK.findall(read("docs/adr/README.md"))) == pages
    for name in pages:
        text = read(f"docs/adr/{name}")
        assert [part for part in ("## Context", "## Decision", "## Consequences") if part not in text] == [], name


def test_pictures_are_small() -> None:
    for name in PICTURE.findall(read("README.md")):
        assert (ROOT / name).stat().st_size < LARGEST_PICTURE, name


# -- operations -------------------------------------------------------------------------------------------------------


def test_every_kind_of_alarm_and_every_metric_is_explained() -> None:
    text = read("docs/operations.md")
    code = "".join(
        path.read_text("utf-8") for room in ("bot/engine", "workflows") for path in (ROOT / room).rglob("*.py")
    )
    kinds = set(ALARM.findall(code))
    assert kinds >= {"emergency", "failed_turn", "channel"}
    assert {kind for kind in kinds if f"| `{kind}` |" not in text} == set()
    metrics = set(METRIC.findall(read("bot/engine/metrics.py")))
    assert {name for name in metrics if name not in text} == set()


# -- the two READMEs and the tour -------------------------------------------------------------------------------------


def test_both_readmes_have_the_same_sections_links_and_steps() -> None:
    english, chinese = (read(name) for name in READMES)
    assert len(SECTION.findall(english)) == len(SECTION.findall(chinese)) > 0
    assert set(LINK.findall(english)) - {READMES[1]} == set(LINK.findall(chinese)) - {READMES[0]}
    assert COMMAND.findall(english) == COMMAND.findall(chinese)
    assert english.count("\n- ") == chinese.count("\n- ")
    assert tour.steps(english) == tour.steps(chinese)


def test_the_tour_tells_the_whole_story() -> None:
    steps = [str(step) for step in tour.steps(read("README.md"))]
    story = [
        "type 3栋2单元1502厨房水管漏水",
        "click 派单",
        "click 接单",
        "click 已到场",
        "click 完工",
        "type 3",
        "see 返修",
    ]
    assert [step for step in steps if step in story] == story


def test_a_tour_with_an_unknown_verb_is_refused() -> None:
    with pytest.raises(ValueError, match="no such verb: dance"):
        tour.steps("```tour\ndance slowly\n```\n")


# -- the whole repository ---------------------------------------------------------------------------------------------


def test_the_changelog_has_this_version() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert re.search(rf"^## {re.escape(version)} - \d{{4}}-\d\d-\d\d$", read("CHANGELOG.md"), re.MULTILINE)


def test_no_file_names_a_registry_or_somebodys_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    found = []
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = ROOT / name
        text = path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
        found += [f"{name}: {match[0]}" for match in FOREIGN.finditer(text)]
    assert found == []
