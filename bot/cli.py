"""The verbs of `frontdesk`, thin. Exit codes: 0 done, 1 failed, 2 wrong usage."""

import argparse
import asyncio
import contextlib
import getpass
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot import config, logs
from bot.errors import FrontdeskError
from bot.settings import Settings

Verb = Callable[[argparse.Namespace, Settings], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        settings = config.read(os.environ)
        logs.set_up(settings.log_level)
        verb: Verb = options.verb
        return verb(options, settings)
    except FrontdeskError as error:
        print(f"frontdesk: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="frontdesk", description="物业前台 · the service desk's intake")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    run = _verb(verbs, "run", _run, "run the whole service in one process")
    run.add_argument(
        "--demo",
        action="store_true",
        help="load the demonstration community into an empty database and serve the simulator",
    )
    run.add_argument(
        "--only",
        choices=["web", "worker"],
        default="",
        help="a part of the service, on PostgreSQL: web takes messages in and serves the console, worker sends and "
        "keeps time; run at least one of each",
    )
    _verb(verbs, "migrate", _migrate, "bring the database to the schema of this version")
    _verb(verbs, "check", _check, "check settings, database and each channel, in plain words")
    classify = _verb(verbs, "classify", _classify, "read a message: one JSON object")
    classify.add_argument("text", help="the message, or - for one message a line on standard input")
    classify.add_argument("--now", help="the community's clock, such as 2026-11-22T10:00", type=datetime.fromisoformat)
    ask = _verb(verbs, "ask", _ask, "ask the knowledge base: one JSON object")
    ask.add_argument("text", help="the question, or - for one question a line on standard input")
    ask.add_argument("--knowledge", type=Path, help="a folder of articles in place of the configured one")
    ask.add_argument("--community", help="as a resident of this community")
    evaluate = _verb(verbs, "evaluate", _evaluate, "measure the classifier on labelled messages (JSON lines)")
    evaluate.add_argument(
        "file", nargs="?", type=Path, help="labelled messages; without it, the own examples by cross-validation"
    )
    evaluate.add_argument(
        "--compare",
        action="store_true",
        help="train with the examples of staff in the database and hold the model against the one in use; exit code 1 "
        "where it may not replace it",
    )
    channels = _verb(verbs, "channels", _channels, "set up a channel at its platform, or make the code of a place")
    channels.add_argument("act", choices=["setup", "qrcode"])
    channels.add_argument("channel", choices=["wechat"])
    channels.add_argument("--account", default="main", help="the account in the settings (main)")
    channels.add_argument("--from", dest="source", type=Path, help="this menu instead of the one that stands there")
    channels.add_argument("--restore", action="store_true", help="put the menu back without our lines")
    channels.add_argument("--dry-run", action="store_true", help="export and show, and change nothing")
    channels.add_argument("--scene", help="qrcode: where it hangs: c:翠湖苑, h:翠湖苑/3-2-1502 or p:翠湖苑/3栋2号电梯")
    channels.add_argument("--days", type=int, help="qrcode: a temporary code, for 1 to 30 days; without it, for ever")
    channels.add_argument("--to", type=Path, help="qrcode: the file for the image")
    staff = _verb(verbs, "staff", _staff, "staff accounts")
    staff.add_argument("act", choices=["add"])
    staff.add_argument("login")
    staff.add_argument("--name", required=True)
    staff.add_argument("--role", required=True, action="append", help="agent, supervisor, technician, … (repeatable)")
    staff.add_argument("--community", help="the name of the one community they work for; without it, all")
    staff.add_argument("--language", default="zh-Hans", choices=["zh-Hans", "en"])
    return parser


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, verb: Verb, text: str
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text, description=text)
    parser.set_defaults(verb=verb)
    return parser


def _run(options: argparse.Namespace, settings: Settings) -> int:
    from bot import app  # noqa: PLC0415 - the other verbs start faster without the service

    async def serve() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        async with app.running(settings, with_demo=options.demo, only=options.only, tell=_tell) as service:
            print(app.welcome(service), flush=True)
            await stop.wait()
            print("stopping …", flush=True)
        print("stopped cleanly", flush=True)

    _loop(serve())
    return 0


def _tell(line: str) -> None:
    print(f"Frontdesk: {line}", flush=True)


def _loop(work: Coroutine[Any, Any, None]) -> None:
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: PLC0415 - half again as fast; not on every platform

        uvloop.run(work)
        return
    asyncio.run(work)


def _migrate(options: argparse.Namespace, settings: Settings) -> int:
    from bot.store import migrations  # noqa: PLC0415

    del options
    asyncio.run(migrations.upgrade(settings.database))
    print("the database is up to date")
    return 0


def _check(options: argparse.Namespace, settings: Settings) -> int:
    from bot import check  # noqa: PLC0415

    del options
    findings = asyncio.run(check.findings(settings))
    for finding in findings:
        print(f"{'ok  ' if finding.good else 'FAIL'} {finding.text}")
    return 0 if all(finding.good for finding in findings) else 1


def _classify(options: argparse.Namespace, settings: Settings) -> int:
    from intents.reader import Reader  # noqa: PLC0415

    reader = Reader.load()
    now = (options.now or datetime.now(UTC).astimezone(settings.zone)).replace(tzinfo=settings.zone)
    for text in _texts(options.text):
        _print_json(reader.read(text, now).as_json())
    return 0


def _texts(text: str) -> Iterable[str]:
    """The text, or the lines of standard input; `\\n` written out stands for a line break."""
    lines: Iterable[str] = (line.rstrip("\n") for line in sys.stdin) if text == "-" else [text]
    return (line.replace("\\n", "\n") for line in lines)


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _ask(options: argparse.Namespace, settings: Settings) -> int:
    from bot import knowledge  # noqa: PLC0415

    folder = options.knowledge or settings.knowledge_dir
    articles = knowledge.load(folder, demonstration=folder is None)
    today = datetime.now(UTC).astimezone(settings.zone).date()
    for text in _texts(options.text):
        _print_json(articles.ask(text, community=options.community, on=today).as_json())
    return 0


def _evaluate(options: argparse.Namespace, settings: Settings) -> int:
    from intents import evaluate  # noqa: PLC0415

    if options.compare:
        from bot import evaluation  # noqa: PLC0415

        report = asyncio.run(evaluation.compare(settings))
        _print_json(evaluation.as_json(report))
        return 0 if report.may_replace else 1
    return evaluate.main([str(options.file)] if options.file else [])


def _channels(options: argparse.Namespace, settings: Settings) -> int:
    from bot import channel_codes, channel_setup  # noqa: PLC0415

    now = datetime.now(UTC).astimezone(settings.zone)
    if options.act == "qrcode":
        work = channel_codes.wechat(settings, options.account, options.scene or "", days=options.days, to=options.to)
    else:
        work = channel_setup.wechat(
            settings, options.account, now, source=options.source, ours=not options.restore, dry=options.dry_run
        )
    print("\n".join(asyncio.run(work)))
    return 0


def _staff(options: argparse.Namespace, settings: Settings) -> int:
    from bot import accounts  # noqa: PLC0415

    password = getpass.getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline().strip()
    asyncio.run(accounts.add(settings, options, password))
    print(f"{options.login} can sign in at {settings.address}/console")
    return 0
