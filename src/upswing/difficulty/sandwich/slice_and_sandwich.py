r"""Slice-and-Sandwich: forecast accuracy beyond a threshold from the easy and the hard group.

The steps are in :mod:`.sandwich_fit`. Nothing depends on the name of a task; the thresholds and
chance levels that were published are in :data:`upswing.sources.wu_lo.TASKS`. Beyond the threshold
the published forecast can be far off, since a quintic is extrapolated; the errors stand beside
those of the baseline, of hard-lift and of trivial forecasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from upswing.difficulty.groups.groups import Array, DifficultyGroups, to_flops
from upswing.difficulty.sandwich.baseline import SigmoidBaseline, fit_baseline
from upswing.difficulty.sandwich.forecast_errors import (
    correlations,
    forecast_errors,
    trivial_forecasts,
)
from upswing.difficulty.sandwich.polynomial import possible_degree
from upswing.difficulty.sandwich.sandwich_data import SandwichData, sandwich_data
from upswing.difficulty.sandwich.sandwich_fit import (
    EASY_DEGREE,
    HARD_DEGREE,
    HardLiftFit,
    SandwichFit,
    clip_above,
    fit_hard_lift,
    fit_sandwich,
)
from upswing.errors import InputError
from upswing.notes import Note

_FORECASTS = (
    "easy_pred",
    "hard_pred",
    "score_pred",
    "score_hard_lift",
    "acc_pred",
    "acc_pred_clipped",
    "acc_hard_lift",
    "acc_hard_lift_clipped",
    "acc_baseline",
    "acc_oracle",
)
_MEASURED = ("acc", "score", "easy", "hard", "score_of_acc")

PREDICTIONS: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("model", "revision", "family"), pl.String),
    "flops": pl.Float64,
    "log10_flops": pl.Float64,
    "split": pl.String,
    **dict.fromkeys((*_MEASURED, *_FORECASTS), pl.Float64),
}
"""Columns of :attr:`Sandwich.predictions`. ``flops`` is training compute [FLOP], ``log10_flops``
log10 of it in 1e21 FLOP; ``split`` is train below the threshold and test from it on; ``score``,
``easy`` and ``hard`` are minus TC Brier scores of the task and of the two groups, ``score_of_acc``
is the link at the accuracy; the rest are forecasts, ``acc_…`` in units of accuracy."""


@dataclass(frozen=True, eq=False)
class Sandwich:
    """A forecast by Slice-and-Sandwich with all that it is made of.

    Attributes
    ----------
    task
        Name of the task.
    threshold
        log10 of training compute [1e21 FLOP]; models below it are trained on.
    chance
        Accuracy of a guess, for the baseline.
    data
        What was fitted.
    fit, hard_lift
        The forecast and its variant.
    baseline, oracle
        The published baseline, fitted to the training models and to all.
    predictions
        One row per model; see :data:`PREDICTIONS`.
    curves
        The same forecasts over an even grid of ``log10_flops``, for figures; ``split`` says which
        of it is extrapolated (``test``).
    errors
        Errors of all methods, trivial ones among them; see :data:`.forecast_errors.ERRORS`.
    correlations
        Of accuracy and minus Brier score, over ``all`` models and over ``train``.
    notes
        Remarks.
    """

    task: str
    threshold: float
    chance: float
    data: SandwichData
    fit: SandwichFit
    hard_lift: HardLiftFit
    baseline: SigmoidBaseline
    oracle: SigmoidBaseline
    predictions: pl.DataFrame
    curves: pl.DataFrame
    errors: pl.DataFrame
    correlations: pl.DataFrame
    notes: tuple[Note, ...] = ()

    def to_dict(self, *, clip: bool = False, hard_lift: bool = False) -> dict[str, object]:
        """Return link, errors and predictions as plain values.

        Parameters
        ----------
        clip
            Whether the predictions of both methods are clipped at 1.
        hard_lift
            Whether ``acc_pred`` is the forecast by hard-lift.
        """
        clipped = "_clipped" if clip else ""
        chosen = f"acc_hard_lift{clipped}" if hard_lift else f"acc_pred{clipped}"
        rows = self.predictions.select(
            *("model", "revision", "family", "log10_flops", "acc"),
            pl.col(chosen).alias("acc_pred"),
            pl.col(f"acc_hard_lift{clipped}").alias("acc_hard_lift"),
            *("acc_baseline", "acc_oracle", "split"),
        )
        link = self.fit.link
        return {
            "task": self.task,
            "threshold": self.threshold,
            "chance": self.chance,
            "easy_degree": self.fit.easy.degree,
            "hard_degree": self.fit.hard.degree,
            "link": {"intercept": link.intercept, "slope": link.slope, "r2": link.r2},
            "calibration_shift": self.fit.shift,
            "n_train": int(self.data.train.sum()),
            "n_test": int((~self.data.train).sum()),
            "mse": dict(self.errors.select("method", "mse").iter_rows()),
            "predictions": rows.to_dicts(),
        }


def slice_and_sandwich(
    groups: DifficultyGroups,
    threshold: float,
    chance: float | None = None,
    *,
    easy_degree: int | None = None,
    hard_degree: int | None = None,
    exclude: Sequence[str] | None = None,
) -> Sandwich:
    """Forecast accuracy from models below a threshold of compute.

    Parameters
    ----------
    groups
        Groups of questions, sorted by Brier score; the first and the last are used.
    threshold
        log10 of training compute [1e21 FLOP].
    chance
        Accuracy of a guess, in [0, 1); by default what the groups say.
    easy_degree, hard_degree
        Degrees of the two polynomials; by default 5 and 2, or less, with a warning, where there are
        too few models below the threshold.
    exclude
        Models to leave out; see :func:`~.sandwich_data.sandwich_data`.

    Returns
    -------
    Sandwich
        The forecast, the variant hard-lift, the baseline and the oracle.

    Raises
    ------
    InputError
        If chance is not known, or there are too few models below the threshold for the degrees.

    References
    ----------
    Wu and Lo 2025, "U-shaped and Inverted-U Scaling behind Emergent Abilities of Large Language
    Models", arXiv:2410.01692.
    """
    chance = known_chance(groups, chance)
    data = sandwich_data(groups, threshold, exclude)
    x, train = data.x, data.train
    easy, hard, lowered = _degrees(data, easy_degree, hard_degree)
    fit, hard_lift = fit_sandwich(data, easy, hard), fit_hard_lift(data, hard)
    baseline = fit_baseline(x[train], data.accuracy[train], chance)
    oracle = fit_baseline(x, data.accuracy, chance)

    def forecasts(at: Array) -> dict[str, Array]:
        acc, raised = fit.accuracy(at), hard_lift.accuracy(at)
        columns = (
            *(fit.easy(at), fit.hard(at), fit.score(at), hard_lift.score(at)),
            *(acc, clip_above(acc), raised, clip_above(raised), baseline(at), oracle(at)),
        )
        return dict(zip(_FORECASTS, columns, strict=True))

    predicted = forecasts(x)
    columns = (
        *(data.accuracy, data.score, data.easy, data.hard, fit.link.score(data.accuracy)),
        *predicted.values(),
    )
    table = data.models.with_columns(
        pl.Series("flops", data.flops),
        pl.Series("log10_flops", x),
        pl.Series("split", data.split),
        *(pl.Series(n, v) for n, v in zip((*_MEASURED, *_FORECASTS), columns, strict=True)),
    )
    judged = {
        "sandwich": predicted["acc_pred"],
        "sandwich_clipped": predicted["acc_pred_clipped"],
        "hard_lift": predicted["acc_hard_lift"],
        "hard_lift_clipped": predicted["acc_hard_lift_clipped"],
        "baseline": predicted["acc_baseline"],
        "oracle": predicted["acc_oracle"],
        **trivial_forecasts(data.accuracy, train, chance),
    }
    grid = data.grid()
    parts = np.where(grid < threshold, "train", "test")
    over = {"flops": to_flops(grid), "log10_flops": grid, "split": parts}
    together = [
        {"models": name, **correlations(data.accuracy[mask], data.score[mask])}
        for name, mask in (("all", np.full(len(x), True)), ("train", train))
    ]
    return Sandwich(
        groups.task,
        threshold,
        chance,
        data,
        fit,
        hard_lift,
        baseline,
        oracle,
        table.select(pl.col(name).cast(dtype) for name, dtype in PREDICTIONS.items()),
        pl.DataFrame({**over, **forecasts(grid)}),
        forecast_errors(data.accuracy, judged, ~train),
        pl.DataFrame(together),
        (*groups.notes, *data.notes, *lowered),
    )


def _degrees(
    data: SandwichData, easy: int | None, hard: int | None
) -> tuple[int, int, tuple[Note, ...]]:
    """Return the degrees, lowered where nobody asked for them and there are too few models."""
    x = data.x[data.train]
    chosen = (
        possible_degree(x, EASY_DEGREE) if easy is None else easy,
        possible_degree(x, HARD_DEGREE) if hard is None else hard,
    )
    wanted = (EASY_DEGREE if easy is None else easy, HARD_DEGREE if hard is None else hard)
    if chosen == wanted:
        return *chosen, ()
    text = (
        f"{len(np.unique(x))} different scales below the threshold are too few for polynomials of "
        f"degree {wanted[0]} and {wanted[1]}; degrees {chosen[0]} and {chosen[1]} are fitted."
    )
    return *chosen, (Note("degree-lowered", "warning", text, {"degrees": chosen}),)


def known_chance(groups: DifficultyGroups, chance: float | None) -> float:
    """Return the accuracy of a guess: the one given, or the one that the groups know.

    Raises
    ------
    InputError
        If neither is there, or it is not in [0, 1).
    """
    known = groups.chance if chance is None else chance
    if known is None:
        raise InputError(
            f"the accuracy of a guess on {groups.task} is not known",
            hint="give it: --chance 0.25 where every question has four options",
        )
    if not 0.0 <= known < 1.0:
        raise InputError(
            f"the accuracy of a guess is {known:g} and must lie in [0, 1)",
            hint="0.25 where every question has four options",
        )
    return known
