"""Curves of one evaluation under every metric that its answers allow."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from upswing.curves.curve import Curve
from upswing.detection.curve_draws import curve_draws, scale_axis_of
from upswing.detection.departure import LEAST_CLUSTERS, LEAST_QUESTIONS
from upswing.detection.evaluations import MOST_CHARACTERS, EvaluationItems
from upswing.metrics.registry import all_metrics
from upswing.mirage.progress import TELLING

_DRAWS = 200
_N_GRAM = ("bleu", "chrf", "rouge1", "rouge2", "rougeL", "rougeLsum")


def answer_curves(one: EvaluationItems, telling: bool = False) -> list[Curve]:
    """Score the answers of an evaluation again, on the questions that all models answered.

    Parameters
    ----------
    one
        The answers.
    telling
        Only continuous metrics that may decide, and none over n-grams, which take long.

    Returns
    -------
    list of Curve
        One per metric; none where the models have fewer than 20 questions (10 clusters) in common.
        Standard errors are over questions, or clusters of questions, by a bootstrap
        that is the same in every call.
    """
    matrix = one.matrix(_metrics(one, telling))
    scales = scale_axis_of(matrix)
    few = len(matrix.items) < LEAST_QUESTIONS
    if matrix.clustered:
        few = few or matrix.n_clusters < LEAST_CLUSTERS
    if not matrix.layers or not scales.known or few:
        return []
    draws = curve_draws(matrix, scales, _DRAWS, np.random.default_rng(0))
    what = matrix.evaluation
    curves = []
    for k, layer in enumerate(matrix.layers):
        chance = float(draws.chance[0, k])
        stderr = draws.scores[1:, k].std(axis=0, ddof=1)
        # No spread is a matter of few or equal answers, and no certainty.
        stderr = np.where(stderr > 0, stderr, np.nan)
        curves.append(
            Curve(
                x=scales.x,
                y=draws.scores[0, k],
                axis=matrix.axis,
                stderr=stderr,
                n=draws.answers,
                chance=chance if np.isfinite(chance) else None,
                chance_source=layer.chance_source,
                family=what.family,
                model=what.model,
                task=what.task,
                task_version=what.task_version,
                metric=layer.metric.name,
                filter=what.filter,
                n_shot=what.n_shot,
                elicitation=what.elicitation,
                harness=what.harness,
                models=scales.points,
                clustered=matrix.clustered,
                lowest=layer.metric.minimum,
                highest=layer.metric.maximum,
                higher_is_better=layer.metric.higher_is_better,
                proportion=layer.metric.proportion,
                n_source="items",
            )
        )
    return curves


def _metrics(one: EvaluationItems, telling: bool) -> list[str]:
    """Return the names of the metrics whose columns the answers have."""
    there = {name for name in one.rows.columns if one.rows[name].is_not_null().any()}
    long = (one.rows["output"].str.len_chars().sum() or 0) > MOST_CHARACTERS
    left_out = set(_N_GRAM) if telling or long or not _text_packages() else set()
    return [
        metric.name
        for metric in all_metrics()
        if metric.computable
        and any(there.issuperset(columns) for columns in metric.needs)
        and metric.name not in left_out
        and (metric.name in TELLING or not telling)
    ]


def _text_packages() -> bool:
    return all(find_spec(name) is not None for name in ("sacrebleu", "rouge_score"))
