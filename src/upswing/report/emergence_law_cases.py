"""Which abilities are forecast from finetuned models in a report, and the forecasts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from upswing.curves.finetuned import Finetuned
from upswing.errors import InputError
from upswing.forecast.finetuning.emergence_forecast import QUANTILES, EmergenceForecast
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.figure_tables import EmergenceFigures, emergence_figures
from upswing.forecast.finetuning.table import FinetuneTable, finetune_table
from upswing.forecast.finetuning.truth import ElbowTruth, elbow_truth
from upswing.metrics.registry import known_metric
from upswing.tables.bundle import Tables

MOST_FORECASTS = 8
"""Pairs of family and task for which the law is fitted, at some seconds each."""

RESAMPLES = 200
"""Of the bootstrap that is drawn beside the posterior."""

PRIMARY = ("exact_match", "acc")
"""Metrics that are forecast first, where a task has several."""

DEFAULT_D0 = 5.0
"""Solved examples of a prompt where the scores do not tell how many there were."""

EMERGENCE_TABLES = (
    "emergence_forecasts",
    "emergence_baselines",
    "emergence_points",
    "emergence_curves",
    "emergence_distributions",
)
"""Names of the tables behind the section."""


@dataclass(frozen=True, eq=False)
class EmergenceCase:
    """One forecast of a report.

    Attributes
    ----------
    family, task, metric
        What is forecast.
    other_metrics
        Other metrics of the same models, which are not.
    law
        With the limit on the loss, where the truth is known.
    shots_known
        Whether D0 is the number of solved examples in the prompts, or :data:`DEFAULT_D0`.
    corpus
        Text that the losses were measured on.
    table
        The scores; None where they cannot be read.
    forecast
        None where the fit stopped; ``error`` says why.
    figures
        What is drawn; None without scores.
    error
        Why there is no forecast, in plain words.
    """

    family: str
    task: str
    metric: str
    other_metrics: tuple[str, ...]
    law: EmergenceLaw
    shots_known: bool
    corpus: str | None
    table: FinetuneTable | None = None
    forecast: EmergenceForecast | None = None
    figures: EmergenceFigures | None = None
    error: str = ""

    @property
    def status(self) -> str:
        """``forecast``, ``beyond reach`` or ``refused``."""
        return "refused" if self.forecast is None else self.forecast.status

    @property
    def reason(self) -> str:
        """Why there is no forecast; empty where there is one."""
        return self.error if self.forecast is None else self.forecast.reason

    @property
    def checked(self) -> bool:
        """Whether models beyond the measured elbow were held out."""
        return self.law.before is not None


@dataclass(frozen=True, eq=False)
class EmergenceCases:
    """The forecasts of a report, and how many more there could be."""

    cases: tuple[EmergenceCase, ...]
    more: int = 0

    def tables(self) -> dict[str, pl.DataFrame | None]:
        """Return the tables behind the section, see :data:`EMERGENCE_TABLES`."""
        drawn = [case for case in self.cases if case.figures is not None]
        made = {
            "points": [(case, case.figures.means) for case in drawn if case.figures],
            "curves": [(case, case.figures.curves) for case in drawn if case.figures],
            "distributions": [(case, case.figures.distribution) for case in drawn if case.figures],
        }
        return {
            "emergence_forecasts": pl.DataFrame(
                [_row(case) for case in self.cases], infer_schema_length=None
            ),
            "emergence_baselines": _joined(
                [(case, case.forecast.to_frame()) for case in self.cases if case.forecast]
            ),
            **{f"emergence_{name}": _joined(frames) for name, frames in made.items()},
        }


def emergence_cases(
    tables: Tables, found: Finetuned | None, seed: int = 0
) -> EmergenceCases | None:
    """Fit emergence laws to the finetuned models of a reading.

    Every pair of family and task whose models have a loss and that was finetuned on at least two
    amounts of data is forecast, under one metric. Where prompted models were measured to leave
    chance, only models before that are used: then the forecast can be checked.

    Parameters
    ----------
    tables
        What :func:`upswing.read` returned.
    found
        The finetuned models that the report shows.
    seed
        Of the bootstrap.

    Returns
    -------
    EmergenceCases or None
        None where nothing can be forecast.
    """
    if found is None:
        return None
    prepared = [case for case in _prepared(tables, found, seed) if case is not None]
    if not prepared:
        return None
    truths = [_truth(case) for case in prepared[:MOST_FORECASTS]]
    made = [
        _forecast(case, truth, _others(prepared, truths, i), found)
        for i, (case, truth) in enumerate(zip(prepared, truths, strict=False))
    ]
    return EmergenceCases(tuple(made), max(0, len(prepared) - MOST_FORECASTS))


def _prepared(tables: Tables, found: Finetuned, seed: int) -> list[EmergenceCase | None]:
    pairs = found.runs.select("family", "task").unique().sort("task", "family").rows()
    frame = tables.finetunes.join(
        tables.scales.select("model", "revision", "loss", "loss_corpus"),
        on=["model", "revision"],
        how="left",
    ).filter(pl.col("loss").is_finite() & pl.col("value").is_finite())
    return [_case(tables, frame, family, task, seed) for family, task in pairs]


def _case(
    tables: Tables, frame: pl.DataFrame, family: str, task: str, seed: int
) -> EmergenceCase | None:
    """Choose metric and D0 of one pair, and check its scores."""
    own = frame.filter((pl.col("family") == family) & (pl.col("task") == task))
    tuned = own.filter(~pl.col("few_shot").fill_null(False))
    amounts = tuned.group_by("metric").agg(pl.col("d").n_unique().alias("amounts"))
    metrics = sorted(amounts.filter(pl.col("amounts") >= 2)["metric"].to_list(), key=_first)
    if not metrics:
        return None
    metric, *others = metrics
    own = own.filter(pl.col("metric") == metric)
    shots = tables.scores.join(
        own.select("model", "revision"), on=["model", "revision"], how="semi"
    )
    same = (pl.col("task") == task) & (pl.col("metric") == metric)
    counts = shots.filter(same)["n_shot"].drop_nulls().unique().to_list()
    known = len(counts) == 1
    texts = own["loss_corpus"].drop_nulls().unique().to_list()
    case = EmergenceCase(
        family,
        task,
        metric,
        tuple(others),
        EmergenceLaw(d0=float(counts[0]) if known else DEFAULT_D0, resamples=RESAMPLES, seed=seed),
        known,
        texts[0] if len(texts) == 1 else None,
    )
    if len(texts) > 1:
        return replace(
            case, error="the losses were measured on different texts and cannot be compared"
        )
    try:
        return replace(case, table=finetune_table(own.drop("loss"), scales=tables.scales))
    except InputError as error:
        return replace(case, error=_plain(error))


def _first(metric: str) -> tuple[int, bool, str]:
    """Return the place of a metric: the primary ones, then shares of right answers, then others."""
    known = known_metric(metric)
    place = PRIMARY.index(metric) if metric in PRIMARY else len(PRIMARY)
    return place, known is None or not known.proportion, metric


def _truth(case: EmergenceCase) -> ElbowTruth | None:
    return None if case.table is None else elbow_truth(case.table.rows(case.law.d0))


def _others(
    cases: list[EmergenceCase], truths: list[ElbowTruth | None], own: int
) -> tuple[float, ...]:
    """Return the true elbows of other tasks of the same family under the same metric."""
    this = cases[own]
    return tuple(
        truth.elbow
        for case, truth in zip(cases, truths, strict=False)
        if truth is not None
        and case.task != this.task
        and (case.family, case.metric) == (this.family, this.metric)
    )


def _forecast(
    case: EmergenceCase,
    truth: ElbowTruth | None,
    other_truths: tuple[float, ...],
    found: Finetuned,
) -> EmergenceCase:
    if case.table is None:
        return case
    law = case.law if truth is None else replace(case.law, before=truth.elbow)
    forecast, error = None, ""
    try:
        forecast = law.fit(case.table.frame, other_truths=other_truths)
    except InputError as stopped:
        error = _plain(stopped)
    chance = _chance(found, case)
    figures = emergence_figures(forecast, case.table, law, chance)
    return replace(case, law=law, forecast=forecast, figures=figures, error=error)


def _chance(found: Finetuned, case: EmergenceCase) -> float | None:
    own = (pl.col("task") == case.task) & (pl.col("metric") == case.metric)
    levels = found.points.filter(own)["chance"].drop_nulls().unique().to_list()
    return levels[0] if len(levels) == 1 else None


def _plain(error: InputError) -> str:
    """Return an error as the reason why there is no forecast."""
    return str(error).replace("\n", " ")


def _joined(parts: list[tuple[EmergenceCase, pl.DataFrame]]) -> pl.DataFrame | None:
    """Put tables of several forecasts under each other, with what each is of."""
    labelled = [
        frame.select(
            *(pl.lit(getattr(case, name)).alias(name) for name in ("family", "task", "metric")),
            pl.all(),
        )
        for case, frame in parts
        if len(frame)
    ]
    return pl.concat(labelled, how="diagonal_relaxed") if labelled else None


def _row(case: EmergenceCase) -> dict[str, Any]:
    """Return one row of the table of forecasts."""
    forecast = case.forecast
    elbow = {} if forecast is None else forecast.elbow
    truth = {} if forecast is None else forecast.truth
    return {
        "family": case.family,
        "task": case.task,
        "metric": case.metric,
        "d0": case.law.d0,
        "before": case.law.before,
        "status": case.status,
        "reason": case.reason,
        **{name: elbow.get(name) for name in ("mle", "mean", *QUANTILES)},
        "p_beyond_reach": None if forecast is None else forecast.p_beyond_reach,
        **{f"truth_{name}": truth.get(name) for name in ("elbow", "q05", "q95")},
        **{name: truth.get(name) for name in ("gap", "inside_90", "lead_flops")},
    }
