r"""A sharp curve beside a continuous metric of the same outputs: is the jump in both?

Let the sharp curve have its onset at scale t. The continuous metric, mapped to progress g in [0, 1]
(:mod:`upswing.mirage.progress`), has made the share

.. math:: s = \frac{g_{t-1} - g_\text{floor}}{g_\text{best} - g_\text{floor}}

of its rise before the onset. If s is surely above a tenth, and above what the sharp curve itself
has behind it there, and g is gradual (no sharp form explains it better than a smooth one, or only a
bend somewhere else), then the model improved all along and the metric hid it: a metric artifact. If
g breaks in the same interval of scale, or leaves its floor there, the jump is no work of the
metric.

The smooth forms of g may be as steep as they need (up to a bound that a step exceeds), since it is
their own steepness that says how fast the model improves; the floor is that of g, not a chance
level, which is unknown for most continuous metrics. Noise between models widens the interval of s.

Reference: the question is that of Schaeffer et al. 2023, arXiv:2304.15004, sections 3 and 4; the
test is ours, calibrated in ``benchmarks/error_rates.py``.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from upswing.curves.curve import Curve
from upswing.detection.emergence_score import EmergenceScore, describe_emergence_score
from upswing.detection.evidence import Evidence, Settings
from upswing.detection.floor import flat_part_mean
from upswing.detection.gain import Gain, gain_of
from upswing.detection.noise import MARGIN_SHARE, between_model_variance
from upswing.detection.shape import fit_shapes, rise_width, smooth_test
from upswing.laws.design import Array, Design, make_design
from upswing.laws.form import Form
from upswing.laws.forms import SHARP, forms_for
from upswing.laws.quasi_likelihood import Noise, variance
from upswing.mirage.progress import is_likelihood, progress

Outcome = Literal["earlier", "sharp", "same place", "unclear", "not compared"]

FRACTION = 0.1
"""Share of its rise that a metric must surely have made before the onset to be earlier."""

STEEPEST_PROGRESS = 2.0
"""Largest exponent of the smooth forms of a continuous metric, per natural log of scale, and the
factor by which they may be steeper than usual on the loss axis."""

NO_PARTIAL_CREDIT = 0.9
"""Where the variance of answers reaches this share of that of right or wrong, they are right or
wrong: an edit distance of answers of one token, or probabilities that are nearly 0 or 1."""

_DRAWS = 2000
_USUAL = 0.5
_MOST_BLOCKS = 20
_SHOWN_FLAT = 2  # a break before the second scale is a straight line on the scales seen
_SAME_PLACE_SCALES = 6  # with fewer, steep smooth curves leave their floors in one interval too


MOST_UNCERTAIN = 0.5
"""Upper end of that share beyond which nothing is said about where a metric leaves its floor; and
the largest step of a sharp form, as a share of its rise, that still counts as gradual."""


class Share(NamedTuple):
    """Share of a metric's rise that is done at some scale, with its 95 % interval."""

    value: float
    low: float
    high: float


class _Shares(NamedTuple):
    """At the last scale before the onset and at the onset; ``ahead`` is the lower end of how much
    more of its rise the continuous metric has behind it there than the sharp curve has."""

    before: Share
    at: Share
    ahead: float


@dataclass(frozen=True, eq=False)
class Alternative:
    """One other metric of the same outputs.

    Attributes
    ----------
    curve
        The curve under it, in its own unit.
    shape_class
        ``linear``, ``nonlinear`` or ``discontinuous`` in the error per token; None where unknown.
    continuous
        Whether a single answer gets partial credit under it.
    score
        Oriented emergence score of that curve, with its status.
    sharpness
        log10 units of scale (nats on the loss axis) from 10 % to 90 % of the fitted rise; None
        where nothing can be fitted.
    outcome
        ``earlier``: it is smooth and rises before the onset; ``sharp``: it jumps there too; ``same
        place``: it leaves its floor where the sharp curve does; ``unclear``; ``not compared`` where
        there is no jump to compare with, or the metric does not decide.
    share
        Share of its rise before the onset; None where not compared, where it does not surely
        rise, or where only one scale lies before the onset, so that nothing shows whether it rose.
    p_smooth
        p-value of a smooth form for it, against the better sharp form; None where not compared.
    """

    curve: Curve
    shape_class: str | None
    continuous: bool
    score: EmergenceScore
    sharpness: float | None
    outcome: Outcome = "not compared"
    share: Share | None = None
    p_smooth: float | None = None


