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
from upswing.forecast.finetuning.summaries import (
    bootstrap_summary,
    fit_notes,
    identifiability,
    parameters,
)
from upswing.forecast.finetuning.table import FinetuneTable, finetune_table
from upswing.forecast.finetuning.truth import ElbowTruth, elbow_truth, still_random
from upswing.laws.emergence.bootstrap import UNITS, EmergenceBootstrap, Unit, bootstrap_emergence
from upswing.laws.emergence.evidence import emerging_amounts
from upswing.laws.emergence.fit import EmergenceMle, fit_emergence
from upswing.laws.emergence.hierarchy import hierarchical_posterior
from upswing.laws.emergence.law import SHAPES, EmergenceForm, Shape
from upswing.laws.emergence.posterior import EmergencePosterior, independent_posterior
from upswing.laws.emergence.prior import EmergencePrior
from upswing.laws.emergence.rows import EmergenceRows
from upswing.notes import Note
from upswing.tables.bundle import Tables

Intervals = Literal["hierarchical", "bootstrap", "iid"]

FEWEST_LOSSES = 4
"""Fewest different losses; a hinge has three parameters."""

CAP_EVIDENCE = 6.0
"""By how much a cap must improve the Bayesian information criterion to be fitted."""

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
        Whether every amount of data has a base of its own.
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
    floors: bool = False
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
        table = finetune_table(
            data, task=task, metric=metric, family=family, method=method, scales=scales
        )
        everything = table.rows(self.d0)
        used = everything.loss > (-np.inf if self.before is None else self.before)
        seen = everything.where(used)
        if seen.few_shot.all():
            hint = "" if self.before is None else f"none has a loss above {self.before:g}"
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
        if not self.d0 >= 0:
            raise InputError(f"D0 is {self.d0:g}, and must not be negative")
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
        mle = None if reason else self._most_likely()
        evidence = emerging_amounts(rows, mle)
        reason = reason or evidence.reason
        if reason or mle is None:
            return self._result(
                "refused",
                reason,
                baselines=self._scored({}, seen, None, other_truths),
                truth=self._against_truth(None, used),
                notes=(*notes, *fit_notes(rows, mle, evidence)) if mle else tuple(notes),
            )
        posterior, resampled = self._uncertainty(mle)
        distribution = posterior if law.intervals != "bootstrap" else resampled
        if distribution is resampled and (resampled is None or not len(resampled.forecast)):
            distribution = None
        elbow = summary(distribution, mle.forecast, law.irreducible)
        below = None if distribution is None else float(distribution.cdf(law.irreducible))
        reached = mle.forecast > law.irreducible and (below is None or below < 0.5)
        values, open_exponent = identifiability(rows, mle, posterior)
        own = {"emergence law, most likely": elbow["mle"], "emergence law, median": elbow["q50"]}
        return self._result(
            "forecast" if reached else "beyond reach",
            "" if reached else "the elbow is more likely than not at or below the irreducible loss",
            elbow=elbow,
            p_beyond_reach=below,
            bootstrap=bootstrap_summary(resampled, mle.forecast, law.irreducible),
            parameters=parameters(rows, mle, evidence, posterior),
            identifiability=values,
            baselines=self._scored(own, seen, mle, other_truths),
            truth=self._against_truth(elbow, used),
            notes=(*notes, *fit_notes(rows, mle, evidence), *open_exponent),
            mle=mle,
            posterior=posterior,
            resampled=resampled,
        )

    def _most_likely(self) -> EmergenceMle:
        """Fit the law, with a cap where it is asked for or called for."""
        law = self.law
        plain, capped = (EmergenceForm(law.shape, cap, law.floors) for cap in (False, True))
        if law.cap is not None:
            return fit_emergence(self.rows, capped if law.cap else plain)
        without, within = fit_emergence(self.rows, plain), fit_emergence(self.rows, capped)
        return within if within.bic < without.bic - CAP_EVIDENCE else without

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

    def _emerged(self, seen: EmergenceRows) -> list[Note]:
        """Tell where the models used have emerged already, so that nothing is forecast."""
        inside = elbow_truth(seen, bool(self.law.cap))
        given = self.known is not None and float(self.rows.loss.min()) < self.known.elbow
        if inside is None and not given:
            return []
        return [
            Note(
                "emerged-already",
                "warning",
                "Models beyond the elbow of prompted models are among those used: this is a fit, "
                "not a forecast. Leave them out by a limit on the loss (before).",
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
