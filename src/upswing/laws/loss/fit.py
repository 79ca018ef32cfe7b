r"""Fit a loss law: the least of the usual objective, with bootstrap and covariance.

The usual recipe starts a quasi-Newton method from thousands of points. Here the linear part is
eliminated on a grid of exponents, and exact Newton steps improve a few dozen starts together; see
:mod:`upswing.laws.loss.search`. ``benchmarks/loss_laws.py`` lays the two beside each other.

References: Hoffmann et al. 2022, arXiv:2203.15556, approach 3; Besiroglu et al. 2024,
arXiv:2404.10102; Golub and Pereyra 1973, doi:10.1137/0710036 (variable projection).
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from upswing.errors import InputError
from upswing.laws.loss.bootstrap import FEWEST_MODELS, bootstrap_loss
from upswing.laws.loss.covariance import covariance
from upswing.laws.loss.criterion import Array, LossCriterion
from upswing.laws.loss.law import LossLaw
from upswing.laws.loss.objective import LossObjective
from upswing.laws.loss.points import SPAN, Checkpoints, LossPoints, loss_points
from upswing.laws.loss.result import LossFit
from upswing.laws.loss.search import search
from upswing.notes import Note

_LEAST_FALL = 1e-3
_FEW_FITTED = 0.9
_SCATTER = 0.02


def fit_loss_law(
    data: pl.DataFrame | LossPoints,
    form: str = "params",
    *,
    constant: bool = True,
    criterion: LossCriterion | None = None,
    resamples: int = 1000,
    seed: int = 0,
    family: str | None = None,
    checkpoints: Checkpoints | None = None,
    span: float = SPAN,
) -> LossFit:
    """Fit a loss law.

    Parameters
    ----------
    data
        Points, or a table of models; see :func:`~upswing.laws.loss.points.loss_points`.
    form
        ``params``, ``tokens``, ``flops`` or ``params-tokens``.
    constant
        Whether there is an irreducible loss E.
    criterion
        What is minimised; by default the Huber loss of log residuals with delta 1e-3.
    resamples, seed
        Of the bootstrap; 0 resamples for none.
    family, checkpoints
        What to take from a table.
    span
        Smallest ratio of the largest to the smallest scale; less is refused.

    Returns
    -------
    LossFit
        Refused, with a reason, where there are too few points, the scales span too little, or the
        loss does not fall with a scale.

    Raises
    ------
    InputError
        If the table is impossible, or ``resamples`` negative.

    Examples
    --------
    >>> params = np.geomspace(1e8, 1e10, 8)
    >>> table = pl.DataFrame({"params": params, "loss": 1.7 + 400.0 * params**-0.34})
    >>> fitted = fit_loss_law(table, resamples=0)
    >>> round(fitted.law.irreducible, 4), round(fitted.law.exponents[0], 4)
    (1.7, 0.34)
    """
    points = (
        data
        if isinstance(data, LossPoints)
        else loss_points(data, form, family=family, checkpoints=checkpoints)
    )
    if resamples < 0:
        raise InputError(f"{resamples} resamples", hint="0 for no bootstrap")
    criterion = criterion or LossCriterion()
    reason = points.reason(constant, span)
    if reason:
        return LossFit(None, reason, criterion, points, constant)
    objective = LossObjective(points.log_scale, points.loss, constant, criterion)
    theta, cost = search(objective)
    laws = objective.laws(theta[None], points.axes)
    reason = _not_falling(points, objective, theta)
    if reason:
        return LossFit(None, reason, criterion, points, constant)
    residual = objective.residual(theta[None])[0]
    notes = [*points.notes, *_scatter_note(objective, residual)]
    resampled = None
    if resamples:
        rng = np.random.default_rng(seed)
        resampled = bootstrap_loss(points, objective, theta, rng, resamples)
        notes += _bootstrap_notes(points, len(resampled), resamples)
    coefficients = tuple(
        math.exp(log) if log < 700.0 else math.inf for log in laws.log_coefficient[0].tolist()
    )
    law = LossLaw(
        points.axes, float(laws.irreducible[0]), coefficients, tuple(laws.exponent[0].tolist())
    )
    return LossFit(
        law,
        "",
        criterion,
        points,
        constant,
        laws,
        cost,
        residual,
        covariance(objective, theta),
        resampled,
        resamples,
        tuple(notes),
    )


def _not_falling(points: LossPoints, objective: LossObjective, theta: Array) -> str:
    """Say which scale the loss does not fall with; empty where it falls with all."""
    terms = np.exp(objective.logits(theta[None])[: objective.terms, 0])
    for k, axis in enumerate(points.axes):
        order = np.argsort(points.scales[axis])
        fall = float(terms[k, order[0]] - terms[k, order[-1]])
        if fall < _LEAST_FALL * float(points.loss.min()):
            return f"the loss does not fall with {axis}"
    return ""


def _scatter_note(objective: LossObjective, residual: Array) -> list[Note]:
    relative = residual if objective.criterion.residual == "log" else residual / objective.loss
    typical = float(np.median(np.abs(relative)))
    if typical <= _SCATTER:
        return []
    return [
        Note(
            "loss-law-misses",
            "warning",
            f"The loss law misses half of its own points by more than {100 * typical:.2g} %: they "
            "may be of several recipes, or of checkpoints early in training; try the last ones.",
        )
    ]


def _bootstrap_notes(points: LossPoints, fitted: int, resamples: int) -> list[Note]:
    notes = []
    models = int(points.model.max()) + 1
    if models < len(points) and models < FEWEST_MODELS:
        notes.append(
            Note(
                "checkpoints-not-independent",
                "warning",
                f"Single checkpoints of {models} models are resampled as if they were independent; "
                "the law's intervals are too narrow.",
            )
        )
    if fitted < _FEW_FITTED * resamples:
        notes.append(
            Note(
                "resamples-not-fitted",
                "warning",
                f"{resamples - fitted} of {resamples} resamples of the loss law have too few "
                "different scales or no falling loss; its intervals rest on the others.",
            )
        )
    return notes
