"""The tables behind figures of an emergence law: scores, curves, marks, and the distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from upswing.forecast.finetuning.emergence_forecast import QUANTILES, EmergenceForecast
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.table import FinetuneTable
from upswing.laws.emergence.bootstrap import EmergenceBootstrap
from upswing.laws.emergence.law import lowest_amount
from upswing.laws.emergence.posterior import EmergencePosterior

MARKS: dict[str, type[pl.DataType]] = {
    "kind": pl.String,
    "name": pl.String,
    "d": pl.Float64,
    "elbow": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "value": pl.Float64,
}
"""``kind`` is ``amount`` (the fitted elbow at ``d`` examples), ``forecast`` (at D0; ``low`` and
``high`` hold 90 %, ``name`` is the status), ``truth``, ``limit`` (only models with a loss above
``elbow`` were used), ``baseline`` (called ``name``), ``quantile`` (``value`` is the share below),
``irreducible`` or ``chance``. ``elbow``, ``low`` and ``high`` are losses [nats/token]; ``value``
is a score elsewhere."""

_RUN = ("model", "revision", "loss", "d", "few_shot", "draw", "seed", "value", "n", "used")
_POINT = ("model", "revision", "params", "tokens", "flops", "loss", "d", "few_shot", "used")
_SHARES = np.concatenate([[0.001, 0.005], np.linspace(0.01, 0.99, 99), [0.995, 0.999]])


@dataclass(frozen=True, eq=False)
class EmergenceFigures:
    """What figures of one forecast are drawn from.

    Attributes
    ----------
    runs
        One row per score: ``model, revision, loss`` [nats/token], ``d`` [examples], null where
        ``few_shot``, ``draw, seed, value, n`` [questions], and ``used``: whether the forecast was
        made from it.
    means
        The same per checkpoint and amount of data: ``value`` is the mean of ``runs`` scores on
        ``draws`` draws, ``lowest`` and ``highest`` their ends; with ``params``, ``tokens`` and
        ``flops`` of the checkpoint.
    curves
        The fitted curves by their corners: ``d, few_shot, loss, value``. Empty where refused.
    marks
        Columns :data:`MARKS`.
    distribution
        ``source`` (``posterior`` or ``bootstrap``), ``main`` (whether the forecast's interval is
        from it), ``elbow`` [nats/token], and ``cdf``, the probability of an elbow at most that.
        What is below the irreducible loss is put at it.
    """

    runs: pl.DataFrame
    means: pl.DataFrame
    curves: pl.DataFrame
    marks: pl.DataFrame
    distribution: pl.DataFrame


def emergence_figures(
    forecast: EmergenceForecast | None,
    table: FinetuneTable,
    law: EmergenceLaw,
    chance: float | None = None,
) -> EmergenceFigures:
    """Return the tables that figures of a forecast are drawn from.

    Parameters
    ----------
    forecast
        What ``law`` said; None where it could not be fitted at all.
    table
        The scores, those that were held out included.
    law
        For the limit on the loss and the irreducible loss.
    chance
        Score of a model that guesses.

    Examples
    --------
    >>> from upswing.forecast.finetuning.table import finetune_table
    >>> from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning
    >>> frame = simulate_finetuning(FinetuningWorld(), np.random.default_rng(0), None, "all")
    >>> law = EmergenceLaw(before=1.95, intervals="iid", resamples=0)
    >>> made = emergence_figures(law.fit(frame), finetune_table(frame), law)
    >>> made.runs["used"].sum(), len(made.runs)  # 16 of 24 checkpoints, at 6 amounts and prompted
    (112, 168)
    >>> sorted(set(made.marks["kind"]))
    ['amount', 'baseline', 'forecast', 'limit', 'quantile', 'truth']
    """
    limit = -np.inf if law.before is None else law.before
    used = pl.col("loss") > limit
    if not law.delta:
        used = used & ~pl.col("few_shot")
    runs = table.frame.with_columns(used.alias("used")).sort("few_shot", "d", "loss", "draw")
    return EmergenceFigures(
        runs.select(_RUN),
        _means(runs),
        _curves(forecast, table),
        _marks(forecast, table, law, chance),
        _distribution(forecast, law.irreducible),
    )


def _means(runs: pl.DataFrame) -> pl.DataFrame:
    score = pl.col("value")
    return runs.group_by(_POINT, maintain_order=True).agg(
        score.mean(),
        score.min().alias("lowest"),
        score.max().alias("highest"),
        pl.len().cast(pl.Int64).alias("runs"),
        pl.col("draw").drop_nulls().n_unique().cast(pl.Int64).alias("draws"),
        pl.col("n").min(),
    )


def _amounts(forecast: EmergenceForecast) -> list[tuple[float, bool]]:
    """Return the amounts of data, and whether each is that of prompted models."""
    tuned = [(float(d), False) for d in forecast.rows.amounts]
    return [*tuned, (forecast.d0, True)]


def _curves(forecast: EmergenceForecast | None, table: FinetuneTable) -> pl.DataFrame:
    schema = {"d": pl.Float64, "few_shot": pl.Boolean, "loss": pl.Float64, "value": pl.Float64}
    if forecast is None or forecast.mle is None:
        return pl.DataFrame(schema=schema)
    fitted = forecast.mle.curves
    loss = table.frame["loss"].to_numpy()
    reach = 0.5 * float(np.ptp(loss)) + 0.1
    low, high = float(loss.min()) - reach, float(loss.max()) + reach
    rows: list[dict[str, Any]] = []
    for amount, few_shot in _amounts(forecast):
        place = lowest_amount(amount)
        elbow = float(fitted.elbows.elbow([place])[0])
        corners = [elbow] if fitted.ramp is None else [elbow, elbow - fitted.ramp]
        at = np.array(sorted([low, *(c for c in corners if low < c < high), high], reverse=True))
        value = table.sign * fitted.score(at, place, few_shot)
        rows += [
            {"d": amount, "few_shot": few_shot, "loss": x, "value": y}
            for x, y in zip(at.tolist(), value.tolist(), strict=True)
        ]
    return pl.DataFrame(rows, schema)


def _marks(
    forecast: EmergenceForecast | None,
    table: FinetuneTable,
    law: EmergenceLaw,
    chance: float | None,
) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    if forecast is not None:
        rows += [*_fitted_marks(forecast, table, chance), *_naive_marks(forecast)]
    if law.before is not None:
        rows.append({"kind": "limit", "elbow": law.before})
    if law.irreducible > 0:
        rows.append({"kind": "irreducible", "elbow": law.irreducible})
    if chance is not None:
        rows.append({"kind": "chance", "value": chance})
    return pl.DataFrame(rows, schema=MARKS)


def _naive_marks(forecast: EmergenceForecast) -> list[dict[str, Any]]:
    return [
        {"kind": "baseline", "name": row["forecast"], "elbow": row["elbow"]}
        for row in forecast.baselines
        if not row["forecast"].startswith("emergence law")
    ]


def _fitted_marks(
    forecast: EmergenceForecast, table: FinetuneTable, chance: float | None
) -> list[dict[str, Any]]:
    """Return the elbows of the law, and of the truth, at the height of their curve."""
    rows: list[dict[str, Any]] = []
    height = chance
    if forecast.mle is not None:
        fitted = forecast.mle.curves
        weak = [1e3]  # a loss before every elbow
        for amount, few_shot in _amounts(forecast):
            place = lowest_amount(amount)
            base = table.sign * float(fitted.score(weak, place, few_shot)[0])
            if few_shot:
                height = base
                continue
            at = float(fitted.elbows.elbow([place])[0])
            rows.append({"kind": "amount", "d": amount, "elbow": at, "value": base})
    elbow, truth = forecast.elbow, forecast.truth
    if elbow["mle"] is not None:
        said = {"kind": "forecast", "name": forecast.status, "d": forecast.d0, "value": height}
        rows.append({**said, "elbow": elbow["mle"], "low": elbow["q05"], "high": elbow["q95"]})
        rows += [
            {"kind": "quantile", "name": name, "elbow": elbow[name], "value": int(name[1:]) / 100}
            for name in QUANTILES
            if elbow[name] is not None
        ]
    if truth["elbow"] is not None:
        if height is None:
            random = table.frame.filter("few_shot", pl.col("loss") > truth["elbow"])["value"]
            height = float(random.to_numpy().mean()) if len(random) else None
        known = {"kind": "truth", "name": truth["source"], "value": height}
        rows.append({**known, "elbow": truth["elbow"], "low": truth["q05"], "high": truth["q95"]})
    return rows


def _distribution(forecast: EmergenceForecast | None, irreducible: float) -> pl.DataFrame:
    schema = {"source": pl.String, "main": pl.Boolean, "elbow": pl.Float64, "cdf": pl.Float64}
    frames = [pl.DataFrame(schema=schema)]
    by_source: dict[str, EmergencePosterior | EmergenceBootstrap | None] = {}
    if forecast is not None:
        by_source = {"posterior": forecast.posterior, "bootstrap": forecast.resampled}
        first = "bootstrap" if forecast.intervals == "bootstrap" else "posterior"
    for source, found in by_source.items():
        if found is None or not len(found.forecast):
            continue
        rows = {"elbow": np.maximum(found.quantile(_SHARES), irreducible), "cdf": _SHARES}
        name, main = pl.lit(source).alias("source"), pl.lit(source == first).alias("main")
        frames.append(pl.DataFrame(rows).select(name, main, "elbow", "cdf"))
    return pl.concat(frames)
