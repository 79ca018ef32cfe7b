"""How far a grid of jobs is, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from upswing.cli.output import say

if TYPE_CHECKING:
    from upswing.lab.runner.grid import GridState

_SECONDS_BETWEEN_LINES = 20.0


@contextmanager
def grid_progress() -> Iterator[Callable[[GridState], None]]:
    """Show a bar with the time left on a terminal; elsewhere write a line now and then."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0, left="")

        def show(state: GridState) -> None:
            bar.update(
                task,
                completed=state.share,
                description=" | ".join(running.label for running in state.running) or "done",
                left=_left(state),
            )

        yield show


def _lines() -> Callable[[GridState], None]:
    told = 0.0

    def show(state: GridState) -> None:
        nonlocal told
        if state.seconds - told >= _SECONDS_BETWEEN_LINES:
            told = state.seconds
            names = ", ".join(running.label for running in state.running)
            say(f"{state.share:4.0%} {_left(state)}: {names}")

    return show


def _left(state: GridState) -> str:
    ended = state.done + state.skipped
    of = f"{ended} of {ended + state.failed + state.waiting + state.left} jobs"
    if state.seconds_left is None:
        return of
    minutes, seconds = divmod(round(state.seconds_left), 60)
    return f"{of}, {minutes}:{seconds:02} left"