def describe(curve: Curve, shape_class: str | None, continuous: bool) -> Alternative:
    """Return what one curve of the same outputs looks like, compared with nothing."""
    score = describe_emergence_score(curve.y, curve.higher_is_better)
    fitted = _fit(curve)
    return Alternative(
        curve, shape_class, continuous, score, None if fitted is None else fitted.sharpness
    )


def compare(evidence: Evidence, described: Alternative, settings: Settings) -> Alternative:
    """Lay a sharp curve beside one of its alternatives.

    Parameters
    ----------
    evidence
        Of the sharp curve, which has an onset after its first scale.
    described
        The alternative, on some of the same scales.
    settings
        Its level, bootstrap draws and seed are taken.

    Returns
    -------
    Alternative
        With its outcome. It is ``not compared`` where the alternative lacks the scales around the
        onset, its noise is unknown, or its answers get no partial credit after all.
    """
    fitted = _fit(described.curve)
    place = _place(evidence, described.curve)
    own, onset = evidence.gain, evidence.onset
    if own is None or onset is None or place is None or fitted is None:
        return described
    if _all_or_nothing(fitted.gain, described.curve):
        return described
    key = repr((*described.curve.key, evidence.curve.metric))
    rng = np.random.default_rng([settings.seed, zlib.crc32(key.encode())])
    shares = _shares(fitted, place, own, onset, rng) if place > 1 else None
    p_smooth = 1.0
    if fitted.sharper:
        noise = Noise(fitted.gain.n, fitted.step_tau_squared, MARGIN_SHARE * fitted.gain.delta)
        p_smooth = smooth_test(
            fitted.forms, fitted.gain.y, noise, rng, stages=settings.stages
        ).p_smooth
    outcome = _outcome(fitted, place, shares, p_smooth <= settings.alpha)
    share = None if shares is None else shares.before
    return replace(described, outcome=outcome, share=share, p_smooth=p_smooth)


@dataclass(frozen=True, eq=False)
class _Fitted:
    gain: Gain
    forms: dict[str, Form]
    tau_squared: float
    step_tau_squared: float
    sharper: bool
    sharpness: float
    flat_scales: int
    largest_step: float


def _fit(curve: Curve) -> _Fitted | None:
    """Fit all forms to the progress of a curve; None where its scale or its noise is unknown."""
    mapped = progress(curve)
    if mapped is None or len(mapped) < 3:
        return None
    floor = float(flat_part_mean(mapped.y, mapped.y.max()))
    floor = min(max(floor, 0.0), 0.95)
    gain = gain_of(replace(mapped, chance=floor))
    if gain is None:
        return None
    design = _design(mapped, gain)
    forms = forms_for(design)
    margin = MARGIN_SHARE * design.delta
    fits = fit_shapes(forms, gain.y[None], gain.n[None], margin)
    sharper = min(float(fits.ratio(name)[0]) for name in fits.smooth) > 0
    # A smooth rise fits no step, so the scatter around the form that fits best says how far models
    # differ. The test of sharpness takes the scatter around a step, as that of every curve does.
    tau_squared = min(
        float(between_model_variance(gain.y[None], gain.n[None], fit.fitted, margin)[0])
        for fit in fits.fits.values()
    )
    best = fits.best(SHARP if sharper else fits.smooth)
    position = -curve.x if curve.axis == "loss" else _log10(curve.x)
    width = rise_width(position, fits.fits[best].fitted[0])
    sharp = fits.fits[fits.best(SHARP)].fitted[0]
    largest_step = float(np.diff(sharp).max() / max(float(np.ptp(sharp)), 1e-9))
    flat_scales = int(np.argmax(np.append(sharp > sharp[0] + 1e-9, True)))
    step_tau_squared = float(fits.tau_squared[0])
    return _Fitted(
        gain, forms, tau_squared, step_tau_squared, sharper, width, flat_scales, largest_step
    )


def _design(curve: Curve, gain: Gain) -> Design:
    """Return the usual design with smooth forms that may be steeper, and as gentle as usual.

    They may come from below what was seen first, for that need not be a floor.
    """
    usual = make_design(curve.x, curve.axis, gain.chance, gain.delta)
    power = usual.power_slope
    factor = STEEPEST_PROGRESS / (_USUAL if power is None else power)
    return replace(
        usual,
        power_slope=None if power is None else power * factor,
        logistic_slope=usual.logistic_slope * factor,
        gentlest=usual.gentlest / factor,
        lowest_base=0.0,
    )


