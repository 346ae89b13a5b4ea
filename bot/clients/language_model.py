"""A language model behind an OpenAI-compatible endpoint: one POST to `/chat/completions`, and one way to be told no.

It is asked two things: which of our labels fit a message, and whether a few articles answer a question. What it is
given must not tell who wrote it; what it gives back is held to our labels and our articles by those who ask
(docs/adr/0015-language-model.md). Nothing is tried again: somebody waits.
"""

import functools
import time
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Final

import msgspec

from bot.settings import LanguageModelSettings
from channels.errors import SendError
from channels.http import JsonClient

FAILURES_IN_A_ROW: Final = 3
REST_S: Final = 60.0
"""After so many failures in a row nobody is asked for so long: a resident should not wait for what will not come."""
LONGEST_ANSWER: Final = 600
_TOKENS: Final = 400


@functools.cache
def prompt_of(task: str) -> str:
    """What the model is told of its task, `read` or `word`."""
    return files(__package__).joinpath("prompts", f"{task}.md").read_text(encoding="utf-8")


class ModelError(Exception):
    """There is no usable answer. Its text is a sentence for staff and logs, and holds no word of a resident."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason
        """One of `timeout`, `refused`, `http`, `unusable`, `resting`: a label of the metric."""


class Sheet(msgspec.Struct, frozen=True):
    """An article as the model is shown it."""

    title: str
    answer: str


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]


class LanguageModel:
    """One endpoint and one model. `clock` gives seconds that only grow."""

    def __init__(self, settings: LanguageModelSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._client = JsonClient(settings.base_url, timeout_s=settings.timeout_s)
        self._failures = 0
        self._rests_until = 0.0

    async def read(self, text: str) -> dict[str, object]:
        """Which labels fit a message, as the model wrote them: nothing of it is checked. Raises `ModelError`."""
        return await self._ask("read", {"message": text})

    async def word(self, question: str, sheets: Sequence[Sheet], language: str) -> str | None:
        """An answer from these articles; None where they have none. Raises `ModelError`."""
        found = await self._ask("word", {"question": question, "language": language, "articles": sheets})
        answer = found.get("answer")
        if answer is None or (isinstance(answer, str) and not answer.strip()):
            return None
        if not isinstance(answer, str) or len(answer) > LONGEST_ANSWER:
            raise ModelError("unusable", "the answer is no text of the length asked for")
        return answer.strip()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask(self, task: str, asked: object) -> dict[str, object]:
        if self._clock() < self._rests_until:
            raise ModelError("resting", "not asked: it failed several times in a row")
        try:
            found = _content(await self._post(task, asked))
        except ModelError:
            self._failures += 1
            if self._failures >= FAILURES_IN_A_ROW:
                self._rests_until = self._clock() + REST_S
            raise
        self._failures = 0
        return found

    async def _post(self, task: str, asked: object) -> bytes:
        data = msgspec.json.encode(
            {
                "model": self._settings.model,
                "messages": [
                    {"role": "system", "content": prompt_of(task)},
                    {"role": "user", "content": msgspec.json.encode(asked).decode()},
                ],
                "response_format": {"type": "json_object"},
                "temperature": 0,
                "max_tokens": _TOKENS,
                "stream": False,
            }
        )
        headers = {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}
        if self._settings.api_key:
            headers["Authorization"] = f"Bearer {self._settings.api_key}"
        try:
            status, body = await self._client.call("POST", "/chat/completions", data, headers)
        except SendError as error:
            failure = ModelError("timeout", f"{error.detail} within {self._settings.timeout_s:g} s")
        else:
            if status == 200:
                return body
            failure = _refusal(status)
        # Outside the handler: what the library raised may hold the address.
        raise failure


def _refusal(status: int) -> ModelError:
    if status in {401, 403}:
        return ModelError("refused", f"HTTP {status}: check language_model.api_key")
    if status in {301, 302, 307, 308, 400, 404, 405, 422}:
        return ModelError("refused", f"HTTP {status}: check language_model.base_url and language_model.model")
    return ModelError("http", f"HTTP {status}")


def _content(body: bytes) -> dict[str, object]:
    """The JSON object in an answer; some models put words or a fence around it."""
    try:
        completion = msgspec.json.decode(body, type=_Completion)
        content = (completion.choices[0].message.content or "") if completion.choices else ""
        whole = content[content.index("{") : content.rindex("}") + 1]
        return msgspec.json.decode(whole, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        pass
    raise ModelError("unusable", "the answer is not the JSON object asked for")
