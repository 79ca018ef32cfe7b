"""Slice-and-Sandwich under other degrees of its polynomials."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from upswing.difficulty.groups.groups import DifficultyGroups
from upswing.difficulty.sandwich.polynomial import condition_number, fit_polynomial
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
from upswing.difficulty.sandwich.sandwich_data import sandwich_data
from upswing.difficulty.sandwich.slice_and_sandwich import known_chance

EASY_DEGREES = (3, 5, 7)
HARD_DEGREES = (2, 4, 6)


def degree_robustness(
    groups: DifficultyGroups,
    threshold: float,
    chance: float | None = None,
    *,
    easy_degrees: Sequence[int] | None = None,
    hard_degrees: Sequence[int] | None = None,
    exclude: Sequence[str] | None = None,
) -> Robustness:
    """Forecast with every pair of degrees.

    Parameters
    ----------
    groups, threshold, chance, exclude
        As in :func:`~.slice_and_sandwich.slice_and_sandwich`.
    easy_degrees, hard_degrees
        Degrees of the polynomials of the easy and of the hard group; by default 3, 5, 7 and 2, 4,
        6, as far as there are models enough.

    Raises
    ------
    InputError
        If there are too few models below the threshold.
    """
    chance = known_chance(groups, chance)
    data = sandwich_data(groups, threshold, exclude)
    easy_degrees = chosen_degrees(data, easy_degrees, EASY_DEGREES)
    hard_degrees = chosen_degrees(data, hard_degrees, HARD_DEGREES)
    rows = [
        row
        for easy in easy_degrees
        for hard in hard_degrees
        for row in sandwich_rows(data, easy, hard, (True,))
    ]
    fits: list[dict[str, object]] = []
    lines: list[Line] = []
    x, train = data.x, data.train
    grid = data.grid()
    for group, score, degrees in (
        ("easy", data.easy, easy_degrees),
        ("hard", data.hard, hard_degrees),
    ):
        for degree in degrees:
            fitted = fit_polynomial(x[train], score[train], degree)
            wrong = (fitted(x) - score) ** 2
            fits.append(
                {
                    "group": group,
                    "degree": degree,
                    "r2_train": float(fitted.r2),
                    "mse_train": float(wrong[train].mean()),
                    "mse_test": None if train.all() else float(wrong[~train].mean()),
                    "condition": condition_number(x[train], degree),
                }
            )
            lines.append(Line(threshold, group, degree, grid, fitted(grid)))
    return Robustness(
        groups.task,
        "degrees",
        pl.DataFrame([*rows, *baseline_rows(data, chance)], schema=FORECASTS),
        pl.DataFrame(fits, schema=FITS),
        link_table([data]),
        line_table(lines),
        pl.concat([mark_table(data, "easy", data.easy), mark_table(data, "hard", data.hard)]),
        (*groups.notes, *data.notes),
    )
