"""A worker process as its parent sees it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

import msgspec

from upswing.lab.runner.job import Job

_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)
"""What numerical libraries read when they are imported: the workers share the processors."""

_PATIENCE = 5.0


class Message(NamedTuple):
    """What a worker says; ``content`` is None when it has ended."""

    worker: WorkerProcess
    content: Mapping[str, Any] | None


class WorkerProcess:
    """One process that does one job at a time.

    Parameters
    ----------
    inbox
        Where its messages go.

    Attributes
    ----------
    job
        What it is on.
    share
        How much of that is done, in [0, 1].
    """

    def __init__(self, inbox: SimpleQueue[Message]) -> None:
        self.job: Job | None = None
        self.share = 0.0
        self._began = 0.0
        # -P: a file in the working folder must not stand in for a library.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "upswing.lab.runner.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
        )
        self._reader = Thread(target=self._listen, args=(inbox,), daemon=True)
        self._reader.start()

    @property
    def id(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def seconds(self) -> float:
        """Time since it began its job [s]."""
        return time.monotonic() - self._began

    def begin(self, job: Job, address: str, store: Path) -> None:
        """Give it a job, whose function is at ``module:function``."""
        self.job, self.share, self._began = job, 0.0, time.monotonic()
        order = {
            "kind": job.kind,
            "config": job.config,
            "label": job.label,
            "function": address,
            "store": str(store),
        }
        assert self._process.stdin is not None
        with suppress(OSError):  # it has just died, as its reader will tell
            self._process.stdin.write(msgspec.json.encode(order) + b"\n")
            self._process.stdin.flush()

    def how_it_ended(self) -> str:
        """Return what ended a process that is dead, in words."""
        status = self._process.wait()
        if status >= 0:
            return f"its process ended with status {status}"
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        hint = " (out of memory?)" if name == "SIGKILL" else ""
        return f"its process was killed by {name}{hint}"

    def dismiss(self) -> None:
        """Tell it to end, which it does at once."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def wait(self) -> None:
        """Wait until it has ended."""
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(_PATIENCE)

    def _listen(self, inbox: SimpleQueue[Message]) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as answers:
            for line in answers:
                with suppress(msgspec.DecodeError):  # the last line of one that was killed
                    inbox.put(Message(self, msgspec.json.decode(line)))
        inbox.put(Message(self, None))


def _environment() -> dict[str, str]:
    """Return the environment of a worker: one thread, and modules from where they are found here.

    Hashes are not salted, so that the order of a set is the same in every run.
    """
    return {
        **os.environ,
        **dict.fromkeys(_ONE_THREAD, "1"),
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path),
    }
