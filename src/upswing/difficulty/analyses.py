"""All published analyses of a task in one call, with a note for each that cannot be made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TypeVar

import polars as pl

from upswing.difficulty.groups.group_curves import GroupCurves, group_curves, overall_performance
from upswing.difficulty.groups.groups import By
from upswing.difficulty.groups.source import GroupSource
from upswing.difficulty.sandwich.degree_robustness import degree_robustness
from upswing.difficulty.sandwich.robustness import Robustness
from upswing.difficulty.sandwich.slice_and_sandwich import Sandwich, slice_and_sandwich
from upswing.difficulty.sandwich.threshold_robustness import (
    default_thresholds,
    threshold_robustness,
)
from upswing.difficulty.sandwich.worth import worth_of_slicing
from upswing.errors import InputError
from upswing.notes import Note, unique

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class DifficultyAnalyses:
    """The published analyses of one task, and what slicing is worth.

    Attributes
    ----------
    task
        Name of the task.
    overall_accuracy, overall_brier
        Scores of the whole task over compute.
    by_brier, by_accuracy
        Ten groups of questions, sorted by TC Brier score and by accuracy.
    sandwich, degrees, thresholds
        Slice-and-Sandwich, under other degrees and under other thresholds.
    worth
        The same forecasts from groups and from the whole; see :data:`.worth.WORTH`.
    notes
        Remarks; ``analysis-missing`` says why one of the above is None.
    """

    task: str
    overall_accuracy: GroupCurves | None
    overall_brier: GroupCurves | None
    by_brier: GroupCurves | None
    by_accuracy: GroupCurves | None
    sandwich: Sandwich | None
    degrees: Robustness | None
    thresholds: Robustness | None
    worth: pl.DataFrame | None
    notes: tuple[Note, ...] = ()


def difficulty_analyses(
    source: GroupSource,
    threshold: float,
    chance: float | None = None,
    *,
    groups: int = 10,
    degree: int | None = None,
    thresholds: Sequence[float] = (),
    exclude: Sequence[str] | None = None,
) -> DifficultyAnalyses:
    """Make all published analyses of a task.

    Parameters
    ----------
    source
        Answers or tables of the task.
    threshold
        log10 of training compute [1e21 FLOP] up to which models sort and are fitted.
    chance
        Accuracy of a guess; by default what the source says.
    groups, degree
        Number of groups in pictures, and degree of their polynomials.
    thresholds
        Thresholds of the robustness study; by default the threshold and those .2 and .4 below it.
    exclude
        Models to leave out; see :func:`~.sandwich_data.sandwich_data`.
    """
    notes: list[Note] = []

    def attempt(what: str, make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except InputError as error:
            notes.append(Note("analysis-missing", "info", f"{source.task}, {what}: {error}"))
            return None

    def pictured(by: By) -> GroupCurves:
        sliced = source.groups(groups, by, threshold)
        return group_curves(sliced, degree, threshold=threshold, exclude=exclude)

    whole = partial(overall_performance, source, threshold=threshold, exclude=exclude)
    thirds = cache(partial(source.groups, 3, "brier", threshold))
    at = thresholds or default_thresholds(threshold)
    made = DifficultyAnalyses(
        task=source.task,
        overall_accuracy=attempt("overall accuracy", partial(whole, "acc")),
        overall_brier=attempt("overall Brier score", partial(whole, "tc_brier")),
        by_brier=attempt(f"{groups} groups by Brier score", partial(pictured, "brier")),
        by_accuracy=attempt(f"{groups} groups by accuracy", partial(pictured, "accuracy")),
        sandwich=attempt(
            "Slice-and-Sandwich",
            lambda: slice_and_sandwich(thirds(), threshold, chance, exclude=exclude),
        ),
        degrees=attempt(
            "other degrees", lambda: degree_robustness(thirds(), threshold, chance, exclude=exclude)
        ),
        thresholds=attempt(
            "other thresholds", lambda: threshold_robustness(source, at, chance, exclude=exclude)
        ),
        worth=attempt(
            "worth of slicing", lambda: worth_of_slicing(thirds(), threshold, exclude=exclude)
        ),
    )
    parts = (made.overall_accuracy, made.by_brier, made.sandwich, made.thresholds)
    told = (note for part in parts if part is not None for note in part.notes)
    return replace(made, notes=unique((*told, *notes)))
