r"""Emergence scores that chance gives: how many curves would pass a cut-off if nothing emerged.

The paper looks at thousands of curves and corrects for none of them. Here every curve is drawn
again with its own scales and its own number of questions under two nulls:

``flat``
    every score is the curve's mean; what noise alone does;
``smooth``
    the score follows the smooth form that fits it best: :math:`p^L` on a power law of loss or a
    logistic, as steep as ``docs/verdict.md`` lets a smooth curve be, from a base anywhere in
    [0, 1]. This is the paper's own null: every ability rises smoothly, and the metric and the few
    questions do the rest. A form that only had to be monotone would fit a jump exactly, so it would
    be no null.

The only noise is that of the questions: binomial for a share of independent questions, else normal
with the known standard error. Two things are left out, and they pull apart: models differ by more
than their questions explain, which makes steps larger and scores smaller; and all scales answer the
same questions, so that weak models often give the same answers, which makes steps of exactly 0 more
frequent than here. A smooth form rises or stays; a curve that falls is drawn around a level.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, which names the lack of a correction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from upswing.curves.curve import Curve
from upswing.detection.emergence_score import emergence_scores
from upswing.detection.evidence import FEWEST_SCALES
from upswing.detection.gain import gain_of
from upswing.laws import logistic, power_exponential
from upswing.laws.design import LOWEST_BASE, Design, make_design, steepest_on_compute
from upswing.laws.form import Form, grid_form
from upswing.laws.grid import fit_weighted

Array = npt.NDArray[np.float64]

NULLS = ("flat", "smooth")

_DRAWN = 100_000
_FEWEST_DRAWS, _MOST_DRAWS = 30, 1000
_BASES, _SLOPES, _MIDPOINTS = 15, 4, 24


@dataclass(frozen=True, eq=False)
class NullScores:
    """Emergence scores of redrawn curves, oriented so that positive is better.

    Attributes
    ----------
    curves
        Which curves could be drawn: those with at least three scales whose noise is known, shape
        (n_drawn,).
    scores
        By null: shape (n_drawn, draws); infinite values stay infinite.
    draws
        Times that each curve was drawn.
    """

    curves: npt.NDArray[np.intp]
    scores: dict[str, Array]
    draws: int


@dataclass(frozen=True, eq=False)
class _Noisy:
    """A curve as gains, without regard to chance: 0 is the worst score, 1 the best."""

    y: Array
    n: Array
    stderr: Array
    exact: bool


def null_scores(
    curves: Sequence[Curve], rng: np.random.Generator, draws: int | None = None
) -> NullScores:
    """Draw every curve anew under both nulls and score it.

    Parameters
    ----------
    curves
        The curves.
    rng
        Source of randomness.
    draws
        Times that each curve is drawn; by default so that about 100,000 are drawn under each null,
        but at least 30 and at most 1,000 times.
    """
    noisy = {i: found for i, curve in enumerate(curves) if (found := _noisy(curve)) is not None}
    places = np.array(sorted(noisy), dtype=np.intp)
    count = draws or int(np.clip(_DRAWN // max(len(places), 1), _FEWEST_DRAWS, _MOST_DRAWS))
    row = {int(i): k for k, i in enumerate(places)}
    scores = {name: np.empty((len(places), count)) for name in NULLS}
    groups: dict[tuple[bytes, str, float | None], list[int]] = {}
    for i in places:
        curve = curves[i]
        points = (curve.x.tobytes(), curve.axis, curve.params_slope)
        groups.setdefault(points, []).append(int(i))
    for members in groups.values():
        chosen = [noisy[i] for i in members]
        forms = _forms(curves[members[0]])
        rows = [row[i] for i in members]
        for name, mean in (("flat", _level(chosen)), ("smooth", _smooth(forms, chosen))):
            drawn = _drawn(mean, chosen, count, rng)
            scores[name][rows] = emergence_scores(drawn.transpose(0, 2, 1))
    return NullScores(places, scores, count)


def _noisy(curve: Curve) -> _Noisy | None:
    if len(curve) < FEWEST_SCALES or curve.lowest is None or curve.highest is None:
        return None
    worst = curve.lowest if curve.higher_is_better else curve.highest
    n, stderr = np.asarray(curve.n, dtype=float), np.asarray(curve.stderr, dtype=float)
    if curve.proportion and not curve.clustered:
        if not np.isfinite(n).all():
            return None
        y = (curve.y - worst) / (curve.highest - curve.lowest)
        return _Noisy(y if curve.higher_is_better else -y, n, stderr, True)
    if not np.isfinite(stderr).all():
        return None
    gain = gain_of(replace(curve, chance=worst))
    return None if gain is None else _Noisy(gain.y, gain.n, gain.stderr, False)


def _forms(curve: Curve) -> list[Form]:
    """Return the smooth forms at the points of a curve, from a base anywhere in [0, 1]."""
    bound = None if curve.params_slope is None else steepest_on_compute(curve.params_slope)
    design = make_design(curve.x, curve.axis, 0.5, 0.5, bound)
    found = [_form(logistic.NAME, design, design.logistic_slope, logistic.evaluate)]
    if design.power_slope is not None:
        law = power_exponential
        found.append(_form(law.NAME, design, design.power_slope, law.evaluate))
    return found


def _form(
    name: str, design: Design, steepest: float, evaluate: Callable[[Array, Array], Array]
) -> Form:
    u = design.points[np.isfinite(design.points)]
    gentlest = steepest * design.gentlest
    shapes = [
        (slope, midpoint)
        for slope in np.geomspace(gentlest, steepest, _SLOPES)
        for midpoint in np.linspace(u.min() - 4.0 / slope, u.max() + 4.0 / slope, _MIDPOINTS)
    ]
    # Even steps of the arc sine: a proportion is known best near 0 and 1.
    bases = np.sin(np.linspace(0.0, np.pi / 2.0, _BASES + 2)[:-1]) ** 2
    bases[0] = LOWEST_BASE
    parameters = np.column_stack([np.repeat(bases, len(shapes)), np.tile(shapes, (len(bases), 1))])
    bounds = (
        (LOWEST_BASE, 1.0 - LOWEST_BASE),
        (gentlest, steepest),
        (u.min() - 4.0 / gentlest, u.max() + 4.0 / gentlest),
    )
    return grid_form(name, design, evaluate, bounds, parameters)


def _level(curves: Sequence[_Noisy]) -> Array:
    y, n = (np.stack([getattr(curve, name) for curve in curves]) for name in ("y", "n"))
    mean = (y * n).sum(axis=1, keepdims=True) / n.sum(axis=1, keepdims=True)
    return np.broadcast_to(mean, y.shape)


def _smooth(forms: Sequence[Form], curves: Sequence[_Noisy]) -> Array:
    """Return the more likely of the smooth forms at the points of each curve."""
    y, n = (np.stack([getattr(curve, name) for curve in curves]) for name in ("y", "n"))
    loglik, values = [], []
    for form in forms:
        fit = fit_weighted(form, y, n)
        # The grid keeps the base off 0 for its logarithms; a base at that bound stands for 0.
        parameters = fit.parameters.copy()
        parameters[parameters[:, 0] <= LOWEST_BASE * (1 + 1e-9), 0] = 0.0
        loglik.append(fit.loglik)
        values.append(form.evaluate(form.u, parameters))
    best = np.argmax(loglik, axis=0)
    chosen = np.stack(values)[best, np.arange(len(curves))]
    return np.asarray(np.clip(chosen, 0.0, 1.0))


def _drawn(mean: Array, curves: Sequence[_Noisy], draws: int, rng: np.random.Generator) -> Array:
    """Return scores around means, shape (n_curves, n_scales, draws)."""
    out = np.empty((*mean.shape, draws))
    exact = np.array([curve.exact for curve in curves])
    if exact.any():
        asked = np.stack([curve.n for curve in curves if curve.exact])
        n = np.maximum(np.rint(asked), 1.0).astype(np.int64)[..., None]
        # Draws of one point lie side by side: the generator then sets itself up once per point.
        out[exact] = rng.binomial(n, mean[exact][..., None], (*asked.shape, draws)) / n
    if not exact.all():
        stderr = np.stack([curve.stderr for curve in curves if not curve.exact])[..., None]
        noise = stderr * rng.standard_normal((*stderr.shape[:2], draws))
        out[~exact] = np.clip(mean[~exact][..., None] + noise, 0.0, 1.0)
    return out
