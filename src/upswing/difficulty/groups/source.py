"""Where groups come from: answers to questions, or group tables; both give the same type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from upswing.difficulty.groups.answers import AnswerMatrix, answer_matrix, has_answers
from upswing.difficulty.groups.grouping import group_answers, sort_metric
from upswing.difficulty.groups.groups import By, DifficultyGroups
from upswing.difficulty.groups.sorting import Sorting
from upswing.difficulty.groups.stored import SAME_LIMIT, StoredGroups, stored_source
from upswing.errors import InputError
from upswing.notes import Note, Severity
from upswing.sources.wu_lo import GROUP_LEVEL
from upswing.tables.bundle import Tables


class GroupSource(Protocol):
    """A task whose questions can be had in groups."""

    @property
    def task(self) -> str:
        """Name of the task."""

    def groups(
        self,
        count: int = 3,
        by: By = "brier",
        limit: float | None = None,
        *,
        redistributed: bool = True,
    ) -> DifficultyGroups:
        """Return the task in that many groups, sorted by models below the limit."""


@dataclass(frozen=True, eq=False)
class AnswerGroups:
    """Groups that are made of answers, at any limit.

    Attributes
    ----------
    answers
        The answers.
    exclude
        Models that do not sort.
    published_quirks
        Whether models sort as in Wu and Lo's scripts; see :class:`~.sorting.Sorting`.
    """

    answers: AnswerMatrix
    exclude: Sequence[str] | None = None
    published_quirks: bool = False

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.answers.task

    def groups(
        self,
        count: int = 3,
        by: By = "brier",
        limit: float | None = None,
        *,
        redistributed: bool = True,
    ) -> DifficultyGroups:
        """Return the task in that many groups; see :func:`~.grouping.group_answers`."""
        sorting = Sorting(limit, self.exclude, self.published_quirks)
        return group_answers(self.answers, count, by, redistributed=redistributed, sorting=sorting)


def group_source(
    tables: Tables,
    task: str | None = None,
    *,
    family: str | None = None,
    n_shot: int | None = None,
    filter: str | None = None,
    elicitation: str | None = None,
    checkpoints: bool = False,
    exclude: Sequence[str] | None = None,
    published_quirks: bool = False,
) -> GroupSource:
    """Return the groups of a task: of its answers where there are any, else those of its tables.

    Parameters
    ----------
    tables
        What :func:`upswing.read` returned.
    task
        Name of a task, or a glob that pools several; may be left out where there is one.
    family, n_shot, filter, elicitation, checkpoints
        Which answers count; see :func:`~upswing.difficulty.groups.answers.answer_matrix`. Of tables
        only the family can be chosen.
    exclude, published_quirks
        Which models sort; see :class:`~upswing.difficulty.groups.sorting.Sorting`. Groups of
        tables are as they were published.

    Raises
    ------
    UnknownNameError, InputError
        If there is no such task, or several.

    Examples
    --------
    >>> import numpy as np
    >>> from upswing.simulate import MultipleChoiceWorld, simulate_multiple_choice
    >>> world = MultipleChoiceWorld(np.geomspace(1e19, 1e23, 9), np.linspace(19, 24, 300))
    >>> source = group_source(simulate_multiple_choice(world, np.random.default_rng(0)))
    >>> groups = source.groups(3, limit=0.0)
    >>> groups.edges.tolist(), groups.values["acc"][-1].round(2).tolist()
    ([0, 100, 200, 300], [0.75, 0.72, 0.64])
    """
    grouped = (tables.scores["level"] == GROUP_LEVEL).any()
    if has_answers(tables, task) or (has_answers(tables) and not grouped):
        answers = answer_matrix(
            tables,
            task,
            family=family,
            n_shot=n_shot,
            filter=filter,
            elicitation=elicitation,
            checkpoints=checkpoints,
        )
        return AnswerGroups(answers, exclude, published_quirks)
    wanted = {
        "n_shot": n_shot,
        "filter": filter,
        "elicitation": elicitation,
        "checkpoints": checkpoints or None,
    }
    given = [name for name, value in wanted.items() if value is not None]
    if given:
        raise InputError(
            f"{' and '.join(given)} cannot be chosen for groups that are read from tables",
            hint="leave that away, or read answers with the log-likelihoods of options",
        )
    return stored_source(tables, task, family)


def groups_at(
    source: GroupSource,
    count: int,
    by: By,
    threshold: float | None,
    *,
    redistributed: bool = True,
) -> DifficultyGroups:
    """Return groups sorted at a threshold; of tables sorted at one other limit, those, with a note.

    Parameters
    ----------
    source
        The task.
    count, by, redistributed
        How many groups, sorted by what.
    threshold
        log10 of training compute [1e21 FLOP]; None where nothing is held out.

    Raises
    ------
    InputError
        If there are no such groups, or at several other limits.
    """
    limits = (
        source.limits(count, sort_metric(by, redistributed))
        if isinstance(source, StoredGroups)
        else []
    )
    if threshold is None or len(limits) != 1 or abs(limits[0] - threshold) < SAME_LIMIT:
        return source.groups(count, by, threshold, redistributed=redistributed)
    groups = source.groups(count, by, redistributed=redistributed)
    text = (
        f"The groups of {source.task} were sorted by models up to 10^{limits[0]:g} times 1e21 FLOP "
        f"and not up to the threshold, 10^{threshold:g}"
    )
    beyond = limits[0] > threshold
    severity: Severity = "warning" if beyond else "info"
    text += ": models that are held out helped to make the groups." if beyond else "."
    note = Note("sorted-elsewhere", severity, text, {"limit": limits[0], "threshold": threshold})
    return replace(groups, notes=(*groups.notes, note))