def _all_or_nothing(gain: Gain, curve: Curve) -> bool:
    """Tell whether a metric gives no partial credit on these answers.

    Probabilities per token are not bounded answer by answer, so nothing follows from their spread.
    """
    if is_likelihood(curve.metric):
        return False
    spread = gain.y * (1.0 - gain.y)
    asked = np.asarray(curve.n, dtype=float)
    inner = np.isfinite(asked) & (spread > 0.02) & np.isfinite(np.asarray(curve.stderr))
    if not inner.any() or curve.clustered:
        return False
    share = asked[inner] * gain.stderr[inner] ** 2 / spread[inner]
    return bool(np.median(share) > NO_PARTIAL_CREDIT)


def _place(evidence: Evidence, other: Curve) -> int | None:
    """Return the position, among the alternative's scales, of the onset of the sharp curve."""
    t = evidence.onset
    if t is None or t == 0:
        return None
    x = evidence.curve.x
    before = np.flatnonzero(other.x == x[t - 1])
    at = np.flatnonzero(other.x == x[t])
    if not len(before) or not len(at) or at[0] - before[0] != 1:
        return None
    return int(at[0])


def _outcome(fitted: _Fitted, place: int, shares: _Shares | None, no_smooth_form: bool) -> Outcome:
    """Say whether the metric breaks where the sharp curve does, and else where it rises."""
    if no_smooth_form and fitted.flat_scales == place and place >= _SHOWN_FLAT:
        return "sharp"
    if shares is None:
        return "unclear"
    before, at = shares.before, shares.at
    if before.low > FRACTION and shares.ahead > 0.0:
        # A bend somewhere else is still gradual at the onset; a jump somewhere else is neither.
        gradual = not no_smooth_form or fitted.largest_step < MOST_UNCERTAIN
        return "earlier" if gradual else "unclear"
    resolved = before.value <= FRACTION and before.high < MOST_UNCERTAIN and at.low > FRACTION
    return "same place" if resolved and len(fitted.gain.y) >= _SAME_PLACE_SCALES else "unclear"


def _shares(
    fitted: _Fitted, t: int, own: Gain, own_t: int, rng: np.random.Generator
) -> _Shares | None:
    """Return the shares of the rise done at the last scale before the onset, and at the onset.

    None where the metric is not surely better from the onset on than before.
    """
    gain = fitted.gain
    no_questions = np.full(len(gain.y), np.inf)
    models = variance(gain.y, no_questions, fitted.tau_squared, MARGIN_SHARE * gain.delta)
    curves, first = _in_blocks(_drawn(gain.y, np.sqrt(gain.stderr**2 + models), rng), t)
    better = curves[..., first:].mean(axis=-1) - curves[..., :first].mean(axis=-1)
    if min(better[0], np.quantile(better[1:], 0.025)) <= 0:
        return None
    shares = _share_of_rise(curves, first)
    # Models differ in both metrics alike, so the sharp curve varies by its questions only.
    own_shares = _share_of_rise(*_in_blocks(_drawn(own.y, own.stderr, rng), own_t))
    ahead = shares[1:, 0] - own_shares[1:, 0]
    ends = np.quantile(shares[1:], [0.025, 0.975], axis=0)
    before, at = (Share(*(float(v) for v in (shares[0, k], *ends[:, k]))) for k in (0, 1))
    return _Shares(before, at, float(np.quantile(ahead, 0.025)))


def _drawn(y: Array, spread: Array, rng: np.random.Generator) -> Array:
    """Return a curve and draws around it, shape (1 + draws, n_scales)."""
    return np.concatenate([y[None], y + spread * rng.standard_normal((_DRAWS, len(y)))])


def _in_blocks(curves: Array, t: int) -> tuple[Array, int]:
    """Average neighbouring scales where there are many, apart before and from the onset on.

    Single checkpoints of a long run are noisy, and the highest of many is too high.
    """
    count = curves.shape[-1]
    size = -(-count // _MOST_BLOCKS)
    starts = [*range(t % size, t, size), *range(t, count, size)]
    if t % size:
        starts.insert(0, 0)
    ends = np.append(starts[1:], count)
    sums = np.add.reduceat(curves, starts, axis=-1)
    return np.asarray(sums / (ends - starts)), starts.index(t)


def _share_of_rise(curves: Array, t: int) -> Array:
    """Return the shares of the rise made by scale t - 1 and by t, shape (..., 2)."""
    best = curves[..., t:].max(axis=-1)
    floor = np.minimum(flat_part_mean(curves, best), best - 1e-9)
    return np.asarray((curves[..., t - 1 : t + 1] - floor[..., None]) / (best - floor)[..., None])


def _log10(x: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(x))
