r"""Which of two series of models gains an ability first: the comparison of training data.

Two corpora (families) give two series of models. If both losses are measured on one validation
text, the series whose elbow is at the higher loss needs less of that text's prediction before the
ability appears: its data are better for the task. The forecasts are made from finetuned models
before either emerges, and their posteriors are taken for independent; where both series were
finetuned on the same subsets of examples, luck of the draw is common to both and cancels, so the
interval of the difference is then too wide, not too narrow.

Reference: Snell et al. 2024, arXiv:2411.16035, figures 8, 9, 17 and table 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import polars as pl

from upswing.errors import InputError
from upswing.forecast.comparison.elbow_distribution import (
    difference_quantiles,
    forecast_elbows,
    probability_first,
    weighted_elbows,
)
from upswing.forecast.comparison.loss_corpora import corpora_notes, loss_corpora
from upswing.forecast.finetuning.emergence_forecast import QUANTILES, EmergenceForecast
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.laws.emergence.posterior import PERCENTILES
from upswing.notes import Note, unique
from upswing.tables.bundle import Tables

Data = pl.DataFrame | Tables

_TAIL = 0.001
_NO_TRUTH = ("first", "second", "difference", "sd", "p_second_first", "order_right", "inside_90")


@dataclass(frozen=True, eq=False)
class EmergenceComparison:
    """Two forecasts and which of them comes first.

    Attributes
    ----------
    task, metric
        What was forecast.
    names
        Names of the first and the second series.
    first, second
        Their forecasts.
    refused, reason
        Whether one side has no forecast, so that nothing can be compared, and why.
    p_second_first, p_first_first
        Probability that the second series emerges first, at the higher loss, and that the first
        does; together less than 1 where both may stay beyond reach. None where refused.
    difference
        E(second) - E(first) [nats/token]: ``mle``, ``mean`` and the quantiles ``q05`` ... ``q95``.
        Positive where the second emerges first. Nulls where refused.
    truth
        Where both true elbows are known: ``first``, ``second`` and ``difference`` [nats/token],
        ``order_right`` (the most likely elbows are in the true order) and ``inside_90`` (the true
        difference is within 5 to 95 %). Truths that were measured have errors, too: ``sd`` of the
        difference [nats/token], and ``p_second_first``, the probability (normal) that the truth is
        in this order at all. Nulls elsewhere.
    notes
        Remarks, those on each table with the name of the series before them.
    """

    task: str
    metric: str
    names: tuple[str, str]
    first: EmergenceForecast
    second: EmergenceForecast
    refused: bool
    reason: str
    p_second_first: float | None
    p_first_first: float | None
    difference: Mapping[str, float | None]
    truth: Mapping[str, float | bool | None]
    notes: tuple[Note, ...]

    @property
    def forecasts(self) -> tuple[tuple[str, EmergenceForecast], ...]:
        """The two names, each with its forecast."""
        return ((self.names[0], self.first), (self.names[1], self.second))

    def to_frame(self) -> pl.DataFrame:
        """Return one row per series, and the difference as the last.

        Columns: ``family``; ``status`` (forecast, beyond reach, refused); ``mle``, ``mean``,
        ``q05`` ... ``q95``, ``truth``, ``truth_q05``, ``truth_q95`` and ``best_loss``, the lowest
        loss of the models used, all [nats/token]; ``p_first``, the probability to emerge first.
        """
        p_first = (self.p_first_first, self.p_second_first)
        rows: list[dict[str, Any]] = [
            {
                "family": name,
                "status": forecast.status,
                **forecast.elbow,
                "truth": forecast.truth["elbow"],
                "truth_q05": forecast.truth["q05"],
                "truth_q95": forecast.truth["q95"],
                "best_loss": float(forecast.rows.loss.min()),
                "p_first": p,
            }
            for (name, forecast), p in zip(self.forecasts, p_first, strict=True)
        ]
        rows.append(
            {
                "family": f"{self.names[1]} - {self.names[0]}",
                "status": "refused" if self.refused else "difference",
                **self.difference,
                "truth": self.truth["difference"],
            }
        )
        numbers = ("mle", "mean", *QUANTILES, "truth", "truth_q05", "truth_q95", "best_loss")
        kinds: dict[str, Any] = {"family": pl.String, "status": pl.String}
        kinds |= dict.fromkeys((*numbers, "p_first"), pl.Float64)
        return pl.DataFrame(rows, schema=kinds)

    def cdf_frame(self, points: int = 201) -> pl.DataFrame:
        """Return both distributions over common elbows, for figures.

        Columns: ``family``, ``elbow`` [nats/token], ``cdf`` (the probability that E(D0) is at most
        ``elbow``). Empty where refused.
        """
        kinds = {"family": pl.String, "elbow": pl.Float64, "cdf": pl.Float64}
        found = {name: forecast_elbows(forecast) for name, forecast in self.forecasts}
        known = {name: one for name, one in found.items() if one is not None}
        if self.refused or len(known) < 2:
            return pl.DataFrame(schema=kinds)
        ends = np.array([one.quantile(np.array([_TAIL, 1 - _TAIL])) for one in known.values()])
        elbow = np.linspace(ends[:, 0].min(), ends[:, 1].max(), points)
        return pl.concat(
            pl.DataFrame({"family": [name] * points, "elbow": elbow, "cdf": one.cdf(elbow)}, kinds)
            for name, one in known.items()
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain values."""
        return {
            "task": self.task,
            "metric": self.metric,
            "first_name": self.names[0],
            "second_name": self.names[1],
            "refused": self.refused,
            "reason": self.reason,
            "p_second_first": self.p_second_first,
            "p_first_first": self.p_first_first,
            "difference": dict(self.difference),
            "truth": dict(self.truth),
            "first": self.first.to_dict(),
            "second": self.second.to_dict(),
            "notes": [note.to_dict() for note in self.notes],
        }

    def to_json(self) -> str:
        """Return the comparison as JSON."""
        return msgspec.json.format(msgspec.json.encode(self.to_dict()), indent=1).decode()


