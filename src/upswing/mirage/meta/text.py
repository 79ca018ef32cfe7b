"""What a meta-analysis says, in sentences; every number is computed."""

from __future__ import annotations

from typing import Any

import polars as pl

from upswing.mirage.meta.analysis import MetaAnalysis


def meta_analysis_text(analysis: MetaAnalysis) -> list[str]:
    """Return a sentence per finding: infinite scores, counts beside chance, hand and base rates."""
    return [
        *(infinite_text(row) for row in analysis.infinite_by_metric.to_dicts()),
        *(expected_text(row) for row in _telling(analysis)),
        *annotation_text(analysis),
        *(text for row in analysis.base_rates.to_dicts() for text in base_rate_text(row)),
    ]


def infinite_text(row: dict[str, Any]) -> str:
    """Return what the infinite scores of a metric come from.

    Parameters
    ----------
    row
        Of :func:`~upswing.mirage.meta.counts.infinite_by_metric`.
    """
    count = row["infinite"]
    start = f"{row['metric']}: {count} infinite score{'' if count == 1 else 's'}"
    parts = [
        f"{row[name]} {word}"
        for name, word in (
            ("under_resolved", "under-resolved"),
            ("resolved", "with enough questions"),
            ("unknown", "of unknown resolution"),
        )
        if row[name]
    ]
    questions = "an unknown number of questions"
    if row["questions_least"] is not None:
        least, most = row["questions_least"], row["questions_most"]
        questions = f"{least:g}" if least == most else f"{least:g} to {most:g}"
        questions += " questions"
    return f"{start}, from {questions} a point: {', '.join(parts)}."


def expected_text(row: dict[str, Any]) -> str:
    """Return a count beside that of chance.

    Parameters
    ----------
    row
        Of :data:`~upswing.mirage.meta.counts.EXPECTED`.
    """
    what = {
        "flat": "if scale did nothing",
        "smooth": "if every ability rose smoothly",
    }[row["null"]]
    return (
        f"{row['group']}: {row['observed']} of {row['curves']} curves above {row['cutoff']:g}; "
        f"{row['expected']:.1f} ({row['low']:.0f} to {row['high']:.0f}) {what}, "
        f"p = {row['p_value']:.2g}."
    )


def annotation_text(analysis: MetaAnalysis) -> list[str]:
    """Return how many tasks that people called emergent, and how many others, score high."""
    top = analysis.annotation.filter(pl.col("cutoff") == analysis.cutoffs[-1])
    if not len(top):
        return []
    by_hand, others = top.filter("emergent_by_hand"), top.filter(~pl.col("emergent_by_hand"))
    return [
        f"{by_hand['tasks_above'].sum()} of {by_hand['tasks'].sum()} tasks that were called "
        f"emergent by hand have a curve above {analysis.cutoffs[-1]:g}, and "
        f"{others['tasks_above'].sum()} of {others['tasks'].sum()} others."
    ]


def base_rate_text(row: dict[str, Any]) -> list[str]:
    """Return the share of the compared metrics beside its base rates, under one rule.

    Parameters
    ----------
    row
        Of :data:`~upswing.mirage.meta.base_rates.BASE_RATES`.
    """
    texts = []
    if row["share_emergent"] is not None:
        rate = f"{_percent(row['share_tasks'])} of all {row['tasks']} tasks"
        if row["known"] < row["tasks"]:
            rate += f", {_percent(row['share_known'])} of the {row['known']} whose metric is known"
        test = row["p_fisher_known"]
        p = "" if test is None else f"; Fisher's exact p = {test:.2g} among these"
        texts.append(
            f"By {row['rule']}: multiple choice grade or exact match is preferred by "
            f"{_percent(row['share_emergent'])} of the {row['emergent']} emergent tasks, and by "
            f"{rate}{p}."
        )
        texts.append(
            f"By {row['rule']}: {row['metrics_of_one_task']} of {row['metrics']} metrics are "
            f"preferred by one task only; {row['metrics_emergent']} have an emergent task, "
            f"{row['metrics_emergent_expected']:.1f} would if the emergent tasks were drawn at "
            f"random (p = {row['p_as_few_metrics']:.2g} of as few)."
        )
    return texts


def _telling(analysis: MetaAnalysis) -> list[dict[str, Any]]:
    """Return the rows of the largest cut-off for metrics that have any curve above it."""
    return analysis.expected.filter(
        (pl.col("by") == "metric")
        & (pl.col("cutoff") == analysis.cutoffs[-1])
        & (pl.col("observed") > 0)
    ).to_dicts()


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
