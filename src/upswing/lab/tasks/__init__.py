"""The tasks of the lab's mixture: what a small model learns late, and two that it does not."""

from upswing.errors import UnknownNameError
from upswing.lab.tasks.arithmetic import ADDITION, MODULAR_ADDITION, MULTIPLICATION
from upswing.lab.tasks.letters import COPY, REVERSE, SORT
from upswing.lab.tasks.lookup import LOOKUP
from upswing.lab.tasks.task import Task

TASKS = {
    task.name: task
    for task in (COPY, REVERSE, SORT, *ADDITION, MULTIPLICATION, LOOKUP, MODULAR_ADDITION)
}
"""All tasks by name."""

CONTROLS = (LOOKUP.name, MODULAR_ADDITION.name)
"""Tasks that models of this size do not learn in this time."""


def find_task(name: str) -> Task:
    """Return a task by its name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    try:
        return TASKS[name]
    except KeyError:
        raise UnknownNameError(f"no task {name!r}", hint=f"there are {', '.join(TASKS)}") from None
