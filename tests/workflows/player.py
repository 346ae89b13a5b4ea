"""Plays the conversations of `dialogues/*.toml`, and prints them: `python -m tests.workflows.player [id …] [-v]`."""

import sys
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.workflows.harness import Reply, Story, story
from tests.workflows.town import SUNDAY, ZONE

FOLDER = Path(__file__).parent / "dialogues"


def dialogues(file: str) -> list[dict[str, Any]]:
    """The conversations of a file in `dialogues/`."""
    found: list[dict[str, Any]] = tomllib.loads((FOLDER / file).read_text("utf-8"))["dialogue"]
    return found


def begin(played: Story, setup: Mapping[str, Any]) -> None:
    """What happened before the first turn of a dialogue."""
    if setup.get("done"):
        played.repaired(setup["done"])
    for report in setup.get("orders", ()):
        played.say(report)
        played.say("好")
    for kind, words in setup.get("affairs", {}).items():
        played.affair(kind, words)
    if setup.get("done"):
        played.wait(minutes=30)
    elif setup:
        played.wait(days=3)
    played.transcript.append("-" * 8)


EARLY = {"collecting": {"collecting", "confirming", "recorded"}, "confirming": {"collecting", "confirming", "recorded"}}


def allowed(expect: Mapping[str, Any], got: Reply, *, recorded: bool, corrected: bool) -> list[str]:
    """What differs from what messages/README.md allows: recording early, then correcting and asking."""
    wrong = []
    states = EARLY.get(expect["state"], {expect["state"]})
    intents = {expect.get("intent")}
    if recorded and expect["state"] in EARLY:
        states = states | {"changed", "answered"}
        intents = intents | {"progress"} if corrected else intents
    if got.state not in states:
        wrong.append(f"state {got.state!r}, not {expect['state']!r}")
    if got.intent not in intents and got.state != "emergency":
        wrong.append(f"intent {got.intent!r}, not {expect.get('intent')!r}")
    slots = {name: value["text"] if name == "time" else value for name, value in got.slots.items() if name in SLOTS}
    if slots != expect.get("slots", {}):
        wrong.append(f"slots {slots}, not {expect.get('slots', {})}")
    return wrong


def stored(played: Story) -> dict[str, list[str]]:
    """What stands in the database after a dialogue, by table: the state of each row; of an affair its kind, too."""
    found = {
        "orders": [row["state"] for row in played.rows("work_orders")],
        "complaints": [row["state"] for row in played.rows("complaints")],
        "affairs": [f"{row['kind']} {row['state']}" for row in played.rows("affairs")],
        "alarms": [row["kind"] for row in played.rows("alarms")],
        "tasks": [row["kind"] for row in played.rows("call_tasks")],
    }
    return {table: rows for table, rows in found.items() if rows}


SLOTS = ("building", "unit", "room", "phone", "time")


def play(dialogue: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Play a dialogue: what went wrong, turn by turn, and the transcript."""
    setup = dialogue.get("setup", {})
    wrong: list[str] = []
    homes = setup.get("homes", ())
    at = datetime.fromisoformat(setup["at"]).replace(tzinfo=ZONE) if "at" in setup else SUNDAY
    with story(setup.get("communities", "open"), homes, at=at) as played:
        begin(played, {name: value for name, value in setup.items() if name in {"done", "orders", "affairs"}})
        recorded = False
        for number, step in enumerate(dialogue["turns"], 1):
            if "wait_minutes" in step:
                played.wait(minutes=step["wait_minutes"])
            got = played.say(step["user"], pause=step.get("pause", 20))
            told = step["expect"]
            found = allowed(told, got, recorded=recorded, corrected=recorded)
            found += [f"{part!r} missing in {got.text!r}" for part in step.get("says", ()) if part not in got.text]
            found += [f"{part!r} stands in {got.text!r}" for part in step.get("not", ()) if part in got.text]
            if "questions" in step and got.questions > step["questions"]:
                found.append(f"{got.questions} questions, not {step['questions']}: {got.text!r}")
            if got.questions > 1:
                found.append(f"asks twice: {got.text!r}")
            if got.status != "turned":
                found.append(f"the turn is {got.status}")
            wrong += [f"turn {number} {step['user']!r}: {what}" for what in found]
            played.transcript[-1] += f"    [{got.intent} {got.state} {dict(got.slots)}]" if "-v" in sys.argv else ""
            recorded = recorded or got.state in {"recorded", "changed"}
        wrong += [f"{what}, not {dialogue['rows']}" for what in [stored(played)] if what != dialogue.get("rows", what)]
        return wrong, played.transcript


def main() -> None:
    """Print the conversations whose ids begin with the arguments (all without any)."""
    wanted = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    passed = total = 0
    for file in sorted(FOLDER.glob("*.toml")):
        for dialogue in dialogues(file.name):
            if wanted and not dialogue["id"].startswith(tuple(wanted)):
                continue
            wrong, transcript = play(dialogue)
            total += 1
            passed += not wrong
            print(f"\n## {dialogue['id']} {dialogue['title']}")
            print("\n".join(transcript))
            for line in wrong:
                print(f"!! {line}")
    print(f"\n{passed} of {total} dialogues pass")


if __name__ == "__main__":
    main()
