"""A forecast under study: made again from parts of a table, and laid beside the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from upswing.errors import InputError
from upswing.forecast.finetuning.emergence_forecast import EmergenceForecast
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.scores import CRITERION, interval_score, score_elbow
from upswing.forecast.finetuning.table import FinetuneTable, finetune_table
from upswing.forecast.finetuning.truth import ElbowTruth, elbow_truth
from upswing.laws.emergence.bootstrap import EmergenceBootstrap
from upswing.laws.emergence.posterior import EmergencePosterior
from upswing.notes import Note
from upswing.tables.bundle import Tables

SCORES: dict[str, type[pl.DataType]] = {
    "status": pl.String,
    "reason": pl.String,
    "elbow": pl.Float64,
    "q05": pl.Float64,
    "q50": pl.Float64,
    "q95": pl.Float64,
    "truth": pl.Float64,
    "error": pl.Float64,
    "absolute_error": pl.Float64,
    "error_q05": pl.Float64,
    "error_q95": pl.Float64,
    "within_criterion": pl.Boolean,
    "gap": pl.Float64,
    "relative_error": pl.Float64,
    "interval_score": pl.Float64,
    "inside_90": pl.Boolean,
    "strongest_flops": pl.Float64,
    "lead_flops": pl.Float64,
    "n_checkpoints": pl.Int64,
    "n_amounts": pl.Int64,
    "best_still_random_error": pl.Float64,
    "smallest_amount_error": pl.Float64,
    "others_mean_error": pl.Float64,
}
"""What is known of one forecast with a truth.

``elbow`` is the most likely one, ``q05`` to ``q95`` are quantiles, ``truth`` the true elbow, and
``error`` that of the most likely one, forecast minus truth, so that a positive one is too early;
``error_q05`` and ``error_q95`` are quantiles of the *absolute* error over the posterior, as in
table 2 of Snell et al.;
``within_criterion`` is theirs, ``gap`` how far the truth is beyond the best model used and
``relative_error`` the absolute error over the gap; ``interval_score`` and ``inside_90`` judge q05
to q95; ``strongest_flops`` [FLOP] is the largest compute of a model used and ``lead_flops`` how
many times that the first emerged model took; then checkpoints and amounts of data used, and the
absolute errors of forecasts that cost nothing. All losses are in [nats/token]."""

BASELINES = {
    "best_still_random_error": "just past the best random checkpoint",
    "smallest_amount_error": "elbow at the smallest D",
    "others_mean_error": "mean truth of other tasks",
}
"""Column of each naive forecast, by its name in a forecast's table."""


@dataclass(frozen=True, eq=False)
class ForecastStudy:
    """A table with a known truth, and the law whose forecasts are studied.

    Attributes
    ----------
    table
        Scores of one task.
    law
        The law, with a limit on the loss (``before``).
    truth
        The true elbow.
    other_truths
        True elbows of other tasks [nats/token].
    """

    table: FinetuneTable
    law: EmergenceLaw
    truth: ElbowTruth
    other_truths: tuple[float, ...]

    @property
    def limit(self) -> float:
        """Models with a loss above this are used [nats/token]."""
        return self.truth.elbow if self.law.before is None else self.law.before

    @cached_property
    def used(self) -> pl.DataFrame:
        """Rows of the models that a forecast may use, prompted ones included."""
        return self.table.frame.filter(pl.col("loss") > self.limit)

    @cached_property
    def tuned(self) -> pl.DataFrame:
        """Those of ``used`` that were finetuned."""
        return self.used.filter(~pl.col("few_shot"))

    @cached_property
    def losses(self) -> list[float]:
        """Losses of the finetuned checkpoints used, the weakest first [nats/token]."""
        checkpoints = self.tuned.select("checkpoint", "loss").unique()
        return checkpoints["loss"].sort(descending=True).to_list()

    def scored(self, law: EmergenceLaw, kept: pl.Expr) -> dict[str, Any]:
        """Forecast from some of the rows that may be used, and score it.

        Parameters
        ----------
        law
            The law as it is to be fitted.
        kept
            Which rows of ``used``.

        Returns
        -------
        dict
            The values of :data:`SCORES`. Status is ``refused`` where nothing can be forecast.
        """
        part = self.used.filter(kept)
        tuned = part.filter(~pl.col("few_shot"))
        if tuned.is_empty():
            return self.refused("no finetuned model is left")
        # models beyond emergence stay in the table, so that the lead in compute is known
        whole = pl.concat([part, self.table.frame.filter(pl.col("loss") <= self.limit)])
        found = law.fit(whole, truth=self.truth.elbow, other_truths=self.other_truths)
        errors = {row["forecast"]: row["absolute_error"] for row in found.baselines}
        row = self.refused(found.reason) | {
            "status": found.status,
            "gap": float(found.rows.loss.min()) - self.truth.elbow,
            "strongest_flops": part["flops"].max(),
            "lead_flops": found.truth["lead_flops"],
            "n_checkpoints": tuned["checkpoint"].n_unique(),
            "n_amounts": tuned["d"].n_unique(),
            **{column: errors.get(name) for column, name in BASELINES.items()},
        }
        return row if found.refused else row | self._errors(found, law.irreducible, row["gap"])

    def refused(self, reason: str) -> dict[str, Any]:
        """Return the scores of a setting without a forecast."""
        absent: dict[str, Any] = dict.fromkeys(SCORES)
        return absent | {"status": "refused", "reason": reason, "truth": self.truth.elbow}

    def _errors(self, found: EmergenceForecast, irreducible: float, gap: float) -> dict[str, Any]:
        truth, elbow = self.truth.elbow, found.elbow["mle"]
        if elbow is None:
            return {}
        score = score_elbow(elbow, truth, truth + gap).to_dict()
        distribution = found.resampled if found.intervals == "bootstrap" else found.posterior
        low, middle, high = (found.elbow[name] for name in ("q05", "q50", "q95"))
        values = {"elbow": elbow, "q05": low, "q50": middle, "q95": high, **score}
        if distribution is None or low is None or high is None:
            return values
        smallest, largest = _absolute_errors(distribution, truth, irreducible)
        return values | {
            "error_q05": smallest,
            "error_q95": largest,
            "interval_score": interval_score(low, high, truth),
            "inside_90": low <= truth <= high,
        }


