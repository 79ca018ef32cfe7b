"""Which function does the work of each kind of job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from upswing.errors import UnknownNameError
from upswing.lab.runner.job import Job
from upswing.lab.runner.workplace import Workplace
from upswing.tables.reading import Reading

Work = Callable[[Mapping[str, Any], Workplace], Sequence[Reading]]
"""From a job's config and its workplace to the rows that it found, each with its family.

The rows follow from the config alone: a date in them would make every run another.
"""

KINDS: Mapping[str, str] = {
    "pretrain": "upswing.lab.pretrain_job:run",
    "evaluate": "upswing.lab.evaluate_job:run",
    "finetune": "upswing.lab.finetune_job:run",
}
"""``module:function`` by kind; the module is imported by the process that does the work."""


def load_function(address: str) -> Work:
    """Return the function at ``module:function``.

    Raises
    ------
    UnknownNameError
        If the module has no such function.
    ImportError
        If the module cannot be imported, such as without the extra ``lab``.
    """
    module, _, name = address.partition(":")
    try:
        function: Work = getattr(import_module(module), name)
    except AttributeError:
        raise UnknownNameError(f"there is no function {name!r} in {module}") from None
    return function


def check_kinds(jobs: Iterable[Job], kinds: Mapping[str, str]) -> None:
    """Check that every job is of a known kind.

    Raises
    ------
    UnknownNameError
        Naming the first that is not.
    """
    for job in jobs:
        if job.kind not in kinds:
            raise UnknownNameError(
                f"job {job.name!r} is of the unknown kind {job.kind!r}",
                hint=f"known are {', '.join(kinds)}",
            )
