"""Sharp or smooth? The best sharp form against the smooth alternatives, by parametric bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from upswing.detection.emergence_score import emergence_scores
from upswing.detection.noise import between_model_variance, effective_questions
from upswing.laws.design import Array, from_zero
from upswing.laws.form import Form
from upswing.laws.forms import SHARP, smooth_names
from upswing.laws.grid import Fits, Fitter, fit_weighted
from upswing.laws.quasi_likelihood import Noise, NoiseTable
from upswing.laws.step_ramp import NAME as STEP_RAMP

STAGES = (199, 800, 1000)
"""Bootstrap draws per stage; the next stage runs only while the p-value may still be small."""

ENOUGH = 20
"""Draws as extreme as the data at which the p-value is known well enough."""

_REWEIGHTINGS = 2
_POLISH = 20


@dataclass(frozen=True)
class ShapeFits:
    """All forms fitted to a set of curves with the same design.

    Attributes
    ----------
    fits
        Fit of each form by name.
    tau_squared
        Between-model variance on the logit scale, shape (n_sets,).
    """

    fits: dict[str, Fits]
    tau_squared: Array

    @property
    def smooth(self) -> tuple[str, ...]:
        """Names of the smooth forms."""
        return tuple(name for name in self.fits if name not in SHARP)

    def ratio(self, smooth: str) -> Array:
        """Return the log-likelihood ratio of the better sharp form over a smooth one."""
        sharp = np.maximum(*(self.fits[name].loglik for name in SHARP))
        return np.asarray(sharp - self.fits[smooth].loglik)

    def best(self, names: tuple[str, ...], row: int = 0) -> str:
        """Return the name of the most likely form among ``names`` for one curve."""
        return max(names, key=lambda name: float(self.fits[name].loglik[row]))


def fit_shapes(forms: dict[str, Form], y: Array, n: Array, margin: float) -> ShapeFits:
    """Fit every form to curves that share a design.

    The between-model variance is estimated under step-and-ramp, the most flexible form; scores then
    count with the binomial size that has their variance.

    Parameters
    ----------
    forms
        The forms of the design.
    y, n
        Gains and questions, shape (n_sets, n_scales).
    margin
        Margin of the logit scale.
    """
    count = np.broadcast_to(n, y.shape)
    weight = count
    for _ in range(_REWEIGHTINGS):
        first = fit_weighted(forms[STEP_RAMP], y, weight)
        tau_squared = between_model_variance(y, count, first.fitted, margin)
        weight = effective_questions(count, first.fitted, tau_squared, margin)
    fits = {name: fit_weighted(form, y, weight) for name, form in forms.items()}
    return ShapeFits(fits, tau_squared)


class SmoothTest(NamedTuple):
    """Outcome of the parametric bootstrap: the larger p-values over the smooth alternatives.

    ``p_smooth`` is that of the likelihood ratio, ``p_test_size`` that of "a smooth curve looks this
    way at this number of questions".
    """

    p_smooth: float
    p_test_size: float


def smooth_test(
    forms: dict[str, Form],
    y: Array,
    noise: Noise,
    rng: np.random.Generator,
    use_score: bool = False,
    stages: tuple[int, ...] = STAGES,
) -> SmoothTest:
    """Test one curve against every smooth alternative.

    Data are drawn from the fitted smooth form with both noises and fitted again; the p-value is the
    share of draws whose likelihood ratio reaches the observed one.

    Parameters
    ----------
    forms
        The forms of the design.
    y
        Gains, shape (n_scales,).
    noise
        Questions and between-model variance.
    rng
        Source of the draws.
    use_score
        Whether ``p_test_size`` rests on the emergence score (infinite score, or n < 200) instead of
        the likelihood ratio.
    stages
        Bootstrap draws per stage.
    """
    table = NoiseTable(noise)
    fitters = {name: Fitter(form, table) for name, form in forms.items()}
    observed_score = float(emergence_scores(y[None, :])[0])
    p_smooth = p_test_size = 0.0
    for name in smooth_names(forms):

        def ratio(sample: Array, name: str = name) -> Array:
            sharp = np.maximum(*(fitters[form].fit(sample).loglik for form in SHARP))
            return np.asarray(sharp - fitters[name].fit(sample).loglik)

        observed = float(ratio(y[None, :])[0])
        best = fitters[name].fit(y[None, :], steps=_POLISH)
        curve, _ = from_zero(best.fitted[0], float(best.parameters[0, 0]))
        extreme = extreme_score = draws = 0
        for stage in stages:
            sample = noise.simulate(curve, stage, rng)
            extreme += int((ratio(sample) >= observed - 1e-9).sum())
            extreme_score += int(_reaches(emergence_scores(sample), observed_score).sum())
            draws += stage
            if extreme >= ENOUGH:
                break
        p_value = (1 + extreme) / (1 + draws)
        p_test_size = max(p_test_size, (1 + extreme_score) / (1 + draws) if use_score else p_value)
        p_smooth = max(p_smooth, p_value)
    return SmoothTest(p_smooth, p_test_size)


def _reaches(scores: Array, observed: float) -> npt.NDArray[np.bool_]:
    """Tell which emergence scores are at least as high as the observed one."""
    if np.isinf(observed) and observed > 0:
        return np.isposinf(scores)
    return np.asarray(scores >= observed)


def rise_width(log10_x: Array, fitted: Array) -> float:
    """Return how many units of log10 scale the fitted curve takes from 10 % to 90 % of its rise.

    Parameters
    ----------
    log10_x
        Scale, ascending, shape (n_scales,).
    fitted
        Values of the fitted curve there; between scales it is taken as straight.

    Returns
    -------
    float
        NaN where the curve does not rise.

    Examples
    --------
    >>> round(rise_width(np.array([8.0, 9.0, 10.0]), np.array([0.0, 0.0, 1.0])), 6)
    0.8
    """
    rise = fitted[-1] - fitted[0]
    if not rise > 1e-9:
        return float("nan")
    share = np.maximum.accumulate((fitted - fitted[0]) / rise)
    low = _crossing(log10_x, share, 0.1)
    return _crossing(log10_x, share, 0.9) - low


def _crossing(x: Array, share: Array, level: float) -> float:
    right = int(np.argmax(share >= level))
    if right == 0:
        return float(x[0])
    part = (level - share[right - 1]) / (share[right] - share[right - 1])
    return float(x[right - 1] + part * (x[right] - x[right - 1]))
