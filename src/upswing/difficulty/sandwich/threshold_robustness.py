"""Slice-and-Sandwich under other thresholds, the questions sorted anew for each."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from upswing.difficulty.groups.source import GroupSource
from upswing.difficulty.sandwich.robustness import (
    FITS,
    FORECASTS,
    Line,
    Robustness,
    baseline_rows,
    chosen_degrees,
    line_table,
    link_table,
    mark_table,
    sandwich_rows,
)
from upswing.difficulty.sandwich.sandwich_data import SandwichData, sandwich_data
from upswing.difficulty.sandwich.sandwich_fit import HARD_DEGREE, fit_sandwich
from upswing.difficulty.sandwich.slice_and_sandwich import known_chance
from upswing.errors import InputError
from upswing.notes import Note, unique

THRESHOLD_DEGREES = (3, 5)


def default_thresholds(threshold: float) -> tuple[float, ...]:
    """Return the threshold and those .2 and .4 decades below it, as published.

    >>> default_thresholds(1.5)
    (1.5, 1.3, 1.1)
    """
    return tuple(round(threshold - step, 6) for step in (0.0, 0.2, 0.4))


def threshold_robustness(
    source: GroupSource,
    thresholds: Sequence[float],
    chance: float | None = None,
    *,
    easy_degrees: Sequence[int] | None = None,
    hard_degrees: Sequence[int] | None = None,
    exclude: Sequence[str] | None = None,
) -> Robustness:
    """Forecast from models below several thresholds, the questions sorted anew for each.

    Parameters
    ----------
    source
        The task; of published tables, one per threshold has to be there.
    thresholds
        log10 of training compute [1e21 FLOP].
    chance, exclude
        As in :func:`~.slice_and_sandwich.slice_and_sandwich`.
    easy_degrees, hard_degrees
        Degrees of the polynomials; by default 3 and 5, and 2, as far as there are models enough.
        Lines are drawn with the first degree of the hard group.

    Returns
    -------
    Robustness
        Forecasts with and without the calibration, which the published study of thresholds leaves
        out.

    Raises
    ------
    InputError
        If no threshold or degree is given, the groups of a threshold are missing, or there are too
        few models below it.
    """
    rows: list[dict[str, object]] = []
    lines: list[Line] = []
    marks: list[pl.DataFrame] = []
    every: list[SandwichData] = []
    notes: list[Note] = []
    if not len(thresholds):
        raise InputError("no threshold was given", hint="give one or more")
    for threshold in map(float, thresholds):
        groups = source.groups(3, "brier", threshold)
        data = sandwich_data(groups, threshold, exclude)
        grid = data.grid()
        easies = chosen_degrees(data, easy_degrees, THRESHOLD_DEGREES)
        hards = chosen_degrees(data, hard_degrees, (HARD_DEGREE,))
        for degree in easies:
            for hard in hards:
                rows += sandwich_rows(data, degree, hard, (False, True))
            plain = fit_sandwich(data, degree, hards[0], calibrate=False)
            lines.append(Line(threshold, "task", degree, grid, plain.accuracy(grid)))
        rows += baseline_rows(data, known_chance(groups, chance))
        marks.append(mark_table(data, "task", data.accuracy))
        every.append(data)
        notes += [*groups.notes, *data.notes]
    return Robustness(
        source.task,
        "thresholds",
        pl.DataFrame(rows, schema=FORECASTS),
        pl.DataFrame(schema=FITS),
        link_table(every),
        line_table(lines),
        pl.concat(marks),
        unique(notes),
    )
