"""Whole conversations of `dialogues/*.toml` through the real engine."""

from typing import Any

import pytest

from tests.workflows.player import FOLDER, dialogues, play

ALL = [(dialogue["id"], dialogue) for file in sorted(FOLDER.glob("*.toml")) for dialogue in dialogues(file.name)]


def test_ids_are_unique() -> None:
    assert len({name for name, _ in ALL}) == len(ALL)


@pytest.mark.parametrize("dialogue", [dialogue for _, dialogue in ALL], ids=[name for name, _ in ALL])
def test_dialogue(dialogue: dict[str, Any]) -> None:
    wrong, transcript = play(dialogue)
    if wrong and "waits_for" in dialogue:
        pytest.xfail(dialogue["waits_for"])
    assert wrong == [], "\n".join(transcript)
