"""``EmergenceLaw``: forecast where an ability emerges from models finetuned before it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl

from upswing.errors import InputError
from upswing.forecast.finetuning.emergence_forecast import EmergenceForecast, Status, summary
from upswing.forecast.finetuning.scores import baselines, lead_in_flops, score_elbow, scored
from upswing.forecast.finetuning.sizes import size_differences, size_note
from upswing.forecast.finetuning.summaries import (
    bootstrap_summary,
    disagreement,
    fit_notes,
    identifiability,
    parameters,
)
from upswing.forecast.finetuning.table import FinetuneTable, finetune_table
from upswing.forecast.finetuning.truth import ElbowTruth, elbow_truth, still_random
from upswing.laws.emergence.bootstrap import UNITS, EmergenceBootstrap, Unit, bootstrap_emergence
from upswing.laws.emergence.choice import most_likely_form
from upswing.laws.emergence.evidence import emerging_amounts
from upswing.laws.emergence.fit import EmergenceMle
from upswing.laws.emergence.hierarchy import hierarchical_posterior
from upswing.laws.emergence.law import SHAPES, Shape
from upswing.laws.emergence.posterior import EmergencePosterior, independent_posterior
from upswing.laws.emergence.prior import EmergencePrior
from upswing.laws.emergence.rows import EmergenceRows
from upswing.notes import Note
from upswing.tables.bundle import Tables

Intervals = Literal["hierarchical", "bootstrap", "iid"]

FEWEST_LOSSES = 4
"""Fewest different losses; a hinge has three parameters."""

_TRUTH = (
    "elbow",
    "q05",
    "q95",
    "sd",
    "source",
    "error",
    "absolute_error",
    "within_criterion",
    "gap",
    "relative_error",
    "inside_90",
    "lead_flops",
)
_INTERVALS = ("hierarchical", "bootstrap", "iid")


@dataclass(frozen=True)
class EmergenceLaw:
    """The emergence law as a forecaster; see :mod:`upswing.laws.emergence.law`.

    Attributes
    ----------
    d0
        Solved examples in the prompt [examples]: where the law is extrapolated to. 0 stands for 1.
    intervals
        ``hierarchical``: shifts of the elbow per subset of examples, and per run where there are
        seeds, and binomial noise. ``iid``: scores are independent given the law; too narrow
        wherever subsets differ. ``bootstrap``: refits of resampled data.
    seed
        Of the bootstrap.
    resamples, unit
        Of the bootstrap: how many (0 for none), and what is resampled: ``subset``, ``checkpoint``
        or ``row``.
    shape
        ``log power law`` or ``power law``.
    delta
        Whether prompted models are fitted too, with a base of their own.
    cap
        Whether scores end at a cap; None to fit one where the scores call for it.
    floors
        Whether every amount of data has a base of its own; None to fit them where the scores call
        for them.
    irreducible
        Irreducible loss of the corpus [nats/token]; no elbow is below it.
    before
        Use only models with a loss above this [nats/token].
    prior
        Of the posterior.

    Examples
    --------
    >>> from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning
    >>> table = simulate_finetuning(FinetuningWorld(), np.random.default_rng(0))
    >>> fitted = EmergenceLaw(d0=5, resamples=0).fit(table)
    >>> fitted.elbow["q05"] < 1.95 < fitted.elbow["q95"]
    True
    """

    d0: float = 5
    intervals: Intervals = "hierarchical"
    seed: int = 0
    resamples: int = 1000
    unit: Unit = "subset"
    shape: Shape = "log power law"
    delta: bool = True
    cap: bool | None = None
    floors: bool | None = None
    irreducible: float = 0.0
    before: float | None = None
    prior: EmergencePrior = field(default_factory=EmergencePrior)

    def fit(
        self,
        data: pl.DataFrame | Tables,
        *,
        task: str | None = None,
        metric: str | None = None,
        family: str | None = None,
        method: str | None = None,
        scales: pl.DataFrame | None = None,
        truth: float | None = None,
        other_truths: Sequence[float] = (),
    ) -> EmergenceForecast:
        """Fit the law to finetuned models and forecast the elbow of prompted ones.

        Parameters
        ----------
        data, task, metric, family, method, scales
            The table and what to take from it; see
            :func:`~upswing.forecast.finetuning.table.finetune_table`.
        truth
            True elbow [nats/token]; by default that of the prompted models in the table, those
            with a loss not above ``before`` included.
        other_truths
            True elbows of other tasks of the same models [nats/token], for a baseline.

        Raises
        ------
        InputError
            If the table or a setting is impossible.
        """
        self._check()
        for one in (*(() if truth is None else (truth,)), *other_truths):
            if not 0.0 < one < np.inf:
                raise InputError(
                    f"a true elbow of {one:g}", hint="elbows are losses, in nats per token"
                )
        table = finetune_table(
            data, task=task, metric=metric, family=family, method=method, scales=scales
        )
        everything = table.rows(self.d0)
        used = everything.loss > (-np.inf if self.before is None else self.before)
        seen = everything.where(used)
        if seen.few_shot.all():
            hint = "rows that are not few_shot are finetuned models; see `upswing lab finetune`"
            if not everything.few_shot.all():
                hint = f"none has a loss above {self.before:g}"
            raise InputError("no finetuned model to fit the law to", hint=hint)
        known = ElbowTruth(truth, None, None, None, "given") if truth is not None else None
        known = known or elbow_truth(everything, bool(self.cap))
        forecast = _Forecast(self, table, seen if self.delta else seen.finetuned, known)
        return forecast.made(seen, used, tuple(other_truths))

    def _check(self) -> None:
        choices: tuple[tuple[str, str, Sequence[str]], ...] = (
            ("intervals", self.intervals, _INTERVALS),
            ("shape", self.shape, tuple(SHAPES)),
            ("unit", self.unit, UNITS),
        )
        for name, value, known in choices:
            if value not in known:
                raise InputError(f"no {name} {value!r}", hint=f"there are {', '.join(known)}")
        for said, number in (("D0", self.d0), ("the irreducible loss", self.irreducible)):
            if not 0.0 <= number < np.inf:
                raise InputError(f"{said} is {number:g}, and must be a number that is not negative")
        if self.before is not None and not np.isfinite(self.before):
            raise InputError(f"models with a loss above {self.before:g}: that is no loss")
        if self.resamples < 0 or (self.intervals == "bootstrap" and not self.resamples):
            raise InputError("the bootstrap needs resamples")


@dataclass(frozen=True, eq=False)
class _Forecast:
    """One law on one table: the steps of a fit."""

    law: EmergenceLaw
    table: FinetuneTable
    rows: EmergenceRows
    known: ElbowTruth | None

    def made(
        self, seen: EmergenceRows, used: Any, other_truths: tuple[float, ...]
    ) -> EmergenceForecast:
        law, rows = self.law, self.rows
        notes = [*self.table.notes, *self._emerged(seen)]
        reason = _too_small(rows)
        mle = None if reason else most_likely_form(rows, law.shape, law.cap, law.floors)
        evidence = emerging_amounts(rows, mle)
        reason = reason or evidence.reason
        if mle is not None:
            notes += [
                *fit_notes(rows, mle, evidence, self.table.sign),
                *self._between_sizes(mle, used),
            ]
        if reason or mle is None:
            return self._result(
                "refused",
                reason,
                baselines=self._scored({}, seen, None, other_truths),
                truth=self._against_truth(None, used),
                notes=tuple(notes),
            )
        posterior, resampled = self._uncertainty(mle)
        distribution = posterior if law.intervals != "bootstrap" else resampled
        if distribution is resampled and (resampled is None or not len(resampled.forecast)):
            distribution = None
        elbow = summary(distribution, mle.forecast, law.irreducible)
        below = None if distribution is None else float(distribution.cdf(law.irreducible))
        reached = mle.forecast > law.irreducible if below is None else below <= 0.5
        values, open_exponent = identifiability(rows, mle, posterior)
        own = {"emergence law, most likely": elbow["mle"], "emergence law, median": elbow["q50"]}
        return self._result(
            "forecast" if reached else "beyond reach",
            "" if reached else "the elbow is more likely than not at or below the irreducible loss",
            elbow=elbow,
            p_beyond_reach=below,
            bootstrap=bootstrap_summary(resampled, mle.forecast, law.irreducible),
            parameters=parameters(rows, mle, evidence, posterior, self.table.sign),
            identifiability=values,
            baselines=self._scored(own, seen, mle, other_truths),
            truth=self._against_truth(elbow, used),
            notes=(*notes, *open_exponent, *disagreement(elbow)),
            mle=mle,
            posterior=posterior,
            resampled=resampled,
        )

    def _uncertainty(
        self, mle: EmergenceMle
    ) -> tuple[EmergencePosterior, EmergenceBootstrap | None]:
        law, rows = self.law, self.rows
        hierarchical = law.intervals == "hierarchical"
        method = hierarchical_posterior if hierarchical else independent_posterior
        resampled = None
        if law.resamples:
            rng = np.random.default_rng(law.seed)
            resampled = bootstrap_emergence(rows, mle, rng, law.unit, law.resamples)
        return method(rows, mle, law.prior), resampled

    def _scored(
        self,
        own: dict[str, float | None],
        seen: EmergenceRows,
        mle: EmergenceMle | None,
        other_truths: tuple[float, ...],
    ) -> tuple[dict[str, object], ...]:
        """Return the law's forecasts and those that cost nothing, with their scores."""
        smallest = None if mle is None else mle.curves.elbows.lowest
        naive = baselines(still_random(seen, bool(self.law.cap)), smallest, other_truths)
        forecasts = {name: value for name, value in {**own, **naive}.items() if value is not None}
        truth = None if self.known is None else self.known.elbow
        return tuple(scored(forecasts, truth, float(self.rows.loss.min())))

    def _against_truth(self, elbow: dict[str, float | None] | None, used: Any) -> dict[str, Any]:
        """Return the truth and the score of the most likely elbow against it."""
        found: dict[str, Any] = dict.fromkeys(_TRUTH)
        if self.known is None:
            return found
        found |= vars(self.known)
        frame = self.table.frame
        found["lead_flops"] = lead_in_flops(frame, frame.filter(pl.Series(used)), self.known.elbow)
        if elbow is None or elbow["mle"] is None:
            return found
        score = score_elbow(elbow["mle"], self.known.elbow, float(self.rows.loss.min()))
        found |= score.to_dict()
        low, high = elbow["q05"], elbow["q95"]
        if low is not None and high is not None:
            found["inside_90"] = bool(low <= self.known.elbow <= high)
        return found

    def _between_sizes(self, mle: EmergenceMle, used: Any) -> list[Note]:
        """Tell where models of equal loss and different size differ."""
        tuned = ~self.rows.few_shot
        models = self.table.frame.filter(pl.Series(used) & ~pl.col("few_shot"))
        return size_note(size_differences(models, (self.rows.value - mle.fitted)[tuned]))

    def _emerged(self, seen: EmergenceRows) -> list[Note]:
        """Tell where the models used have emerged already, so that nothing is forecast."""
        known = self.known
        if known is None or float(seen.loss.min()) >= known.elbow:
            known = elbow_truth(seen, bool(self.law.cap))
        if known is None:
            return []
        elbow = known.elbow
        beyond = int(np.sum(seen.few_shot & (seen.loss <= elbow)))
        return [
            Note(
                "emerged-already",
                "warning",
                f"Models beyond the elbow of prompted models, {elbow:.4g} nats, are among those "
                f"used, {beyond} prompted ones too: this is a fit, not a forecast. To forecast, "
                f"leave them out: before={elbow:.4g}, or higher where that elbow is uncertain.",
                {"elbow": elbow, "prompted": beyond},
            )
        ]

    def _result(self, status: Status, reason: str, **fields: Any) -> EmergenceForecast:
        law, table = self.law, self.table
        absent: dict[str, Any] = {
            "elbow": summary(None, None, law.irreducible),
            "p_beyond_reach": None,
            "bootstrap": bootstrap_summary(None, None, law.irreducible),
            "parameters": {},
            "identifiability": {},
        }
        return EmergenceForecast(
            task=table.task,
            metric=table.metric,
            d0=law.d0,
            intervals=law.intervals,
            status=status,
            reason=reason,
            rows=self.rows,
            **{**absent, **fields},
        )


def _too_small(rows: EmergenceRows) -> str:
    """Say why there is nothing to fit a law to; empty where there is."""
    losses = len(np.unique(rows.finetuned.loss))
    if losses < FEWEST_LOSSES:
        return f"models of {losses} different losses were finetuned; the law needs {FEWEST_LOSSES}"
    if len(rows.amounts) < 2:
        return "one amount of finetuning data only; the law needs at least two"
    return ""
