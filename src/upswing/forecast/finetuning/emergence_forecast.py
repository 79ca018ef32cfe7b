"""``EmergenceForecast``: what a fitted emergence law says, as plain values and as objects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import numpy as np
import polars as pl

from upswing.laws.emergence.bootstrap import EmergenceBootstrap
from upswing.laws.emergence.fit import EmergenceMle
from upswing.laws.emergence.posterior import PERCENTILES, EmergencePosterior
from upswing.laws.emergence.rows import EmergenceRows
from upswing.notes import Note

Status = Literal["forecast", "beyond reach", "refused"]

QUANTILES = tuple(f"q{100 * share:02.0f}" for share in PERCENTILES)
"""Names of the quantiles in tables and JSON."""

_PLAIN = (
    "task",
    "metric",
    "d0",
    "intervals",
    "status",
    "refused",
    "reason",
    "elbow",
    "p_beyond_reach",
    "bootstrap",
    "parameters",
    "identifiability",
    "baselines",
    "truth",
)


@dataclass(frozen=True, eq=False)
class EmergenceForecast:
    """Where prompted models will leave chance, by an emergence law.

    Attributes
    ----------
    task, metric, d0, intervals
        What was forecast, from which D0, and which intervals ``elbow`` has.
    status
        ``forecast``; ``beyond reach`` where the most likely elbow, or half of the distribution, is
        at or below the irreducible loss, so that no model of this corpus would emerge; ``refused``.
    refused, reason
        Whether the data do not allow a forecast, and why.
    elbow
        E(D0) [nats/token]: ``mle``, ``mean``, and the quantiles ``q05`` ... ``q95``; nulls where
        refused. None is below the irreducible loss.
    p_beyond_reach
        Probability that E(D0) is at or below the irreducible loss.
    bootstrap
        The same by resampling: ``unit``, ``resamples``, ``fitted`` (of them), ``mean``, quantiles.
    parameters
        The fitted law; slope, bases, cap and ``delta`` in the metric's own unit.
    identifiability
        Exponents and forecasts that the data allow, and correlations.
    baselines
        One row per forecast, the law's own first: ``forecast``, ``elbow`` and, where the truth is
        known, its scores.
    truth
        The true elbow where it is known, with the score of the most likely elbow; nulls elsewhere.
    notes
        Remarks on the data and on decisions that were taken.
    mle, posterior, resampled, rows
        The objects behind, for charts and studies; ``rows`` are those that were fitted. In them
        more is better: scores of a metric of which less is better are negative.
    """

    task: str
    metric: str
    d0: float
    intervals: str
    status: Status
    reason: str
    elbow: Mapping[str, float | None]
    p_beyond_reach: float | None
    bootstrap: Mapping[str, Any]
    parameters: Mapping[str, Any]
    identifiability: Mapping[str, Any]
    baselines: tuple[Mapping[str, Any], ...]
    truth: Mapping[str, Any]
    notes: tuple[Note, ...]
    rows: EmergenceRows = field(repr=False)
    mle: EmergenceMle | None = field(default=None, repr=False)
    posterior: EmergencePosterior | None = field(default=None, repr=False)
    resampled: EmergenceBootstrap | None = field(default=None, repr=False)

    @property
    def refused(self) -> bool:
        """Whether the data do not allow a forecast."""
        return self.status == "refused"

    def to_dict(self) -> dict[str, Any]:
        """Return the forecast as plain values; numbers that are not finite are null."""
        plain = {name: _plain(getattr(self, name)) for name in _PLAIN}
        return {**plain, "notes": [note.to_dict() for note in self.notes]}

    def to_json(self) -> str:
        """Return the forecast as JSON."""
        return msgspec.json.format(msgspec.json.encode(self.to_dict()), indent=1).decode()

    def to_frame(self) -> pl.DataFrame:
        """Return the law beside the baselines: a table of forecasts."""
        return pl.DataFrame([dict(row) for row in self.baselines])


def summary(
    distribution: EmergencePosterior | EmergenceBootstrap | None,
    mle: float | None,
    irreducible: float,
) -> dict[str, float | None]:
    """Return the most likely elbow, mean and quantiles, none below the irreducible loss."""

    def reachable(value: float | None) -> float | None:
        return None if value is None else max(float(value), irreducible)

    if distribution is None:
        empty: dict[str, float | None] = dict.fromkeys(("mean", *QUANTILES))
        return {"mle": reachable(mle), **empty}
    quantiles = distribution.quantile(np.array(PERCENTILES))
    named = {name: reachable(q) for name, q in zip(QUANTILES, quantiles, strict=True)}
    return {"mle": reachable(mle), "mean": reachable(distribution.mean), **named}


def _plain(value: Any) -> Any:
    """Return plain values for JSON, which has no infinity."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
