"""A worker process: ``python -m upswing.lab.runner.worker``, one job after the other.

It reads a JSON line per job from its standard input and answers with JSON lines: ``progress`` while
it works, ``done`` or ``failed`` at the end. What a job prints goes to standard error, so that it
cannot get between the answers. When the input ends, because the parent wants it or is dead, the
process ends at once, in the middle of a job too: two runs would otherwise compete.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO

import msgspec

from upswing.errors import ExperimentError, UpswingError
from upswing.lab.runner.job import Job
from upswing.lab.runner.kinds import load_function
from upswing.lab.runner.making import making
from upswing.lab.runner.output import keep
from upswing.lab.runner.record import Stopwatch
from upswing.lab.runner.workplace import Workplace

Answer = Callable[[dict[str, Any]], None]


def main() -> None:
    """Serve until the input ends."""
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all: the parent decides
    commands, answers = _own_channels()
    orders: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(commands, orders), daemon=True).start()

    def answer(message: dict[str, Any]) -> None:
        answers.write(msgspec.json.encode(message) + b"\n")
        answers.flush()

    while True:
        _serve(msgspec.json.decode(orders.get()), answer)


def _own_channels() -> tuple[BinaryIO, BinaryIO]:
    """Take standard input and output away from the jobs, which get nothing and standard error."""
    commands, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(commands, "rb"), os.fdopen(answers, "wb")


def _listen(commands: BinaryIO, orders: SimpleQueue[bytes]) -> None:
    for line in commands:
        orders.put(line)
    os._exit(0)


def _serve(order: dict[str, Any], answer: Answer) -> None:
    try:
        job = Job(order["kind"], order["config"], label=order["label"])
        _run(job, Path(order["store"]), order["function"], answer)
    except BaseException as error:  # a job that calls sys.exit has failed too
        answer({"failed": describe(error), "traceback": _printable(traceback.format_exc())})
    else:
        answer({"done": job.key})


def _run(job: Job, store: Path, address: str, answer: Answer) -> None:
    watch = Stopwatch()
    with making(store, job.key) as folder:
        place = Workplace(folder, job, store, lambda share: answer({"progress": share}))
        readings = load_function(address)(job.config, place)
        keep(folder, job, readings, store, watch)


def describe(error: BaseException) -> str:
    """Return an error in one line.

    >>> describe(ExperimentError("the loss is not finite", hint="lower the learning rate"))
    'the loss is not finite (lower the learning rate)'
    >>> describe(OSError(errno.ENOSPC, "No space left on device"))
    'the disk is full (No space left on device)'
    """
    if isinstance(error, UpswingError):
        text = str(error)
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        text = str(ExperimentError("the disk is full", hint=error.strerror or ""))
    else:
        text = "".join(traceback.format_exception_only(error))
    return _printable(" ".join(text.split()))


def _printable(text: str) -> str:
    """Return a text without what UTF-8 has not, such as a part of a file's name."""
    return text.encode("utf-8", "replace").decode()


if __name__ == "__main__":
    main()
