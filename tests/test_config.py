"""Settings from the file and the environment: what is accepted, and the sentence for what is not."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot import cli, config
from bot.errors import SettingsError
from bot.settings import Settings

WECHAT = {
    "FRONTDESK_WECHAT__MAIN__APP_ID": "wx1",
    "FRONTDESK_WECHAT__MAIN__APP_SECRET": "very-secret",
    "FRONTDESK_WECHAT__MAIN__TOKEN": "abc123",
}


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A verb of the command sets logging up for its process: this one is not only its."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def read(environ: Mapping[str, str], folder: Path) -> Settings:
    return config.read(environ, directory=folder)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"FRONTDESK_PORT": "8090"}, {"port": 8090}),
        ({"FRONTDESK_LOG_LEVEL": "debug"}, {"log_level": "DEBUG"}),
        ({"FRONTDESK_TIMEZONE": "Asia/Hong_Kong"}, {"timezone": "Asia/Hong_Kong"}),
        ({"FRONTDESK_TRUSTED_PROXIES": ""}, {"trusted_proxies": ()}),
        (
            {"FRONTDESK_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,fd00::/8"},
            {"trusted_proxies": ("127.0.0.1", "10.0.0.0/8", "fd00::/8")},
        ),
    ],
)
def test_from_the_environment(environ: dict[str, str], expected: dict[str, Any], tmp_path: Path) -> None:
    settings = read(environ, tmp_path)
    assert {name: getattr(settings, name) for name in expected} == expected


def test_lists_from_the_environment(tmp_path: Path) -> None:
    environ = {
        "FRONTDESK_DESK__QUIET_HOURS": "22:00,07:30",
        "FRONTDESK_DESK__LADDER_MINUTES": "2, 5",
        "FRONTDESK_DESK__REMINDER_MINUTES": "7",
    }
    desk = read(environ, tmp_path).desk
    assert (desk.quiet_hours, desk.ladder_minutes, desk.reminder_minutes) == (("22:00", "07:30"), (2, 5), 7)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "frontdesk.toml").write_text('port = 8070\n[desk]\nquiet_hours = ["22:00", "07:30"]\n')
    settings = read({"FRONTDESK_PORT": "8071"}, tmp_path)
    assert (settings.port, settings.desk.quiet_hours) == (8071, ("22:00", "07:30"))


def test_secrets_from_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    environ = {**WECHAT, "FRONTDESK_WECHAT__MAIN__APP_SECRET_FILE": str(tmp_path / "secret")}
    del environ["FRONTDESK_WECHAT__MAIN__APP_SECRET"]
    assert read(environ, tmp_path).wechat["main"].app_secret == "from a file"


@pytest.mark.parametrize(
    ("environ", "parts"),
    [
        ({"FRONTDESK_PORT": "99999"}, ("port", "99999", "1 to 65535")),
        ({"FRONTDESK_PORT": "http"}, ("port", "'http'", "1 to 65535")),
        ({"FRONTDESK_STAFF_PORT": "0"}, ("staff_port", "'0'", "1 to 65535")),
        ({"FRONTDESK_STAFF_PORT": "8080"}, ("staff_port", "8080", "another")),
        ({"FRONTDESK_TIMEZONE": "Asia/Shangai"}, ("timezone", "Asia/Shangai", "did you mean Asia/Shanghai?")),
        ({"FRONTDESK_TIMEZONE": "../../etc/passwd"}, ("timezone", "no time zone")),
        ({"FRONTDESK_LOG_LEVEL": "loud"}, ("log_level", "'loud'", "one of DEBUG, INFO, WARNING, ERROR")),
        ({"FRONTDESK_RAW_PAYLOAD_DAYS": "0"}, ("raw_payload_days", "from 1 to 10000")),
        ({"FRONTDESK_DESK__REWORK_BY": "24:00"}, ("desk.rework_by", "24:00", "a time of day")),
        ({"FRONTDESK_DESK__QUIET_HOURS": "22:00"}, ("desk.quiet_hours", "22:00", "2 times a time of day")),
        ({"FRONTDESK_DESK__QUIET_HOURS": "22:00,7"}, ("desk.quiet_hours", "'7'", "a time of day")),
        ({"FRONTDESK_DESK__CHOICE_GAP": "2"}, ("desk.choice_gap", "from 0 to 1")),
        ({"FRONTDESK_DELIVERY__LEASE_SECONDS": "-1"}, ("delivery.lease_seconds", "above 0")),
        ({"FRONTDESK_PUBLIC_URL": "desk.example.com"}, ("public_url", "desk.example.com", "http://")),
        ({"FRONTDESK_TRUSTED_PROXIES": "10.1.1.1/8"}, ("trusted_proxies", "10.1.1.1/8", "10.0.0.0/8")),
        ({"FRONTDESK_KNOWLEDGE_DIR": "/nowhere"}, ("knowledge_dir", "/nowhere", "no folder")),
        ({"FRONTDESK_PROT": "1"}, ("unknown setting prot", "did you mean port?")),
        ({"FRONTDESK_DESK__AFFAIR_DAY": "7"}, ("unknown setting desk.affair_day", "did you mean")),
        ({"FRONTDESK_DESK": "7"}, ("setting desk",)),
        ({"FRONTDESK_WECHAT__MAIN__APP_ID": "x"}, ("wechat.main", "app_secret")),
        ({**WECHAT, "FRONTDESK_WECHAT__MAIN__TOKEN": "-"}, ("wechat.main", "token must be")),
        ({**WECHAT, "FRONTDESK_WECHAT__MAIN__REPLAY_WINDOW_S": "x"}, ("wechat.main.replay_window_s", "a number")),
        ({"FRONTDESK_CONFIG": "/nowhere/frontdesk.toml"}, ("FRONTDESK_CONFIG", "does not exist")),
        ({"FRONTDESK_DATABASE_URL_FILE": "/nowhere/url"}, ("FRONTDESK_DATABASE_URL_FILE", "cannot be read")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(environ: dict[str, str], parts: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(environ, tmp_path)
    sentence = str(caught.value)
    assert [part for part in parts if part not in sentence] == [], sentence
    assert "very-secret" not in sentence
    assert "$" not in sentence


def test_a_wrong_setting_ends_every_verb_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FRONTDESK_TIMEZONE", "Mars/Olympus")
    for verb in (["check"], ["migrate"], ["run"]):
        assert cli.main(verb) == 1
        said = capsys.readouterr().err
        assert said.startswith("frontdesk: timezone is 'Mars/Olympus'")
        assert said.count("\n") == 1


def test_check_says_in_plain_words_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "parking.md").write_text("no front matter")
    monkeypatch.setenv("FRONTDESK_DATA_DIR", str(tmp_path / "data"))
    assert cli.main(["migrate"]) == 0
    assert cli.main(["check"]) == 0
    said = capsys.readouterr().out
    assert "ok   knowledge base: " in said
    assert "ok   database reached, schema current, 0 communities" in said
    monkeypatch.setenv("FRONTDESK_KNOWLEDGE_DIR", str(tmp_path))
    assert cli.main(["check"]) == 1
    assert "FAIL knowledge base: parking.md" in capsys.readouterr().out
