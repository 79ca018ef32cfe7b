"""Per curve: the metric, the test set, or a real jump? The rows of ``upswing mirage check``."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl

from upswing.detection.evidence import FEWEST_SCALES
from upswing.errors import InputError, UnknownNameError
from upswing.findings.detect import detect
from upswing.findings.finding import Detection, Finding
from upswing.findings.verdict import has_jump
from upswing.mirage.alternative import Alternative, compare
from upswing.mirage.intervention import Pair, pair_of, pair_table
from upswing.tables.bundle import Tables

_COLUMNS = (
    "family",
    "model",
    "task",
    "metric",
    "filter",
    "n_shot",
    "elicitation",
    "axis",
    "n_scales",
    "n",
    "verdict",
    "shape",
    "cause",
    "reason",
    "onset",
    "emergence_score",
    "emergence_score_status",
    "p_smooth",
    "p_test_size",
    "exponent_needed",
    "exponent_needed_low",
    "exponent_needed_high",
    "exponent_needed_status",
    "exponent_before",
    "questions_needed",
    "continuous_metric",
    "continuous_outcome",
    "rise_before_onset",
    "rise_before_low",
    "rise_before_high",
)


def check_rows(detection: Detection) -> list[dict[str, Any]]:
    """Return one row per curve with all other metrics of its outputs.

    Parameters
    ----------
    detection
        Of :func:`upswing.detect`, with ``alternatives="all"`` for those of every curve.

    Returns
    -------
    list of dict
        The finding's columns, ``alternatives`` (a list of ``metric``, ``shape_class``,
        ``continuous``, ``n``, ``emergence_score``, ``emergence_score_status``, ``largest_step``,
        ``sharpness``, ``outcome``) and ``notes``.
    """
    return [_row(finding) for finding in detection]


def _row(finding: Finding) -> dict[str, Any]:
    flat = finding.to_dict()
    return {
        **{name: flat[name] for name in _COLUMNS},
        "alternatives": [_alternative(one) for one in finding.comparison.alternatives],
        "notes": flat["notes"],
    }


def _alternative(one: Alternative) -> dict[str, Any]:
    row = pair_table([Pair(one, one)]).row(0, named=True)
    n = float(np.asarray(one.curve.n).min())
    return {
        "metric": one.curve.metric,
        "shape_class": one.shape_class,
        "continuous": one.continuous,
        "n": int(n) if np.isfinite(n) else None,
        "emergence_score": row["other_score"],
        "emergence_score_status": row["other_score_status"],
        "largest_step": row["other_largest_step"],
        "sharpness": row["other_sharpness"],
        "outcome": row["outcome"],
    }


class NamedPair(NamedTuple):
    """A pair that someone asked for.

    Attributes
    ----------
    pair
        The two curves.
    onset
        The last scale before the onset of the curve in question, and the onset, in axis units; None
        without one.
    """

    pair: Pair
    onset: tuple[float, float] | None


def named_pairs(
    tables: Tables,
    metric: str,
    other_metric: str,
    *,
    task: str | None = None,
    other_task: str | None = None,
    **options: Any,
) -> list[NamedPair]:
    """Lay curves beside another metric of the same models, which may be of another task.

    Two formats of the same questions (letters and cloze) are two tasks; nothing but their names
    says that they belong together, so they are paired here, by name, and no verdict rests on it.
    Curves with fewer than three scales are left out, and a conclusion is drawn only where the curve
    in question has a jump.

    Parameters
    ----------
    tables
        What :func:`upswing.read` returned.
    metric, other_metric
        The metric in question, and the one to lay beside it.
    task
        Glob on the task of the curve in question.
    other_task
        Task of the other curve; the same by default.
    options
        Further arguments of :func:`upswing.detect`.

    Raises
    ------
    UnknownNameError
        If no two curves of the same family or run have these names.
    InputError
        If a metric is to be laid beside itself.
    """
    if metric == other_metric and other_task in (None, task):
        raise InputError("a metric is laid beside another one", hint="give another --other-metric")
    own = detect(tables, task=task, **options)
    beside = own if other_task is None else detect(tables, task=other_task, **options)
    found = []
    for finding in own:
        if finding.curve.metric != metric or len(finding.curve) < FEWEST_SCALES:
            continue
        for other in beside:
            if other.curve.metric != other_metric or not _same_models(finding, other, other_task):
                continue
            described = pair_of(finding.curve, other.curve)
            other_curve = described.other
            if has_jump(finding.evidence, own.settings.alpha):
                other_curve = compare(finding.evidence, other_curve, own.settings)
            found.append(NamedPair(Pair(described.own, other_curve), _onset(finding)))
    if not found:
        raise UnknownNameError(
            f"no curve under {metric} has one under {other_metric} beside it",
            hint="see upswing ls for the tasks and metrics that there are",
        )
    return found


def _same_models(finding: Finding, other: Finding, other_task: str | None) -> bool:
    one, two = finding.curve, other.curve
    same = (one.family, one.model, one.n_shot) == (two.family, two.model, two.n_shot)
    if other_task is not None:
        return same
    asked = (one.task, one.elicitation, one.harness) == (two.task, two.elicitation, two.harness)
    return same and asked and two.filter in (one.filter, "none")


def _onset(finding: Finding) -> tuple[float, float] | None:
    t = finding.evidence.onset
    if not t:
        return None
    return float(finding.curve.x[t - 1]), float(finding.curve.x[t])


def check_pairs(detection: Detection) -> pl.DataFrame:
    """Return every curve beside the continuous metrics of its outputs, one row per pair.

    Continuous curves themselves are left out; the columns are
    :data:`upswing.mirage.intervention.PAIRS`.
    """
    pairs = []
    for finding in detection:
        own = pair_of(finding.curve, finding.curve).own
        if own.continuous:
            continue
        pairs += [Pair(own, one) for one in finding.comparison.alternatives if one.continuous]
    return pair_table(pairs)