def forecast_study(
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
) -> tuple[ForecastStudy, list[Note]]:
    """Check a table, find its truth, and leave out what has emerged.

    Parameters
    ----------
    data, task, metric, family, method, scales
        See :func:`~upswing.forecast.finetuning.table.finetune_table`.
    law
        The law. Models with a loss above ``before`` are used; by default those above the truth,
        because a study is one of forecasts. No bootstrap is made unless the intervals are its.
    truth
        True elbow [nats/token]; by default that of the prompted models in the table.
    other_truths
        True elbows of other tasks [nats/token], for a baseline.

    Raises
    ------
    InputError
        If the table is impossible, or no truth is known.
    """
    table = finetune_table(
        data, task=task, metric=metric, family=family, method=method, scales=scales
    )
    if truth is not None:
        if not 0.0 < truth < np.inf:
            raise InputError(f"a true elbow of {truth:g}", hint="elbows are losses")
        known: ElbowTruth | None = ElbowTruth(truth, None, None, None, "given")
    else:
        known = elbow_truth(table.rows(law.d0), bool(law.cap))
    if known is None:
        raise InputError(
            f"no true elbow of {table.task} to compare forecasts with",
            hint="give it as truth, or add prompted models that have emerged",
        )
    limit = known.elbow if law.before is None else law.before
    resamples = law.resamples if law.intervals == "bootstrap" else 0
    law = replace(law, before=limit, resamples=resamples)
    study = ForecastStudy(table, law, known, tuple(other_truths))
    return study, [*table.notes, *_remarks(study)]


def _remarks(study: ForecastStudy) -> list[Note]:
    notes, truth = [], study.truth
    if study.limit < truth.elbow:
        notes.append(
            Note(
                "emerged-already",
                "warning",
                f"Models with a loss down to {study.limit:.4g} are used, beyond the true elbow at "
                f"{truth.elbow:.4g}: these are fits, not forecasts.",
            )
        )
    if truth.sd is not None and truth.sd > CRITERION / 2.0:
        notes.append(
            Note(
                "truth-uncertain",
                "warning",
                f"The true elbow is itself known only as {truth.q05:.3g} to {truth.q95:.3g} "
                f"nats/token (90 %), so an error of {CRITERION:g} says little.",
                {"q05": truth.q05, "q95": truth.q95},
            )
        )
    return notes


def _absolute_errors(
    distribution: EmergencePosterior | EmergenceBootstrap, truth: float, irreducible: float
) -> tuple[float, float]:
    """Return the 5th and 95th percentile of the absolute error [nats/token]."""
    size = np.abs(np.maximum(distribution.forecast, irreducible) - truth)
    low, high = replace(distribution, forecast=size).quantile(np.array([0.05, 0.95]))
    return float(low), float(high)
