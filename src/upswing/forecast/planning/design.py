r"""Which runs to do next: those that narrow the interval of E(D0) most for what they cost.

Every candidate (a checkpoint, an amount of data, some fresh subsets, a number of questions) is
tried on paper by :mod:`~upswing.forecast.planning.preposterior`;
:mod:`~upswing.forecast.planning.design_search` chooses.

Subsets are fresh: a run on a subset that was used before shares its luck, and tells less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import polars as pl

from upswing.errors import InputError
from upswing.forecast.finetuning.emergence_forecast import EmergenceForecast
from upswing.forecast.finetuning.emergence_law import FEWEST_LOSSES, EmergenceLaw, Intervals
from upswing.forecast.finetuning.table import FinetuneTable, finetune_table
from upswing.forecast.planning.candidates import (
    candidate_runs,
    checked_candidates,
    usual_questions,
)
from upswing.forecast.planning.cost import RunCost
from upswing.forecast.planning.design_search import HELPS, DesignSearch
from upswing.forecast.planning.expected_scores import PosteriorPoints, posterior_points
from upswing.laws.emergence.choice import most_likely_form
from upswing.laws.emergence.fit import EmergenceMle
from upswing.laws.emergence.hierarchy import hierarchical_posterior
from upswing.laws.emergence.posterior import EmergencePosterior
from upswing.notes import Note
from upswing.tables.bundle import Tables

_EMERGES = 0.5


@dataclass(frozen=True, eq=False)
class EmergencePlan:
    """What to run next.

    Attributes
    ----------
    task, metric, d0
        What is forecast.
    budget, unit
        What may be spent, and in which unit: FLOP, runs, or the candidates' own.
    elbow
        The present forecast: quantiles of E(D0) [nats/token].
    width
        Width of its 90 % interval [nats/token].
    steps
        The runs to do, in order of choice. Columns: ``rank``, ``model``, ``revision``, ``loss``
        [nats/token], ``d`` [examples], ``draws``, ``n`` [questions], ``cost``, ``spent`` (so far),
        ``width_before`` and ``width_after`` (expected, all runs up to here done) [nats/token],
        ``reduction_per_cost`` [nats/token per unit], ``standard_error`` of the reduction.
    candidates
        Every candidate, done alone: the same columns without ``rank`` and ``spent``, and
        ``affordable``; best reduction first.
    limits
        What limits the forecast: ``smallest_d``, the smallest amount of data that more likely than
        not emerges on a model at hand; ``smallest_elbow``, its mean elbow; ``extrapolated``, how
        far E(D0) is below that; ``best_loss`` of the candidates; all [nats/token] but the first.
        Nulls where no amount emerges.
    sentence
        What the plan does, or why nothing in reach helps.
    notes
        Remarks.
    seed
        Of the scenarios.
    """

    task: str
    metric: str
    d0: float
    budget: float
    unit: str
    elbow: Mapping[str, float | None]
    width: float
    steps: pl.DataFrame
    candidates: pl.DataFrame
    limits: Mapping[str, float | None]
    sentence: str
    notes: tuple[Note, ...]
    seed: int

    @property
    def expected_width(self) -> float:
        """Expected width of the 90 % interval after all steps [nats/token]."""
        return float(self.steps["width_after"][-1]) if len(self.steps) else self.width

    def to_frame(self) -> pl.DataFrame:
        """Return the runs to do."""
        return self.steps

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return {
            "task": self.task,
            "metric": self.metric,
            "d0": self.d0,
            "budget": self.budget,
            "unit": self.unit,
            "elbow": dict(self.elbow),
            "width": self.width,
            "expected_width": self.expected_width,
            "steps": self.steps.to_dicts(),
            "candidates": self.candidates.to_dicts(),
            "limits": dict(self.limits),
            "sentence": self.sentence,
            "notes": [note.to_dict() for note in self.notes],
            "seed": self.seed,
        }

    def to_json(self) -> str:
        """Return the plan as JSON."""
        return msgspec.json.format(msgspec.json.encode(self.to_dict()), indent=1).decode()


def plan_runs(
    data: pl.DataFrame | Tables,
    budget: float,
    law: EmergenceLaw | None = None,
    *,
    task: str | None = None,
    metric: str | None = None,
    family: str | None = None,
    method: str | None = None,
    candidates: pl.DataFrame | None = None,
    cost: RunCost | None = None,
    losses: Sequence[float] = (),
    amounts: Sequence[float] = (),
    draws: Sequence[int] = (1,),
    questions: Sequence[int] = (),
    most: int = 12,
    scenarios: int = 128,
    points: int = 1500,
    seed: int = 0,
) -> EmergencePlan:
    """Choose the runs that narrow the interval of E(D0) most, within a budget.

    Parameters
    ----------
    data, task, metric, family, method
        What has been run; see :func:`~upswing.forecast.finetuning.table.finetune_table`.
    budget
        What may be spent.
    law
        The forecaster; its intervals are ``hierarchical`` or ``iid``.
    candidates
        What could be run, where it is not every checkpoint with every amount; see
        :func:`~upswing.forecast.planning.candidates.checked_candidates`. A column ``cost`` gives
        costs in a unit of one's own.
    cost
        What runs cost; by default compute where all numbers of parameters are known, else one per
        run.
    losses, amounts, draws, questions
        Of the candidates; see :func:`~upswing.forecast.planning.candidates.candidate_runs`.
    most
        How many candidates are chosen at most.
    scenarios, points
        Size of the simulation: scenarios of what is true, and laws that stand for the posterior.
    seed
        Of the simulation.

    Raises
    ------
    InputError
        If the data have fewer than two amounts of data or four losses, so that there is no
        posterior to narrow; or a setting is impossible.
    """
    law = law or EmergenceLaw(resamples=0)
    if not budget > 0 or most < 1 or scenarios < 2 or points < 100:
        raise InputError("budget, steps, scenarios and points must be positive")
    table = finetune_table(data, task=task, metric=metric, family=family, method=method)
    forecast, mle, posterior, notes = _known(law, table)
    if candidates is None:
        grid = candidate_runs(
            table.frame,
            law.d0,
            before=law.before,
            losses=losses,
            amounts=amounts,
            draws=draws,
            questions=questions,
        )
    else:
        grid = checked_candidates(candidates, law.d0, usual_questions(table.frame))
    grid, unit = _with_cost(grid, cost)
    rng = np.random.default_rng(seed)
    laws = posterior_points(
        forecast.rows,
        mle,
        posterior,
        points,
        rng,
        irreducible=law.irreducible,
        proportion=table.proportion,
    )
    search = DesignSearch(grid, laws, budget, rng)
    alone, steps, thin = search.found(scenarios, most)
    if thin:
        notes.append(
            Note(
                "few-points",
                "info",
                "The last steps narrow the posterior to a few of its points: more points would "
                "be needed to go on.",
            )
        )
    limits = _limits(laws, grid)
    ends = posterior.quantile(np.array([0.05, 0.5, 0.95]))
    elbow = {"mle": mle.forecast, **dict(zip(("q05", "q50", "q95"), map(float, ends), strict=True))}
    elbow = {name: max(value, law.irreducible) for name, value in elbow.items()}
    return EmergencePlan(
        task=table.task,
        metric=table.metric,
        d0=law.d0,
        budget=float(budget),
        unit=unit,
        elbow=elbow,
        width=elbow["q95"] - elbow["q05"],
        steps=steps,
        candidates=alone,
        limits=limits,
        sentence=_sentence(steps, alone, limits, budget, unit),
        notes=(*table.notes, *notes),
        seed=seed,
    )


def _known(
    law: EmergenceLaw, table: FinetuneTable
) -> tuple[EmergenceForecast, EmergenceMle, EmergencePosterior, list[Note]]:
    """Return what is known now; where a forecast is refused, what the prior makes of the data."""
    intervals: Intervals = "iid" if law.intervals == "iid" else "hierarchical"
    forecast = replace(law, resamples=0, intervals=intervals).fit(table.frame)
    if forecast.mle is not None and forecast.posterior is not None:
        return forecast, forecast.mle, forecast.posterior, []
    rows = forecast.rows
    if len(rows.amounts) < 2 or len(np.unique(rows.finetuned.loss)) < FEWEST_LOSSES:
        raise InputError(
            f"nothing to plan from: {forecast.reason}",
            hint="before the first runs, use the power calculator (upswing law power)",
        )
    mle = most_likely_form(rows, law.shape, law.cap, law.floors)
    note = Note(
        "planned-from-prior",
        "warning",
        f"The data do not allow a forecast ({forecast.reason}); the plan leans on the prior.",
    )
    return forecast, mle, hierarchical_posterior(rows, mle, law.prior), [note]


def _with_cost(grid: pl.DataFrame, cost: RunCost | None) -> tuple[pl.DataFrame, str]:
    """Return the candidates with their cost, and its unit."""
    if cost is None:
        cost = RunCost("runs" if grid["params"].null_count() else "FLOP")
    unit = "cost" if "cost" in grid.columns else cost.unit
    return grid.with_columns(pl.Series("cost", cost.of(grid), pl.Float64)), unit


def _limits(laws: PosteriorPoints, grid: pl.DataFrame) -> dict[str, float | None]:
    """Return the smallest amount of data that emerges, and how far E(D0) is from it."""
    best = float(grid["loss"].to_numpy().min())
    found: dict[str, float | None] = dict.fromkeys(("smallest_d", "smallest_elbow", "extrapolated"))
    for d in sorted(grid["d"].unique().to_list()):
        elbows = laws.elbows(d)
        if np.mean(elbows > best) >= _EMERGES:
            found["smallest_d"] = d
            found["smallest_elbow"] = float(elbows.mean())
            found["extrapolated"] = float((elbows - laws.forecast).mean())
            break
    return {**found, "best_loss": best}


def _sentence(
    steps: pl.DataFrame,
    alone: pl.DataFrame,
    limits: Mapping[str, float | None],
    budget: float,
    unit: str,
) -> str:
    """Say what the plan does, or what limits it."""
    if limits["smallest_d"] is None:
        limit = "No amount of data in reach is likely to emerge on a model at hand."
    else:
        limit = (
            f"The smallest amount of data likely to emerge on a model at hand is "
            f"{limits['smallest_d']:g}, whose elbow is {limits['extrapolated']:.2g} nats above "
            f"E(D0); that is left to extrapolation."
        )
    if len(steps):
        before, after = float(steps["width_before"][0]), float(steps["width_after"][-1])
        count, verb = ("1 step", "is") if len(steps) == 1 else (f"{len(steps)} steps", "are")
        return (
            f"{count} for {steps['spent'][-1]:.3g} of {budget:.3g} {unit} {verb} expected "
            f"to narrow the 90 % interval from {before:.3g} to {after:.3g} nats. {limit}"
        )
    if not alone["affordable"].any():
        cheapest = float(alone["cost"].to_numpy().min())
        return f"Nothing is affordable: the cheapest candidate costs {cheapest:.3g} {unit}."
    return (
        f"No candidate is expected to narrow the interval by more than {HELPS:.0%}. {limit} "
        "Models of lower loss, or more finetuning data, would help."
    )
