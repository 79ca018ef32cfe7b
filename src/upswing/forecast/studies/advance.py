"""``advance``: from how far before emergence can it be forecast?

After figure 7 of Snell et al. 2024, arXiv:2411.16035: the strongest checkpoints are left out, one
after the other, and each forecast is judged against the truth. The paper gives the furthest
success. A single success beyond failures may be luck, so the furthest lead up to which *every*
forecast succeeds stands beside it, and the same for forecasts that cost nothing: within a fixed
0.1 nats "just past the best random checkpoint" is right for any lead that is short enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import polars as pl

from upswing.errors import InputError
from upswing.forecast.finetuning.emergence_law import FEWEST_LOSSES, EmergenceLaw
from upswing.forecast.finetuning.scores import CRITERION
from upswing.forecast.finetuning.truth import ElbowTruth
from upswing.forecast.studies.study import BASELINES, SCORES, ForecastStudy, forecast_study
from upswing.notes import Note
from upswing.tables.bundle import Tables

_NAIVE = tuple(column.removesuffix("_error") for column in BASELINES)

COLUMNS: dict[str, type[pl.DataType]] = {
    "task": pl.String,
    "dropped": pl.Int64,
    "emerged_flops": pl.Float64,
    **SCORES,
    **{f"{name}_within": pl.Boolean for name in _NAIVE},
}
"""``dropped`` counts the most capable checkpoints that were left out; ``emerged_flops`` [FLOP] is
the compute of the cheapest model beyond the true elbow, so that ``lead_flops`` is that over
``strongest_flops``; the others are :data:`~upswing.forecast.studies.study.SCORES` and whether
the naive forecasts are within the criterion."""

_LAW = "emergence law"


@dataclass(frozen=True, eq=False)
class Advance:
    """Forecasts from ever weaker checkpoints.

    Attributes
    ----------
    task, metric
        What was forecast.
    truth
        The true elbow.
    law
        The law.
    table
        One row per forecast, the shortest lead first, columns :data:`COLUMNS`.
    reach
        One row per method, the law first: ``forecast``; ``reliable_gap`` [nats/token] and
        ``reliable_lead_flops``, the furthest lead up to which all forecasts are within the
        criterion; ``furthest_gap`` and ``furthest_lead_flops``, the furthest success, as the paper
        counts it; ``failures_between``, forecasts that fail or are refused before that one. Nulls
        where nothing succeeds.
    notes
        Remarks on the data and on the leads.
    """

    task: str
    metric: str
    truth: ElbowTruth
    law: EmergenceLaw
    table: pl.DataFrame
    reach: pl.DataFrame
    notes: tuple[Note, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the study as plain values."""
        return {
            "task": self.task,
            "metric": self.metric,
            "d0": self.law.d0,
            "intervals": self.law.intervals,
            "criterion": CRITERION,
            "truth": dict(vars(self.truth)),
            "reach": self.reach.to_dicts(),
            "leads": self.table.to_dicts(),
            "notes": [note.to_dict() for note in self.notes],
        }

    def to_json(self) -> str:
        """Return the study as JSON."""
        return msgspec.json.format(msgspec.json.encode(self.to_dict()), indent=1).decode()


def advance(
    data: pl.DataFrame | Tables,
    law: EmergenceLaw,
    *,
    task: str | None = None,
    metric: str | None = None,
    family: str | None = None,
    method: str | None = None,
    scales: pl.DataFrame | None = None,
    truth: float | None = None,
    other_truths: Sequence[float] = (),
    gaps: Sequence[float] | None = None,
) -> Advance:
    """Forecast from ever weaker checkpoints, and tell how far in advance it succeeds.

    Parameters
    ----------
    data, task, metric, family, method, scales
        The table and what to take from it; see
        :func:`~upswing.forecast.finetuning.table.finetune_table`.
    law
        The law. Only models before the true elbow are used unless it has a limit of its own
        (``before``).
    truth
        True elbow [nats/token]; by default that of the prompted models in the table.
    other_truths
        True elbows of other tasks [nats/token], for a baseline.
    gaps
        Leave out models nearer to the truth than these [nats/token]; by default one checkpoint
        after the other, until too few different losses are left for the law.

    Raises
    ------
    InputError
        If the table is impossible, no truth is known, or a gap is negative.
    """
    study, notes = forecast_study(
        data,
        law,
        task=task,
        metric=metric,
        family=family,
        method=method,
        scales=scales,
        truth=truth,
        other_truths=other_truths,
    )
    rows = [_row(study, limit) for limit in _limits(study, gaps)]
    table = pl.DataFrame(rows, COLUMNS)
    reach = furthest_leads(table)
    return Advance(
        study.table.task,
        study.table.metric,
        study.truth,
        study.law,
        table,
        reach,
        (*notes, *_not_monotone(reach)),
    )