def compare(
    data: Data,
    law: EmergenceLaw | None = None,
    *,
    first: str | None = None,
    second: str | None = None,
    task: str | None = None,
    metric: str | None = None,
    method: str | None = None,
    other: Data | None = None,
    second_law: EmergenceLaw | None = None,
    names: tuple[str, str] | None = None,
    truths: tuple[float | None, float | None] = (None, None),
) -> EmergenceComparison:
    """Forecast two series of models and say which gains the ability first.

    Both losses must be those of one validation text: losses of different texts cannot be compared.
    Where the tables name the text and it differs, a warning says so; where they do not, a note.

    Parameters
    ----------
    data
        Finetuned models of both series, or of the first; see
        :func:`~upswing.forecast.finetuning.table.finetune_table`.
    law
        The forecaster.
    first, second
        Families; by default the two there are.
    task, metric, method
        Which, where there are several.
    other
        Finetuned models of the second series, where they are in a table of their own.
    second_law
        The forecaster of the second series, where it differs: with another ``before``.
    names
        Names of the series; by default their families.
    truths
        True elbows of the two [nats/token], where the tables do not tell them.

    Raises
    ------
    InputError
        If a table is impossible, or there are not two families to compare.
    """
    law = law or EmergenceLaw()
    tables = (data, data if other is None else other)
    if other is None:
        first, second = _families(data, first, second)
    laws = (law, second_law or law)
    found = [
        one.fit(table, task=task, metric=metric, method=method, family=family, truth=truth)
        for one, table, family, truth in zip(laws, tables, (first, second), truths, strict=True)
    ]
    if (found[0].task, found[0].metric) != (found[1].task, found[1].metric):
        said = " and ".join(f"{one.task}, {one.metric}" for one in found)
        raise InputError(f"the two series are of {said}", hint="name one task and one metric")
    called = names or _names(tables, (first, second), other is not None)
    corpora = [
        loss_corpora(table, family) for table, family in zip(tables, (first, second), strict=True)
    ]
    irreducible = max(one.irreducible for one in laws)
    return _compared(found[0], found[1], called, irreducible, corpora_notes(called, corpora))


