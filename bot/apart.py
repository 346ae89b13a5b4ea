"""Work that would keep a core busy for seconds, in a process of its own: the event loop goes on answering.

A thread is not enough: what is plain Python in such work holds the interpreter's lock.
"""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

from bot.errors import FrontdeskError, trace

T = TypeVar("T")

_SPAWN = multiprocessing.get_context("spawn")  # a fork would take locks and connections of this process along
_NICER = 10
_ENDS_WITHIN_S = 5.0


class ApartError(FrontdeskError):
    """The work raised, its process died, or it took too long; the message says which, without personal data."""


class Apart:
    """One piece of work in another process. `run` blocks: call it once, in a thread; `stop` ends it from anywhere."""

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._stopped = False

    def run(self, f: Callable[..., T], *args: Any, within: float) -> T:
        """`f(*args)`, for at most `within` seconds. `f` is a function of a module, its values can be pickled.

        Raises `ApartError`.
        """
        receiver, sender = _SPAWN.Pipe(duplex=False)
        process = self._process = _SPAWN.Process(target=_work, args=(sender, f, args), daemon=True)
        try:
            process.start()
            sender.close()  # so that the death of the other process is heard as the end of the line
            if self._stopped:
                raise ApartError("it was stopped")
            result: T = self._result(receiver, within)
            return result
        finally:
            self.stop()
            process.join(_ENDS_WITHIN_S)
            receiver.close()

    def _result(self, receiver: Connection, within: float) -> Any:
        try:
            if not receiver.poll(within):
                raise ApartError(f"took longer than {within:.0f} s")
            result, error = receiver.recv()
        except EOFError:
            raise ApartError("its process ended early") from None
        if error:
            raise ApartError(error)
        return result

    def stop(self) -> None:
        """End the work, also if it has not begun yet."""
        self._stopped = True
        if self._process is not None and self._process.pid is not None:
            self._process.kill()


def _work(sender: Connection, f: Callable[..., object], args: tuple[Any, ...]) -> None:
    """What runs in the other process. Ctrl-C in the terminal reaches it, too: it is its parent that decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(_NICER)
    try:
        sender.send((f(*args), ""))
    except Exception as error:
        sender.send((None, trace(error)))
