r"""What a smaller test would have shown: subsamples of the questions that models did answer.

For n = 10, 30, 100, ... questions are drawn without replacement, the same for all models, and the
curve is scored again: how often a model then has no success at all (by the binomial
:math:`(1-A)^n`), what the emergence score is, and whether the onset is found where all questions
put it.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, figure 4 (the procedure is ours).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.detection.curve_draws import ScaleAxis, scale_axis_of
from upswing.detection.emergence_score import emergence_scores
from upswing.detection.gain import DELTA_SHARE
from upswing.detection.item_matrix import ItemMatrix, Layer
from upswing.detection.onset import ALPHA, onset_index
from upswing.detection.significance import holm, p_above
from upswing.errors import InputError, UnknownNameError

Array = npt.NDArray[np.float64]

SIZES = (10, 30, 100, 300, 1000, 3000, 10_000)
"""Subsamples that are drawn where nobody names any, as far as there are questions."""

DRAWS = 1000
CUTOFFS = (20, 50, 100)
"""Emergence scores at which curves are counted."""

_CELLS = 4_000_000
_QUANTILES = {"score_p05": 0.05, "score_median": 0.5, "score_p95": 0.95}


class Subsampling(NamedTuple):
    """Curves on subsamples of the questions.

    Attributes
    ----------
    by_model
        One row per number of questions and scale: ``n``, ``draws``, ``point``, ``x``, ``answers``
        (more than n where models share a scale), ``value`` (score on all questions), and for a
        metric that is a share of right answers ``share_zero`` (of subsamples without a success),
        ``expected_zero``, :math:`(1-A)^n`, and ``pool_zero``, the same for draws without
        replacement; null for other metrics.
    by_size
        One row per number of questions: ``n``, ``draws``, ``score_p05``, ``score_median``,
        ``score_p95`` (null where infinite), ``share_infinite`` (of scores of plus infinity),
        ``share_over_20``, ``share_over_50``, ``share_over_100``, ``onset`` (on all questions),
        ``share_same_onset`` and ``share_no_onset``; the last three are null where the onset's test
        needs what the metric does not have.
    """

    by_model: pl.DataFrame
    by_size: pl.DataFrame


def subsampling(
    matrix: ItemMatrix,
    metric: str,
    rng: np.random.Generator,
    sizes: Sequence[int] | None = None,
    draws: int = DRAWS,
) -> Subsampling:
    """Score an evaluation again on subsamples of its questions.

    Subsamples of different sizes are nested: a draw is one random order of the questions.

    Parameters
    ----------
    matrix
        All models' answers to the questions that all of them answered.
    metric
        Name of one of its metrics.
    rng
        Source of randomness.
    sizes
        Numbers of questions; those of :data:`SIZES` that there are, and all, by default.
    draws
        Subsamples of each size. All questions are one subsample.

    Raises
    ------
    UnknownNameError
        If the matrix does not have the metric.
    InputError
        If there is no question, or a size is not between 1 and their number.
    """
    layer = matrix.layer(metric)
    total = len(matrix.items)
    if layer is None:
        have = ", ".join(one.metric.name for one in matrix.layers)
        raise UnknownNameError(f"no answers under {metric!r}", hint=f"there are {have}")
    if not total:
        raise InputError("there is no question that all models answered")
    chosen = sorted({*(s for s in SIZES if s < total), total} if sizes is None else set(sizes))
    if not chosen or chosen[0] < 1 or chosen[-1] > total:
        raise InputError(f"sizes must lie between 1 and the {total} questions")
    scales = scale_axis_of(matrix)
    models = np.bincount(scales.column, minlength=len(scales.points)).astype(float)
    member = np.eye(len(scales.points))[scales.column]
    pooled = np.einsum("qmj,ms->qsj", layer.statistics, member, optimize=True)
    whole = layer.score(pooled.sum(axis=0), total * models)
    onset = _onsets(layer, whole[None], total * models, matrix.clustered)
    by_model, by_size = [], []
    parts = {size: np.empty((0, len(models))) for size in chosen}
    for rank in _orders(total, draws, rng):
        for size in chosen:
            scores = layer.score(_subsums(rank, size, pooled), size * models)
            parts[size] = np.concatenate([parts[size], scores])
    for size in chosen:
        # every draw of all questions is the same one
        scores = parts[size][:1] if size == total else parts[size]
        by_model.append(_by_model(layer, scales, whole, scores, size, total, models))
        by_size.append(
            {"n": size, "draws": len(scores)}
            | _scores(scores if layer.metric.higher_is_better else -scores)
            | _same_onset(layer, scores, size * models, onset, matrix.clustered, scales)
        )
    schema = {name: pl.Float64 for name in by_size[0] if name not in ("n", "draws")}
    return Subsampling(pl.concat(by_model), pl.DataFrame(by_size, schema_overrides=schema))


def _orders(total: int, draws: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.intp]]:
    """Yield the rank of every question in random orders, shape (some draws, n_questions)."""
    at_a_time = max(1, _CELLS // total)
    for start in range(0, draws, at_a_time):
        yield rng.random((min(at_a_time, draws - start), total)).argsort(axis=1)


def _subsums(rank: npt.NDArray[np.intp], size: int, pooled: Array) -> Array:
    """Return sums over the first questions of each order: (draws, n_scales, m)."""
    columns = pooled.reshape(len(pooled), -1)
    return np.asarray((rank < size).astype(float) @ columns).reshape(-1, *pooled.shape[1:])


def _by_model(
    layer: Layer,
    scales: ScaleAxis,
    whole: Array,
    scores: Array,
    size: int,
    total: int,
    models: Array,
) -> pl.DataFrame:
    count = len(models)
    nothing: list[float | None] = [None] * count
    zero, expected, pool = nothing, nothing, nothing
    if layer.metric.proportion:
        zero = (scores < 1e-12).mean(axis=0).tolist()
        expected = ((1.0 - whole) ** (size * models)).tolist()
        pool = _pool_zero(layer, scales, size, total).tolist()
    x = pl.Series(scales.x, dtype=pl.Float64)
    return pl.DataFrame(
        {
            "n": pl.Series([size] * count, dtype=pl.Int64),
            "draws": pl.Series([len(scores)] * count, dtype=pl.Int64),
            "point": list(scales.points),
            "x": x.fill_nan(None),
            "answers": (size * models).astype(np.int64),
            "value": whole,
            "share_zero": pl.Series(zero, dtype=pl.Float64),
            "expected_zero": pl.Series(expected, dtype=pl.Float64),
            "pool_zero": pl.Series(pool, dtype=pl.Float64),
        }
    )


def _pool_zero(layer: Layer, scales: ScaleAxis, size: int, total: int) -> Array:
    """Return the probability that a draw has none of the questions with a success."""
    from scipy.special import gammaln

    solved = np.stack(
        [
            (layer.values[:, scales.column == i] > 0).any(axis=1).sum()
            for i in range(len(scales.points))
        ]
    ).astype(float)
    left = np.maximum(total - solved - size, 0.0)
    log = (
        gammaln(total - solved + 1) - gammaln(left + 1) - gammaln(total + 1)
        + gammaln(total - size + 1)
    )  # fmt: skip
    return np.asarray(np.where(solved + size <= total, np.exp(log), 0.0))


def _scores(oriented: Array) -> dict[str, object]:
    if oriented.shape[1] < 3:
        return dict.fromkeys(
            (*_QUANTILES, "share_infinite", *(f"share_over_{c}" for c in CUTOFFS)), None
        )
    scores = emergence_scores(oriented)
    quantiles = np.quantile(scores, list(_QUANTILES.values()), method="inverted_cdf")
    found: dict[str, object] = {
        name: float(value) if np.isfinite(value) else None
        for name, value in zip(_QUANTILES, quantiles, strict=True)
    }
    found["share_infinite"] = float(np.isposinf(scores).mean())
    return found | {f"share_over_{c}": float((scores > c).mean()) for c in CUTOFFS}


def _onsets(
    layer: Layer, scores: Array, answers: Array, clustered: bool
) -> npt.NDArray[np.intp] | None:
    """Return the index of the onset of each curve; None where the exact test does not hold."""
    chance = float(layer.chance.mean())
    if not layer.metric.proportion or clustered or not 0.0 <= chance < 1.0:
        return None
    p = p_above(scores, answers, chance + DELTA_SHARE * (1.0 - chance))
    return onset_index(holm(p), ALPHA)


def _same_onset(
    layer: Layer,
    scores: Array,
    answers: Array,
    onset: npt.NDArray[np.intp] | None,
    clustered: bool,
    scales: ScaleAxis,
) -> dict[str, object]:
    found = _onsets(layer, scores, answers, clustered)
    if onset is None or found is None:
        return {"onset": None, "share_same_onset": None, "share_no_onset": None}
    index, none = int(onset[0]), len(scales.points)
    at = float(scales.x[index]) if index < none and scales.known else None
    return {
        "onset": at,
        "share_same_onset": float((found == index).mean()),
        "share_no_onset": float((found == none).mean()),
    }