def _limits(study: ForecastStudy, gaps: Sequence[float] | None) -> list[float]:
    """Return losses above which models are used, ascending."""
    if gaps is not None:
        if not gaps or not all(0.0 <= gap < math.inf for gap in gaps):
            raise InputError("a gap is missing or negative", hint="such as 0 0.03 0.06 0.09 0.12")
        return [study.truth.elbow + gap for gap in sorted(gaps)]
    strongest_first = sorted(set(study.losses))
    if not strongest_first:
        raise InputError(f"no finetuned model has a loss above {study.limit:g}")
    most = max(len(strongest_first) - FEWEST_LOSSES, 0)
    return [study.limit, *strongest_first[:most]]


def _row(study: ForecastStudy, limit: float) -> dict[str, Any]:
    law = replace(study.law, before=limit)
    found = study.scored(law, pl.col("loss") > limit)
    emerged = study.table.frame.filter(pl.col("loss") < study.truth.elbow)["flops"].min()
    within = {
        f"{column.removesuffix('_error')}_within": None
        if found[column] is None
        else found[column] <= CRITERION + 1e-9
        for column in BASELINES
    }
    return {
        "task": study.table.task,
        "dropped": sum(loss <= limit for loss in study.losses),
        "emerged_flops": emerged,
        **found,
        **within,
    }


def furthest_leads(table: pl.DataFrame) -> pl.DataFrame:
    """Return how far in advance each method succeeds.

    Parameters
    ----------
    table
        One row per forecast, the shortest lead first: ``gap``, ``lead_flops``,
        ``within_criterion`` and, of the naive forecasts, errors and ``..._within``. A forecast that
        was refused is no success.

    Returns
    -------
    polars.DataFrame
        See ``reach`` of :class:`Advance`.
    """
    methods = {_LAW: "within_criterion"}
    methods |= {
        name: f"{column.removesuffix('_error')}_within"
        for column, name in BASELINES.items()
        if table[column].count()
    }
    rows = []
    for name, column in methods.items():
        successes = [success is True for success in table[column].to_list()]
        reliable = successes.index(False) if False in successes else len(successes)
        furthest = max((i for i, success in enumerate(successes) if success), default=-1)
        rows.append(
            {
                "forecast": name,
                **_lead(table, "reliable", reliable - 1),
                **_lead(table, "furthest", furthest),
                "failures_between": successes[:furthest].count(False) if furthest >= 0 else None,
            }
        )
    numbers = ("reliable_gap", "reliable_lead_flops", "furthest_gap", "furthest_lead_flops")
    schema = {"forecast": pl.String, **dict.fromkeys(numbers, pl.Float64)}
    return pl.DataFrame(rows, {**schema, "failures_between": pl.Int64})


def _lead(table: pl.DataFrame, name: str, place: int) -> dict[str, float | None]:
    lead = table.row(place, named=True) if place >= 0 else {}
    return {f"{name}_{unit}": lead.get(unit) for unit in ("gap", "lead_flops")}


def _not_monotone(reach: pl.DataFrame) -> list[Note]:
    own = reach.row(0, named=True)
    count = own["failures_between"]
    if not count:
        return []
    return [
        Note(
            "lead-not-monotone",
            "warning",
            f"{count} forecasts nearer to emergence than the furthest success "
            f"({own['furthest_gap']:.3g} nats before it) fail or are refused: that success may be "
            "luck.",
            {"failures": count, "furthest_gap": own["furthest_gap"]},
        )
    ]