def _compared(
    first: EmergenceForecast,
    second: EmergenceForecast,
    names: tuple[str, str],
    irreducible: float,
    notes: list[Note],
) -> EmergenceComparison:
    """Put two forecasts together."""
    pairs = tuple(zip(names, (first, second), strict=True))
    reason = "; ".join(f"{name}: {one.reason}" for name, one in pairs if one.refused)
    elbows = [forecast_elbows(one) for _, one in pairs]
    if not reason and None in elbows:
        lacking = [name for name, one in zip(names, elbows, strict=True) if one is None]
        reason = f"no distribution of the elbow of {' and '.join(lacking)}"
    difference: dict[str, float | None] = dict.fromkeys(("mle", "mean", *QUANTILES))
    p_second = p_first = None
    one, other = elbows
    if not reason and one is not None and other is not None:
        p_second = probability_first(other, one, irreducible)
        p_first = probability_first(one, other, irreducible)
        one, other = (
            weighted_elbows(np.maximum(side.elbow, irreducible), side.weight)
            for side in (one, other)
        )
        quantiles = difference_quantiles(one, other, np.array(PERCENTILES))
        difference |= dict(zip(QUANTILES, map(float, quantiles), strict=True))
        difference["mean"] = other.mean - one.mean
        difference["mle"] = _minus(second.elbow["mle"], first.elbow["mle"])
    notes += [
        Note(note.code, note.severity, f"{name}: {note.message}", note.details)
        for name, forecast in pairs
        for note in forecast.notes
    ]
    return EmergenceComparison(
        task=first.task,
        metric=first.metric,
        names=names,
        first=first,
        second=second,
        refused=bool(reason),
        reason=reason,
        p_second_first=p_second,
        p_first_first=p_first,
        difference=difference,
        truth=_against_truth(first, second, difference),
        notes=unique(notes),
    )


def _against_truth(
    first: EmergenceForecast, second: EmergenceForecast, difference: Mapping[str, float | None]
) -> dict[str, float | bool | None]:
    found: dict[str, float | bool | None] = dict.fromkeys(_NO_TRUTH)
    found["first"], found["second"] = first.truth["elbow"], second.truth["elbow"]
    true = _minus(second.truth["elbow"], first.truth["elbow"])
    if true is None:
        return found
    found["difference"] = true
    sds = (first.truth["sd"], second.truth["sd"])
    if None not in sds and (sd := math.hypot(*sds)) > 0:
        found["sd"] = sd
        found["p_second_first"] = 0.5 * math.erfc(-true / (sd * math.sqrt(2.0)))
    mle, low, high = (difference[name] for name in ("mle", "q05", "q95"))
    if mle is not None and low is not None and high is not None:
        found["order_right"] = (mle > 0) == (true > 0)
        found["inside_90"] = low <= true <= high
    return found


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _families(data: Data, first: str | None, second: str | None) -> tuple[str, str]:
    """Return the two families that are compared."""
    known = _known_families(data)
    chosen = [name for name in (first, second) if name is not None]
    left = [name for name in known if name not in chosen]
    if len(chosen) < 2 and len(left) == 2 - len(chosen):
        first = first or left.pop(0)
        second = second or left.pop(0)
    if first is None or second is None or first == second:
        hint = f"there are {', '.join(known)}" if known else "the table has no column 'family'"
        raise InputError("two families are needed to compare", hint=hint)
    return first, second


def _known_families(data: Data) -> list[str]:
    frame = data.finetunes if isinstance(data, Tables) else data
    if "family" not in frame.columns:
        return []
    return [name for name in frame["family"].drop_nulls().unique().sort().to_list() if name]


def _names(
    tables: tuple[Data, Data], families: tuple[str | None, str | None], apart: bool
) -> tuple[str, str]:
    """Return a name for each series: its family, where that tells them apart."""
    known = [
        [family] if family is not None else _known_families(table)
        for table, family in zip(tables, families, strict=True)
    ]
    if all(len(one) == 1 for one in known) and known[0] != known[1]:
        return known[0][0], known[1][0]
    return ("first", "second") if apart else (str(families[0]), str(families[1]))
