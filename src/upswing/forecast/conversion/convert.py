"""From the loss at which an ability emerges to the size or compute that reaches that loss.

Every law of the loss law's bootstrap inverts every point of the elbow's distribution, so both
uncertainties are in the result. Where the elbow is at or below what a law can reach, no size is
enough: that share is reported, and quantiles that fall into it are null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import polars as pl

from upswing.errors import InputError
from upswing.forecast.comparison.elbow_distribution import ElbowDistribution, weighted_elbows
from upswing.forecast.finetuning.emergence_forecast import QUANTILES
from upswing.laws.emergence.posterior import PERCENTILES
from upswing.laws.loss.criterion import Array
from upswing.laws.loss.law import UNITS, Axis, LossLaws
from upswing.laws.loss.path import TokenRule, loss_at, scale_of
from upswing.laws.loss.result import LossFit
from upswing.notes import Note

POINTS = 400
"""Most points of an elbow's distribution that are inverted."""

FAR = 10.0
"""An elbow this many times beyond the largest model of the law's data gets a warning."""

_CURVE = 161
_LAWS = 500
_EDGES = (0.01, 0.99)
_BAND = (0.05, 0.95)
_DECADES = 6.0


@dataclass(frozen=True, eq=False)
class Conversion:
    """An elbow in parameters, tokens or FLOP.

    Attributes
    ----------
    unit
        ``params``, ``tokens`` or ``flops``.
    elbow
        The most likely elbow [nats/token].
    status
        ``converted``; ``partly beyond reach`` where some of the distribution is at or below the
        irreducible loss; ``beyond reach`` where the most likely elbow or half of it is.
    mle
        Scale of the most likely elbow by the most likely law; None where beyond reach.
    quantiles
        ``q05`` ... ``q95`` of the scale; None where beyond reach.
    p_beyond_reach
        Probability that no scale reaches the elbow.
    largest
        Largest scale among the models of the loss law; None where not known.
    extrapolated_factor
        ``mle`` over ``largest``: how far the law is extrapolated.
    strongest_used
        Compute of the strongest model that the elbow was forecast from [FLOP]; None if not given.
    lead
        ``mle`` over that, where the unit is FLOP: how far in advance the forecast is.
    rule
        Tokens that go with the parameters, in words; empty if not needed.
    curve
        The distribution along the scale, a table for charts: ``unit``, ``value``, ``loss``
        [nats/token] of the most likely law there, ``cdf``, the probability that the ability has
        emerged by there, ``cdf_low`` and ``cdf_high``, its 90 % band over resampled laws (null
        without a bootstrap), and ``extrapolated``, whether that is beyond the law's data. The
        probability ends below 1 where some of the distribution is beyond reach.
    notes
        Remarks.
    """

    unit: Axis
    elbow: float
    status: str
    mle: float | None
    quantiles: Mapping[str, float | None]
    p_beyond_reach: float
    largest: float | None
    extrapolated_factor: float | None
    strongest_used: float | None
    lead: float | None
    rule: str
    curve: pl.DataFrame = field(repr=False)
    notes: tuple[Note, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return one row of the table as plain values."""
        return {
            "unit": self.unit,
            "elbow": self.elbow,
            "status": self.status,
            "mle": self.mle,
            **self.quantiles,
            "p_beyond_reach": self.p_beyond_reach,
            "largest": self.largest,
            "extrapolated_factor": self.extrapolated_factor,
            "strongest_used": self.strongest_used,
            "lead": self.lead,
            "token_rule": self.rule,
        }

    def to_json(self) -> str:
        """Return the conversion with its notes as JSON."""
        plain = {**self.to_dict(), "notes": [note.to_dict() for note in self.notes]}
        return msgspec.json.format(msgspec.json.encode(plain), indent=1).decode()


def convert_elbow(
    elbow: ElbowDistribution | float,
    fit: LossFit,
    unit: Axis = "params",
    rule: TokenRule | None = None,
    *,
    most_likely: float | None = None,
    strongest_used: float | None = None,
    irreducible: float = 0.0,
) -> Conversion:
    """Convert an elbow to a scale by a loss law.

    Parameters
    ----------
    elbow
        Its distribution, or a single loss [nats/token].
    fit
        The loss law; with a bootstrap its uncertainty is mixed in. It must be of the same corpus
        and tokenizer as the elbow.
    unit
        ``params``, ``tokens`` or ``flops``.
    rule
        Tokens that go with the parameters, where the law does not say.
    most_likely
        The single best elbow [nats/token]; by default the median.
    strongest_used
        Compute of the strongest model that the elbow was forecast from [FLOP], for the lead.
    irreducible
        Loss that no model of this corpus gets below [nats/token], where it is known apart.

    Raises
    ------
    InputError
        If the loss law was refused, law and rule do not decide the scale, or the elbow is no loss.

    Examples
    --------
    >>> from upswing.laws.loss.fit import fit_loss_law
    >>> params = np.geomspace(1e8, 1e10, 8)
    >>> table = pl.DataFrame({"params": params, "loss": 1.7 + 400.0 * params**-0.34})
    >>> found = convert_elbow(1.8, fit_loss_law(table, resamples=0))
    >>> f"{found.mle:.3g}", round(found.extrapolated_factor, 2)
    ('3.93e+10', 3.93)
    """
    if unit not in UNITS:
        raise InputError(f"no unit {unit!r}", hint=f"there are {', '.join(UNITS)}")
    points = _points(elbow)
    single = float(points.quantile(0.5)) if most_likely is None else most_likely
    best, laws = fit.batch(), _used_laws(fit)
    scale = scale_of(laws, points.elbow, unit, rule)
    scale[:, points.elbow <= irreducible] = np.inf
    mle = None
    if single > irreducible:
        mle = _finite(float(scale_of(best, np.array([single]), unit, rule)[0, 0]))
    weight = np.broadcast_to(points.weight / len(laws), scale.shape)
    order = np.argsort(scale, axis=None)
    ordered, mass = scale.ravel()[order], np.cumsum(weight.ravel()[order])
    beyond = float(weight[~np.isfinite(scale)].sum())
    quantiles = _quantiles(ordered, mass, PERCENTILES)
    largest = fit.points.largest.get(unit)
    factor = mle / largest if mle is not None and largest is not None else None
    if mle is None or beyond >= 0.5:
        status = "beyond reach"
    else:
        status = "partly beyond reach" if beyond > 0.0 else "converted"
    lead = mle / strongest_used if mle and strongest_used and unit == "flops" else None
    return Conversion(
        unit,
        single,
        status,
        mle,
        dict(zip(QUANTILES, quantiles, strict=True)),
        beyond,
        largest,
        factor,
        strongest_used,
        lead,
        "" if rule is None else rule.text,
        _curve(points, fit, laws, unit, rule, irreducible, ordered, mass),
        (*fit.notes, *_notes(fit, factor, unit)),
    )


def conversion_table(conversions: list[Conversion]) -> pl.DataFrame:
    """Return one row per conversion.

    Columns: ``unit``, ``elbow`` [nats/token], ``status``, ``mle``, ``q05`` ... ``q95``,
    ``p_beyond_reach``, ``largest``, ``extrapolated_factor``, ``strongest_used`` [FLOP], ``lead``,
    ``token_rule``; see :class:`Conversion`. What is beyond reach is null.
    """
    numbers = ("mle", *QUANTILES, "largest", "extrapolated_factor", "strongest_used", "lead")
    return pl.DataFrame(
        [conversion.to_dict() for conversion in conversions],
        schema_overrides=dict.fromkeys(numbers, pl.Float64),
    )


def _points(elbow: ElbowDistribution | float) -> ElbowDistribution:
    """Return the elbow's distribution, many points brought down to fewer of equal mass."""
    if not isinstance(elbow, ElbowDistribution):
        if not (math.isfinite(elbow) and elbow > 0):
            raise InputError(f"an elbow of {elbow:g}", hint="elbows are losses, in nats per token")
        return weighted_elbows(np.array([float(elbow)]))
    if len(elbow.elbow) <= POINTS:
        return elbow
    return weighted_elbows(elbow.quantile((np.arange(POINTS) + 0.5) / POINTS))


def _at_least(points: ElbowDistribution, loss: Array) -> Array:
    """Return the probability that the elbow is at or above a loss, in the loss's shape."""
    total = np.concatenate([[0.0], np.cumsum(points.weight)])
    return np.asarray(1.0 - (total / total[-1])[np.searchsorted(points.elbow, loss, side="left")])


def _used_laws(fit: LossFit) -> LossLaws:
    """Return the resampled laws, thinned where there are many; the law itself without any."""
    drawn = fit.resampled
    if drawn is None or not len(drawn):
        return fit.batch()
    kept = np.zeros(len(drawn), dtype=bool)
    kept[:: max(1, -(-len(drawn) // _LAWS))] = True
    return drawn.where(kept)


def _quantiles(ordered: Array, mass: Array, shares: tuple[float, ...]) -> list[float | None]:
    """Return the smallest scales with at least a share of the mass; None where infinite."""
    # the last sum of many small weights may be 1 - 1e-16
    index = np.minimum(np.searchsorted(mass, np.array(shares) * mass[-1]), len(mass) - 1)
    return [_finite(float(value)) for value in ordered[index]]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _curve(
    points: ElbowDistribution,
    fit: LossFit,
    laws: LossLaws,
    unit: Axis,
    rule: TokenRule | None,
    irreducible: float,
    ordered: Array,
    mass: Array,
) -> pl.DataFrame:
    """Return the distribution along the scale: P(E >= L(x)), law by law."""
    largest = fit.points.largest.get(unit)
    reached = ordered[np.isfinite(ordered)]
    ends = [largest] if largest is not None else []
    if len(reached):
        low, high = (float(np.interp(share, mass[: len(reached)], reached)) for share in _EDGES)
        ends += [low, min(high, low * 10.0**_DECADES)]
    if not ends:
        ends = [1.0]
    value = np.geomspace(min(ends) / 10.0**0.5, max(ends) * 10.0**0.5, _CURVE)
    loss = loss_at(laws, unit, value, rule)
    each = _at_least(points, np.maximum(loss, np.nextafter(irreducible, np.inf)))
    several = len(laws) > 1
    edges = np.quantile(each, _BAND, axis=0) if several else np.full((2, _CURVE), np.nan)
    frame = {
        "unit": [unit] * _CURVE,
        "value": value,
        "loss": loss_at(fit.batch(), unit, value, rule)[0],
        "cdf": each.mean(axis=0),
        "cdf_low": edges[0],
        "cdf_high": edges[1],
        "extrapolated": value > (math.inf if largest is None else largest),
    }
    return pl.DataFrame(frame).with_columns(pl.col("cdf_low", "cdf_high").fill_nan(None))


def _notes(fit: LossFit, factor: float | None, unit: Axis) -> list[Note]:
    notes = []
    if fit.resampled is None or not len(fit.resampled):
        notes.append(
            Note(
                "no-law-uncertainty",
                "info",
                "The loss law has no bootstrap: the intervals hold the elbow's uncertainty alone.",
            )
        )
    if factor is not None and factor > FAR:
        notes.append(
            Note(
                "far-extrapolation",
                "warning",
                f"The elbow is {factor:.3g} times beyond the largest {UNITS[unit]} of the loss "
                "law's models; the form of the law decides the answer there.",
            )
        )
    return notes
