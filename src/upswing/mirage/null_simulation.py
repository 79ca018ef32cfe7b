"""The test-size null of one curve: could a smooth curve look this way with these questions?

Scores are drawn from the best smooth curve, with the noise of questions and of models, and the
emergence score of every draw is compared with the observed one. The same at other numbers of
questions tells how many would settle it.

``p_test_size`` of a verdict is this test where the score is infinite or questions are few, and a
likelihood ratio elsewhere (:mod:`upswing.detection.shape`), with fewer draws.

Reference: Schaeffer et al. 2023, arXiv:2304.15004 (the score, and resolution as a cause).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.curves.curve import Curve
from upswing.detection.emergence_score import emergence_scores
from upswing.detection.evidence import FEWEST_SCALES, Settings, fit_all
from upswing.detection.gain import Gain, gain_of
from upswing.detection.noise import MARGIN_SHARE
from upswing.errors import InputError
from upswing.laws.design import from_zero
from upswing.laws.quasi_likelihood import Noise

Array = npt.NDArray[np.float64]

SIZES = (10, 30, 100, 300, 1000, 3000, 10_000)
"""Numbers of questions to compare."""

DRAWS = 10_000
_LEVELS = (0.05, 0.5, 0.95)
_NAMES = ("p05", "median", "p95")
_DEFAULT = Settings()


class SmoothFit(NamedTuple):
    """A smooth curve fitted to a curve's scores.

    Attributes
    ----------
    form
        Its name.
    values
        Its values from 0 (worst) to 1 (best), shape (n_scales,).
    base
        Level of its flat part. The fit keeps off 0 for the sake of logarithms; a base there stands
        for 0, so that many questions do not find successes that the curve does not mean.
    loglik
        Quasi-log-likelihood.
    tau_squared
        Variance between models on the logit scale.
    """

    form: str
    values: Array
    base: float
    loglik: float
    tau_squared: float


class NullSimulation(NamedTuple):
    """Emergence scores that smooth curves give by chance.

    Attributes
    ----------
    observed
        Emergence score of the curve, positive where it improves; it may be infinite.
    form
        Name of the smooth form that is likeliest.
    p_value
        Largest p-value over the smooth forms, at the questions at hand.
    questions_to_settle
        The least of the compared numbers of questions, not below those at hand, from which on a
        curve that still looked this way would have a p-value of at most ``alpha``; None where
        there is none.
    table
        One row per smooth form and number of questions: ``form``, ``n`` (null for those at hand),
        ``draws``, ``score_p05``, ``score_median``, ``score_p95`` (null where infinite),
        ``share_infinite`` (of scores of plus infinity) and ``p_value``.
    """

    observed: float
    form: str
    p_value: float
    questions_to_settle: int | None
    table: pl.DataFrame


def smooth_fits(curve: Curve, settings: Settings = _DEFAULT) -> tuple[SmoothFit, ...]:
    """Return the smooth forms fitted to one curve, the likeliest first.

    Raises
    ------
    InputError
        If the curve has fewer than three scales, or its chance level, range or noise is not known.
    """
    gain = _gain(curve, settings)
    fitted = fit_all([curve], [gain], settings)[0]
    fits, row = fitted.fits, fitted.row
    found = []
    for name in fits.smooth:
        fit = fits.fits[name]
        values, base = from_zero(fit.fitted[row], float(fit.parameters[row, 0]))
        loglik, tau_squared = fits.fits[name].loglik[row], fits.tau_squared[row]
        found.append(SmoothFit(name, values, base, float(loglik), float(tau_squared)))
    return tuple(sorted(found, key=lambda fit: -fit.loglik))


def null_simulation(
    curve: Curve,
    *,
    sizes: Sequence[int] = SIZES,
    draws: int = DRAWS,
    seed: int = 0,
    settings: Settings = _DEFAULT,
) -> NullSimulation:
    """Simulate the emergence scores of smooth curves like this one.

    Parameters
    ----------
    curve
        At least three scales, with chance level and number of questions.
    sizes
        Numbers of questions to compare with those at hand.
    draws
        Simulated curves per smooth form and number of questions.
    seed
        Seed of the draws.
    settings
        How the smooth forms are bounded, and the level of the test.

    Raises
    ------
    InputError
        If the curve has fewer than three scales, or its chance level, range or noise is not known.

    Examples
    --------
    >>> x, y = np.geomspace(1e7, 1e11, 9), [0, 0, 0, 0, 0, 0, 0.25, 0.75, 1]
    >>> found = null_simulation(Curve(x=x, y=y, n=8, chance=0.0, axis="params"), draws=1000)
    >>> found.observed, found.p_value > 0.05
    (inf, True)
    """
    gain = _gain(curve, settings)
    fits = smooth_fits(curve, settings)
    observed = float(emergence_scores(gain.y[None, :])[0])
    rng = np.random.default_rng(seed)
    rows = []
    for n in (None, *sizes):
        count = gain.n if n is None else np.full(len(curve), float(n))
        for fit in fits:
            noise = Noise(count, fit.tau_squared, MARGIN_SHARE * gain.delta)
            scores = emergence_scores(noise.simulate(fit.values, draws, rng))
            rows.append(_row(fit.form, n, scores, observed))
    table = pl.DataFrame(
        rows, schema_overrides={"n": pl.Int64, **{f"score_{q}": pl.Float64 for q in _NAMES}}
    )
    largest = table.group_by("n", maintain_order=True).agg(pl.col("p_value").max())
    return NullSimulation(
        observed,
        fits[0].form,
        float(largest["p_value"][0]),
        _settling(largest[1:], float(gain.n.min()), settings.alpha),
        table,
    )


def _gain(curve: Curve, settings: Settings) -> Gain:
    gain = gain_of(curve, settings.delta) if len(curve) >= FEWEST_SCALES else None
    if gain is None:
        raise InputError(
            f"no smooth curve can be drawn for {curve.task} ({curve.metric})",
            hint="it takes three scales, a chance level, a metric with a range, and the questions",
        )
    return gain


def _row(form: str, n: int | None, scores: Array, observed: float) -> dict[str, object]:
    quantiles = np.quantile(scores, _LEVELS, method="inverted_cdf")
    return {
        "form": form,
        "n": n,
        "draws": len(scores),
        **{
            f"score_{name}": float(value) if np.isfinite(value) else None
            for name, value in zip(_NAMES, quantiles, strict=True)
        },
        "share_infinite": float(np.isposinf(scores).mean()),
        "p_value": (1 + int((scores >= observed).sum())) / (1 + len(scores)),
    }


def _settling(largest: pl.DataFrame, least: float, alpha: float) -> int | None:
    """Return the number of questions from which on every p-value is at most alpha."""
    larger = largest.filter(pl.col("n") >= least).sort("n")
    undecided = larger.filter(pl.col("p_value") > alpha)["n"]
    enough = larger if undecided.is_empty() else larger.filter(pl.col("n") > undecided.max())
    return None if enough.is_empty() else int(enough["n"][0])
