"""First prediction: exact match jumps where the edit distance of the same answers is smooth.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, section 4 (which shows it; the test is ours).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.curves.curve import Axis
from upswing.detection.curve_draws import curve_draws, scale_axis_of
from upswing.detection.emergence_score import describe_emergence_score, emergence_scores
from upswing.detection.evaluations import evaluations
from upswing.detection.gain import DELTA_SHARE
from upswing.detection.item_matrix import ItemMatrix
from upswing.detection.onset import ALPHA, onset_index
from upswing.detection.significance import holm, p_above
from upswing.tables.bundle import Tables

Array = npt.NDArray[np.float64]

NAME = "metric change"
JUMPING = "exact_match"
SMOOTH = "character_edit_distance_norm"
METRICS = (JUMPING, SMOOTH, "target_logprob_per_token")

CUTOFF = 100.0
"""Emergence score above which a curve counts as a jump."""

SURE = 0.95
"""Share of bootstrap draws that decides."""

_DRAWS = 1000
_TAILS = (0.025, 0.975)


def metric_change(
    tables: Tables,
    tasks: Sequence[str],
    rng: np.random.Generator,
    axes: Sequence[Axis] = ("params", "tokens"),
    draws: int = _DRAWS,
) -> pl.DataFrame:
    """Compare exact match with edit distance, curve by curve.

    A curve is testable where exact match has an onset. It confirms the prediction where its
    emergence score exceeds that of the edit distance in 95 % of the draws of a bootstrap over
    questions (equal ones count half) and the latter is at most 100; it contradicts it where either
    is turned round.

    Parameters
    ----------
    tables
        With items that hold outputs, targets and log-likelihoods.
    tasks
        Names of tasks.
    rng
        Source of randomness.
    axes
        Over ``params`` the last checkpoints of a family; over ``tokens`` those of each model.
    draws
        Bootstrap draws.

    Returns
    -------
    polars.DataFrame
        One row per curve: ``prediction``, ``task``, ``axis``, ``family``, ``model`` (null over
        params), ``n``, ``scales``, ``first``, ``best`` and ``onset`` of exact match, per metric
        ``score_METRIC`` (oriented emergence score, null where infinite) and ``status_METRIC``,
        ``share_sharper``, ``progress``, the share of the edit distance's improvement made before
        the onset, with ``progress_low`` and ``progress_high``, ``verdict`` (``confirmed``,
        ``not confirmed``, ``undecided``, ``untestable``) and ``reason``.
    """
    rows = []
    for axis in axes:
        for task in tasks:
            for one in evaluations(tables, axis, task=task):
                if one.rows["output"].is_null().all():
                    continue
                row = _row(one.matrix(METRICS), draws, rng)
                rows.append({"prediction": NAME, "axis": axis} | row)
    return pl.DataFrame(rows, infer_schema_length=None)


def _row(matrix: ItemMatrix, draws: int, rng: np.random.Generator) -> dict[str, Any]:
    scales = scale_axis_of(matrix)
    drawn = curve_draws(matrix, scales, draws, rng)
    curves = {
        layer.metric.name: drawn.scores[:, k] * (1.0 if layer.metric.higher_is_better else -1.0)
        for k, layer in enumerate(matrix.layers)
    }
    exact, distance = curves[JUMPING], curves[SMOOTH]
    layer = matrix.layer(JUMPING)
    chance = float(layer.chance.mean()) if layer is not None else 0.0
    p = p_above(exact[0], drawn.answers, chance + DELTA_SHARE * (1.0 - chance))
    onset = int(onset_index(holm(p), ALPHA))
    found = {name: describe_emergence_score(curve[0]) for name, curve in curves.items()}
    jumps, smooths = emergence_scores(exact[1:]), emergence_scores(distance[1:])
    sharper = float(np.mean(jumps > smooths) + 0.5 * np.mean(jumps == smooths))
    verdict, reason = _verdict(onset < exact.shape[1], sharper, found[SMOOTH].score)
    return {
        "task": matrix.evaluation.task,
        "family": matrix.evaluation.family,
        "model": matrix.evaluation.model,
        "n": len(matrix.items),
        "scales": exact.shape[1],
        "first": float(exact[0, 0]),
        "best": float(exact[0].max()),
        "onset": float(scales.x[onset]) if onset < exact.shape[1] else None,
        **{
            f"score_{name}": score.score if np.isfinite(score.score) else None
            for name, score in found.items()
        },
        **{f"status_{name}": score.status for name, score in found.items()},
        "share_sharper": sharper,
        **_progress(distance, onset),
        "verdict": verdict,
        "reason": reason,
    }


def _verdict(jumps: bool, sharper: float, smooth_score: float) -> tuple[str, str]:
    if not jumps:
        return "untestable", "exact match has no onset"
    if smooth_score > CUTOFF:
        return "not confirmed", "the edit distance jumps too"
    if sharper >= SURE:
        return "confirmed", "exact match is sharper"
    if sharper <= 1.0 - SURE:
        return "not confirmed", "the edit distance is sharper"
    return "undecided", "neither is sharper in 95 % of the draws"


def _progress(distance: Array, onset: int) -> dict[str, float | None]:
    """Return how much of the improvement is made at the last scale before the onset."""
    names = ("progress", "progress_low", "progress_high")
    if not 0 < onset < distance.shape[1]:
        return dict.fromkeys(names)
    whole = distance.max(axis=1) - distance[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (distance[:, onset - 1] - distance[:, 0]) / whole
    if not np.isfinite(share).all():
        return dict.fromkeys(names)
    low, high = np.quantile(share[1:], _TAILS)
    return dict(zip(names, (float(share[0]), float(low), float(high)), strict=True))
