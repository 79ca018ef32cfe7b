"""The tables of a study of robustness: forecasts under several settings, their errors, lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from upswing.difficulty.groups.groups import Array, to_flops
from upswing.difficulty.sandwich.baseline import fit_baseline
from upswing.difficulty.sandwich.link import fit_link
from upswing.difficulty.sandwich.polynomial import possible_degree
from upswing.difficulty.sandwich.sandwich_data import SandwichData
from upswing.difficulty.sandwich.sandwich_fit import clip_above, fit_sandwich
from upswing.errors import InputError
from upswing.notes import Note

FORECASTS: dict[str, type[pl.DataType]] = {
    "threshold": pl.Float64,
    "method": pl.String,
    "easy_degree": pl.Int64,
    "hard_degree": pl.Int64,
    "calibrated": pl.Boolean,
    "clip": pl.String,
    "mse": pl.Float64,
    "n_train": pl.Int64,
    "n_test": pl.Int64,
}
"""Mean squared error of accuracy at and beyond the ``threshold`` (log10 of training compute in 1e21
FLOP); null without test models. ``clip`` is none, above (at 1, as published) or both (to 0 and 1);
``method`` is sandwich, baseline or oracle, and the last two have no degrees."""

FITS: dict[str, type[pl.DataType]] = {
    "group": pl.String,
    "degree": pl.Int64,
    "r2_train": pl.Float64,
    "mse_train": pl.Float64,
    "mse_test": pl.Float64,
    "condition": pl.Float64,
}
"""Polynomials of the easy and the hard group: errors are of the TC Brier score; ``condition`` is
the condition number of the matrix of powers."""

LINES: dict[str, type[pl.DataType]] = {
    "threshold": pl.Float64,
    "group": pl.String,
    "degree": pl.Int64,
    "flops": pl.Float64,
    "log10_flops": pl.Float64,
    "value": pl.Float64,
    "split": pl.String,
}
"""Forecasts over an even grid, for figures: of minus the TC Brier score of the ``easy`` and the
``hard`` group, or of the accuracy of the ``task`` (``degree`` is then that of the easy group)."""

MARKS: dict[str, type[pl.DataType]] = {
    "threshold": pl.Float64,
    "threshold_flops": pl.Float64,
    "group": pl.String,
    "model": pl.String,
    "flops": pl.Float64,
    "log10_flops": pl.Float64,
    "value": pl.Float64,
    "split": pl.String,
}
"""What is there to be forecast: one row per threshold, model and group (or the ``task``)."""

_CLIPS: dict[str, Callable[[Array], Array]] = {
    "none": lambda accuracy: accuracy,
    "above": clip_above,
    "both": lambda accuracy: np.clip(accuracy, 0.0, 1.0),
}


@dataclass(frozen=True, eq=False)
class Robustness:
    """The forecast of one task under several settings.

    Attributes
    ----------
    task
        Name of the task.
    over
        ``degrees`` or ``thresholds``.
    forecasts
        Errors of accuracy; see :data:`FORECASTS`.
    fits
        Polynomials of the groups; see :data:`FITS`. Empty for thresholds.
    links
        The link at each threshold: ``threshold``, ``intercept``, ``slope``, ``r2``.
    lines, marks
        What a figure draws; see :data:`LINES` and :data:`MARKS`.
    notes
        Remarks.
    """

    task: str
    over: str
    forecasts: pl.DataFrame
    fits: pl.DataFrame
    links: pl.DataFrame
    lines: pl.DataFrame
    marks: pl.DataFrame
    notes: tuple[Note, ...] = ()


def chosen_degrees(
    data: SandwichData, degrees: Sequence[int] | None, default: Sequence[int]
) -> list[int]:
    """Return the degrees asked for, else those of the default that the training models allow.

    Raises
    ------
    InputError
        If none was asked for.
    """
    if degrees is None:
        return sorted({possible_degree(data.x[data.train], degree) for degree in default})
    if not degrees:
        raise InputError("no degree of a polynomial was given", hint="give one or more")
    return list(degrees)


def sandwich_rows(
    data: SandwichData, easy: int, hard: int, calibrated: Sequence[bool]
) -> list[dict[str, object]]:
    """Return the errors of Slice-and-Sandwich, one row per calibration and clip."""
    rows = []
    for calibrate in calibrated:
        accuracy = fit_sandwich(data, easy, hard, calibrate=calibrate).accuracy(data.x)
        settings = {"easy_degree": easy, "hard_degree": hard, "calibrated": calibrate}
        rows += [
            _row(data, "sandwich", clipped(accuracy), clip=clip, **settings)
            for clip, clipped in _CLIPS.items()
        ]
    return rows


def baseline_rows(data: SandwichData, chance: float) -> list[dict[str, object]]:
    """Return the errors of the baseline and of the oracle."""
    x, train = data.x, data.train
    fits = {
        "baseline": fit_baseline(x[train], data.accuracy[train], chance),
        "oracle": fit_baseline(x, data.accuracy, chance),
    }
    return [_row(data, method, fit(x), clip="none") for method, fit in fits.items()]


def _row(data: SandwichData, method: str, accuracy: Array, **more: object) -> dict[str, object]:
    train = data.train
    wrong = (accuracy - data.accuracy)[~train] ** 2
    return {
        "threshold": data.threshold,
        "method": method,
        "easy_degree": None,
        "hard_degree": None,
        "calibrated": None,
        **more,
        "mse": float(wrong.mean()) if len(wrong) else None,
        "n_train": int(train.sum()),
        "n_test": len(wrong),
    }


def link_table(every: Sequence[SandwichData]) -> pl.DataFrame:
    """Return the link at each threshold; see :attr:`Robustness.links`."""
    fits = [
        (data.threshold, fit_link(data.accuracy[data.train], data.score[data.train]))
        for data in every
    ]
    return pl.DataFrame(
        {
            "threshold": [threshold for threshold, _ in fits],
            "intercept": [link.intercept for _, link in fits],
            "slope": [link.slope for _, link in fits],
            "r2": [link.r2 for _, link in fits],
        }
    )


class Line(NamedTuple):
    """A row of :data:`LINES` before its grid and values are spread over rows."""

    threshold: float
    group: str
    degree: int
    log10_flops: Array
    value: Array


def line_table(lines: Sequence[Line]) -> pl.DataFrame:
    """Return lines point by point; see :data:`LINES`."""
    frame = pl.DataFrame(
        {
            "threshold": [line.threshold for line in lines],
            "group": [line.group for line in lines],
            "degree": [line.degree for line in lines],
            "log10_flops": [pl.Series(line.log10_flops) for line in lines],
            "value": [pl.Series(line.value) for line in lines],
        }
    ).explode("log10_flops", "value")
    beyond = pl.col("log10_flops") >= pl.col("threshold")
    frame = frame.with_columns(
        pl.Series("flops", to_flops(frame["log10_flops"].to_numpy())),
        pl.when(beyond).then(pl.lit("test")).otherwise(pl.lit("train")).alias("split"),
    )
    return frame.select(pl.col(name).cast(dtype) for name, dtype in LINES.items())


def mark_table(data: SandwichData, group: str, value: Array) -> pl.DataFrame:
    """Return what is to be forecast; see :data:`MARKS`."""
    columns = {
        "threshold": data.threshold,
        "threshold_flops": float(to_flops(data.threshold)),
        "group": group,
        "model": data.models["model"],
        "flops": data.flops,
        "log10_flops": data.x,
        "value": value,
        "split": data.split,
    }
    return pl.DataFrame(columns, schema=MARKS)
