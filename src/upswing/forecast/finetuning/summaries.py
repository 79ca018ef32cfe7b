"""A fitted emergence law as plain values: parameters, identifiability, bootstrap, notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from upswing.forecast.finetuning.emergence_forecast import summary
from upswing.laws.emergence.bootstrap import EmergenceBootstrap
from upswing.laws.emergence.evidence import AmountEvidence
from upswing.laws.emergence.fit import EmergenceMle
from upswing.laws.emergence.identify import AlphaProfile, alpha_profile, correlations
from upswing.laws.emergence.posterior import EmergencePosterior
from upswing.laws.emergence.rows import EmergenceRows
from upswing.notes import Note, listing


def parameters(
    rows: EmergenceRows,
    mle: EmergenceMle,
    evidence: AmountEvidence,
    posterior: EmergencePosterior,
    sign: float = 1.0,
) -> dict[str, Any]:
    """Return the most likely law: elbows [nats/token], slope [score per nat], bases, noise.

    ``sign`` turns scores of which more is better into those of the metric: slope, bases, cap and
    ``delta`` are the metric's own, so the slope is negative where less is better.
    """
    curves, elbows = mle.curves, mle.curves.elbows
    k, c = elbows.published
    shared = len(curves.bases) == 1
    delta = None if curves.few_shot_base is None else sign * (curves.few_shot_base - curves.base)
    means = dict(posterior.means)
    if "top" in means:
        means["top"] *= sign
    return {
        "shape": mle.form.shape,
        "d_min": elbows.d_min,
        "d_max": elbows.d_max,
        "e_min": elbows.lowest,
        "e_max": elbows.highest,
        "alpha": elbows.alpha,
        "k": k,
        "c": c,
        "slope": sign * curves.slope_at(rows.d0, few_shot=True),
        "base": sign * curves.base if shared else None,
        "bases": None if shared else [{"d": d, "base": sign * b} for d, b in curves.bases.items()],
        "delta": delta,
        "cap": None if curves.cap is None else sign * curves.cap,
        "ramp": curves.ramp,
        "sigma": mle.sigma,
        "rss": mle.rss,
        "rows": len(rows),
        "checkpoints": len(np.unique(rows.checkpoint)),
        "subsets": int(rows.subset.max()) + 1,
        "best_loss": float(rows.loss.min()),
        "amounts": [
            {"d": float(d), "elbow": float(elbows.elbow([d])[0]), "emerges": bool(e)}
            for d, e in zip(evidence.amounts, evidence.emerges, strict=True)
        ],
        "posterior_means": means,
    }


def identifiability(
    rows: EmergenceRows, mle: EmergenceMle, posterior: EmergencePosterior
) -> tuple[dict[str, Any], list[Note]]:
    """Return what the data say of the exponent, and a remark where they say little."""
    profile = alpha_profile(rows, mle)
    values = {
        "alpha_interval": list(profile.interval),
        "alpha_bounded": list(profile.bounded),
        "forecast_interval": list(profile.forecasts),
        "profile": [
            {"alpha": float(a), "deviance": float(d), "forecast": float(f)}
            for a, d, f in zip(profile.alpha, profile.deviance, profile.forecast, strict=True)
        ],
        "correlations": correlations(rows, mle, posterior),
    }
    return values, _open_exponent(profile)


def _open_exponent(profile: AlphaProfile) -> list[Note]:
    if all(profile.bounded):
        return []
    low, high = profile.forecasts
    return [
        Note(
            "exponent-open",
            "warning",
            "The data do not bound the exponent of the law "
            f"{'on either side' if not any(profile.bounded) else 'on one side'}: elbows from "
            f"{low:.3g} to {high:.3g} fit, and the interval leans on the prior.",
            {"forecasts": [low, high], "bounded": list(profile.bounded)},
        )
    ]


def disagreement(elbow: Mapping[str, float | None]) -> list[Note]:
    """Return a remark where the most likely elbow is outside the 90 % interval.

    Parameters
    ----------
    elbow
        ``mle``, ``q05`` and ``q95`` [nats/token], nulls where unknown.
    """
    mle, low, high = (elbow[name] for name in ("mle", "q05", "q95"))
    if mle is None or low is None or high is None or low <= mle <= high:
        return []
    return [
        Note(
            "fits-disagree",
            "warning",
            f"The most likely elbow, {mle:.4g}, is outside the 90 % interval, {low:.4g} to "
            f"{high:.4g}. The fit takes all scores for independent; the interval allows subsets "
            "and runs to differ. That they disagree usually means that scores do not follow this "
            "law (a cap or floors are missing), that runs are of two kinds (some learned the task, "
            "some did not), or that the exponent is open. Trust neither without looking at the "
            "curves.",
            {"mle": mle, "interval": [low, high]},
        )
    ]


def bootstrap_summary(
    resampled: EmergenceBootstrap | None, mle: float | None, irreducible: float
) -> dict[str, Any]:
    """Return unit, counts, mean and quantiles [nats/token] of a bootstrap."""
    if resampled is None:
        return {"unit": None, "resamples": 0, "fitted": 0, **summary(None, mle, irreducible)}
    return {
        "unit": resampled.unit,
        "resamples": resampled.resamples,
        "fitted": len(resampled.forecast),
        **summary(resampled if len(resampled.forecast) else None, mle, irreducible),
    }


def fit_notes(
    rows: EmergenceRows, mle: EmergenceMle, evidence: AmountEvidence, sign: float = 1.0
) -> list[Note]:
    """Return remarks on decisions that the fit took; ``sign`` as in :func:`parameters`."""
    notes = []
    if rows.d0 < 1:
        notes.append(
            Note(
                "zero-shot",
                "info",
                "The law has no value at no examples; D0 = 1 stands for a prompt without any.",
            )
        )
    elif rows.d0 >= rows.amounts[0]:
        notes.append(
            Note(
                "d0-inside",
                "warning",
                f"D0 = {rows.d0:g} is not below the smallest amount of data, "
                f"{rows.amounts[0]:g}: nothing is extrapolated.",
            )
        )
    if mle.curves.cap is not None:
        far = mle.curves.cap > float(rows.value.max() + np.ptp(rows.value))
        text = f"Scores end at a fitted cap of {sign * mle.curves.cap:.3g}."
        text = "No score is near the cap that was asked for: it is not known." if far else text
        notes.append(Note("cap-fitted", "info", text))
    if mle.form.floors:
        bases = {d: sign * base for d, base in mle.curves.bases.items()}
        notes.append(
            Note(
                "floors-fitted",
                "info",
                "Every amount of data has a base of its own, from "
                f"{min(bases.values()):.3g} to {max(bases.values()):.3g}: weak models learn some "
                "of the task from the examples alone.",
                {"bases": [{"d": d, "base": base} for d, base in bases.items()]},
            )
        )
    silent = [f"{d:g}" for d in evidence.amounts[~evidence.emerges]]
    if silent:
        notes.append(
            Note(
                "amounts-silent",
                "info",
                f"D = {listing(silent)} does not emerge on any model used, and only bounds the "
                "elbow there.",
                {"amounts": [float(d) for d in silent]},
            )
        )
    return notes
