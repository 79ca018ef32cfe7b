"""Everything that is measured on one curve, before anyone judges it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from upswing.curves.curve import Curve
from upswing.detection.emergence_score import EmergenceScore, describe_emergence_score
from upswing.detection.equivalence import p_at_chance, p_flat
from upswing.detection.gain import Gain, gain_of
from upswing.detection.noise import MARGIN_SHARE
from upswing.detection.onset import (
    ALPHA,
    OPEN,
    OnsetInterval,
    model_interval,
    onset_index,
    question_interval,
)
from upswing.detection.resolution import smallest_detectable_gain
from upswing.detection.shape import STAGES, ShapeFits, fit_shapes, rise_width, smooth_test
from upswing.detection.significance import gain_p_above, holm
from upswing.detection.trend import Trend, trend
from upswing.detection.wei2022 import PublishedRule, wei2022
from upswing.laws.design import Design, from_zero, make_design, steepest_on_compute
from upswing.laws.form import Form
from upswing.laws.forms import SHARP, forms_for
from upswing.laws.quasi_likelihood import Noise

FEWEST_SCALES = 3
_FEW_QUESTIONS = 200


@dataclass(frozen=True)
class Settings:
    """Choices that verdicts rest on; the defaults are those of ``docs/verdict.md``.

    Attributes
    ----------
    delta
        Smallest gain over chance that counts, in units of the metric; None for a tenth of the way
        from chance to the best score.
    alpha
        Level of every test.
    seed
        Seed of every bootstrap.
    steepest
        Bound on the exponent of the smooth power law per natural log of the axis; None for the
        axis's default.
    stages
        Draws of the parametric bootstrap, by stage.
    """

    delta: float | None = None
    alpha: float = ALPHA
    seed: int = 0
    steepest: float | None = None
    stages: tuple[int, ...] = STAGES


class SmoothFit(NamedTuple):
    """The best smooth form at the scales of a curve.

    Attributes
    ----------
    values
        From 0 (the worst score) to 1 (the best), one per scale.
    base
        The flat part that it rises from, on the same scale.
    """

    values: tuple[float, ...]
    base: float


@dataclass(frozen=True, eq=False)
class Evidence:
    """Measurements on one curve.

    Attributes
    ----------
    curve, gain
        The curve and its scores as gains; ``gain`` is None where chance, range or noise is unknown
        or there are fewer than three scales, and then the tests are None too.
    score
        Oriented emergence score with its status.
    trend
        Kendall's tau with one-sided p-values.
    onset
        Index of the first scale from which on every score is significantly above chance + delta;
        None without one.
    questions, models
        Intervals of the onset in axis units, from bootstraps over questions and over models.
    p_chance
        Holm-adjusted p-value of "at most chance + delta" at the onset, or at the largest scale
        where there is no onset.
    p_at_chance
        p-value of "not at chance before the onset".
    p_flat
        p-value of "not flat".
    p_smooth, p_test_size
        See :mod:`upswing.detection.shape`; 1 where no sharp form fits better.
    form
        Name of the form that the curve is best described by.
    fitted
        Its values at the scales, in the metric's unit.
    smooth
        The best smooth form, whether or not a sharp one fits better.
    sharpness
        log10 units of scale (nats on the loss axis) from 10 % to 90 % of the fitted rise.
    tau
        Between-model standard deviation on the logit scale.
    detectable_gain, delta
        Smallest detectable gain and smallest gain that counts, in the metric's unit.
    published
        Outcome of the published rule; None for metrics that are no proportions.
    """

    curve: Curve
    gain: Gain | None
    score: EmergenceScore
    trend: Trend
    onset: int | None = None
    questions: OnsetInterval = OPEN
    models: OnsetInterval = OPEN
    p_chance: float | None = None
    p_at_chance: float | None = None
    p_flat: float | None = None
    p_smooth: float | None = None
    p_test_size: float | None = None
    form: str | None = None
    fitted: tuple[float, ...] = ()
    smooth: SmoothFit | None = None
    sharpness: float | None = None
    tau: float | None = None
    detectable_gain: float | None = None
    delta: float | None = None
    published: PublishedRule | None = None


@dataclass(frozen=True)
class _Fitted:
    forms: dict[str, Form]
    fits: ShapeFits
    row: int


def examine(curves: Sequence[Curve], settings: Settings = Settings()) -> tuple[Evidence, ...]:
    """Measure everything that a verdict needs on each curve.

    The draws of a curve depend on the seed and on what the curve is of, not on the other curves.
    """
    from threadpoolctl import threadpool_limits

    gains = [
        gain_of(curve, settings.delta) if len(np.unique(curve.x)) >= FEWEST_SCALES else None
        for curve in curves
    ]
    # The matrix products are many and small: threads only wait for each other.
    with threadpool_limits(1, "blas"):
        fitted = fit_all(curves, gains, settings)
        return tuple(
            _examine(curve, gain, fitted.get(i), settings)
            for i, (curve, gain) in enumerate(zip(curves, gains, strict=True))
        )


def fit_all(
    curves: Sequence[Curve], gains: Sequence[Gain | None], settings: Settings
) -> dict[int, _Fitted]:
    """Fit all forms to all curves, those with the same points and chance level together."""
    groups: dict[Design, list[int]] = {}
    for i, (curve, gain) in enumerate(zip(curves, gains, strict=True)):
        if gain is not None:
            bound = settings.steepest
            if bound is None and curve.params_slope is not None:
                bound = steepest_on_compute(curve.params_slope)
            design = make_design(curve.x, curve.axis, gain.chance, gain.delta, bound)
            groups.setdefault(design, []).append(i)
    fitted: dict[int, _Fitted] = {}
    for design, members in groups.items():
        forms = forms_for(design)
        chosen = [gain for i in members if (gain := gains[i]) is not None]
        y, n = np.stack([g.y for g in chosen]), np.stack([g.n for g in chosen])
        fits = fit_shapes(forms, y, n, MARGIN_SHARE * design.delta)
        fitted.update({i: _Fitted(forms, fits, row) for row, i in enumerate(members)})
    return fitted


def _examine(
    curve: Curve, gain: Gain | None, fitted: _Fitted | None, settings: Settings
) -> Evidence:
    sign = 1.0 if curve.higher_is_better else -1.0
    score = describe_emergence_score(curve.y, curve.higher_is_better)
    direction = trend(sign * curve.y)
    if gain is None or fitted is None:
        return Evidence(curve, None, score, direction)
    count = len(curve)
    width = float(curve.highest or 0.0) - float(curve.lowest or 0.0)
    rng = np.random.default_rng([settings.seed, zlib.crc32(repr(curve.key).encode())])
    adjusted = holm(gain_p_above(gain, gain.chance + gain.delta))
    index = int(onset_index(adjusted, settings.alpha))
    onset = index if index < count else None
    questions = models = OPEN
    if onset is not None:
        questions = question_interval(gain, curve.x, onset, rng, alpha=settings.alpha)
        models = model_interval(gain, curve.x, rng, alpha=settings.alpha)
    fits, row = fitted.fits, fitted.row
    sharper = min(float(fits.ratio(name)[row]) for name in fits.smooth) > 0
    p_smooth = p_test_size = 1.0
    if sharper:
        use_score = np.isinf(score.score) or _fewest_questions(curve, gain) < _FEW_QUESTIONS
        test = smooth_test(
            fitted.forms,
            gain.y,
            Noise(gain.n, float(fits.tau_squared[row]), MARGIN_SHARE * gain.delta),
            rng,
            bool(use_score),
            settings.stages,
        )
        p_smooth, p_test_size = test.p_smooth, test.p_test_size
    form = fits.best(SHARP if p_smooth <= settings.alpha else fits.smooth, row)
    shape = fits.fits[form].fitted[row]
    smooth = fits.fits[fits.best(fits.smooth, row)]
    values, base = from_zero(smooth.fitted[row], float(smooth.parameters[row, 0]))
    position = -curve.x if curve.axis == "loss" else _log10(curve.x)
    detectable = smallest_detectable_gain(
        gain.chance + gain.delta, float(gain.n.min()), count, settings.alpha
    )
    worst = curve.lowest if curve.higher_is_better else curve.highest
    before = onset if onset is not None else count
    return Evidence(
        curve=curve,
        gain=gain,
        score=score,
        trend=direction,
        onset=onset,
        questions=questions,
        models=models,
        p_chance=float(adjusted[onset if onset is not None else -1]),
        p_at_chance=p_at_chance(gain, before, settings.alpha),
        p_flat=p_flat(gain, settings.alpha),
        p_smooth=p_smooth,
        p_test_size=p_test_size,
        form=form,
        fitted=tuple(float(v) for v in float(worst or 0.0) + sign * width * shape),
        smooth=SmoothFit(tuple(float(v) for v in values), base),
        sharpness=rise_width(position, shape),
        tau=float(np.sqrt(fits.tau_squared[row])),
        detectable_gain=detectable * width,
        delta=gain.delta * width,
        published=wei2022(gain.y, gain.n, gain.chance, settings.alpha)
        if curve.proportion
        else None,
    )


def _fewest_questions(curve: Curve, gain: Gain) -> float:
    """Return the smallest number of questions asked; clusters do not make it smaller."""
    asked = np.asarray(curve.n, dtype=float)
    return float(np.where(np.isfinite(asked), asked, gain.n).min())


def _log10(x: np.typing.NDArray[np.float64]) -> np.typing.NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.log10(x)
