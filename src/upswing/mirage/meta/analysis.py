"""Emergence scores over many tasks, metrics and families: what sharp curves have in common.

Schaeffer et al. asked of published curves which metrics they are sharp under, and found few. The
same question with what the answer rests on: how many questions each infinite score comes from, how
many curves chance alone would put above a cut-off, and how many tasks each metric had at all.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, section 4 and figure 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import polars as pl

from upswing.curves.curve import Curve
from upswing.errors import InputError
from upswing.mirage.meta.annotation import ANNOTATION
from upswing.mirage.meta.base_rates import (
    BASE_RATES,
    PREFERRED,
    base_rates,
    preferred_counts,
    with_shares,
)
from upswing.mirage.meta.classes import metric_class
from upswing.mirage.meta.counts import (
    counts_above,
    expected_above,
    infinite_by_metric,
    metrics_with_any,
)
from upswing.mirage.meta.curves import curve_rows
from upswing.mirage.meta.null_scores import null_scores
from upswing.mirage.meta.preferred_metric import preferred_by_rule
from upswing.mirage.meta.questions import with_task_metadata
from upswing.notes import Note

CUTOFFS = (20.0, 50.0, 100.0)
"""The paper names no cut-off; 100 is a common convention."""

COLUMN = "the annotation's column"
RULE = "BIG-bench's rule"
LISTED = "the list of metrics"
"""Where preferred metrics are from."""

_GROUPS = {
    "all": None,
    "metric": "metric",
    "class": "metric_class",
    "shape": "metric_shape",
    "family": "family",
}


@dataclass(frozen=True, eq=False)
class MetaAnalysis:
    """What a set of curves says together.

    Attributes
    ----------
    cutoffs
        Cut-offs of the emergence score, ascending.
    seed, draws
        Seed of all draws, and how often each curve was drawn under each null.
    curves
        One row per curve, see :data:`~upswing.mirage.meta.curves.COLUMNS`; and the
        ``category`` of its task in the annotation with ``emergent_by_hand``, null without one.
    by_metric, by_class, by_shape, by_family
        Counts above the cut-offs, see :func:`~upswing.mirage.meta.counts.counts_above`.
        Shapes are those of the registry of metrics; classes are finer.
    any_metric
        Metrics with any curve above each cut-off: of all curves, and of those under their task's
        preferred metric by each source.
    infinite
        The curves with an infinite score.
    infinite_by_metric
        What they come from, see
        :func:`~upswing.mirage.meta.counts.infinite_by_metric`.
    expected
        Counts beside those of redrawn curves, see
        :data:`~upswing.mirage.meta.counts.EXPECTED`.
    annotation
        Counts by category of the annotated tasks that have curves; empty without an annotation.
    preferred, base_rates
        See :mod:`upswing.mirage.meta.base_rates`; empty without an annotation or a list of metrics.
    notes
        Remarks on what could not be told.
    """

    cutoffs: tuple[float, ...]
    seed: int
    draws: int
    curves: pl.DataFrame
    by_metric: pl.DataFrame
    by_class: pl.DataFrame
    by_shape: pl.DataFrame
    by_family: pl.DataFrame
    any_metric: pl.DataFrame
    infinite: pl.DataFrame
    infinite_by_metric: pl.DataFrame
    expected: pl.DataFrame
    annotation: pl.DataFrame
    preferred: pl.DataFrame
    base_rates: pl.DataFrame
    notes: tuple[Note, ...] = ()

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the tables by name."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, pl.DataFrame)}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON: what is infinite or unknown is None."""
        return {
            "cutoffs": list(self.cutoffs),
            "seed": self.seed,
            "draws": self.draws,
            **{name: frame.to_dicts() for name, frame in self.tables().items()},
            "notes": [note.to_dict() for note in self.notes],
        }


def meta_analysis(
    curves: Sequence[Curve],
    *,
    cutoffs: Sequence[float] = CUTOFFS,
    annotation: pl.DataFrame | None = None,
    metadata: pl.DataFrame | None = None,
    metric_tasks: pl.DataFrame | None = None,
    seed: int = 0,
    draws: int | None = None,
) -> MetaAnalysis:
    """Score many curves and compare the scores with what chance gives.

    Parameters
    ----------
    curves
        Curves of tasks under metrics over scale, as :func:`upswing.curves.build.build_curves`
        makes them.
    cutoffs
        Cut-offs of the emergence score, above 0.
    annotation
        Tasks that people judged, see :func:`~upswing.mirage.meta.annotation.read_annotation`.
    metadata
        Preferred metrics, questions and chance levels of tasks, see
        :func:`~upswing.mirage.meta.preferred_metric.read_task_metadata`.
    metric_tasks
        Tasks per preferred metric, see
        :func:`~upswing.mirage.meta.preferred_metric.read_metric_tasks`.
    seed
        Seed of all draws.
    draws
        Times that each curve is drawn under each null; see
        :func:`~upswing.mirage.meta.null_scores.null_scores` for the default.

    Raises
    ------
    InputError
        If there is no cut-off, or one is not above 0.

    Examples
    --------
    >>> jump = Curve(x=[1e7, 1e8, 1e9, 1e10], y=[0, 0, 0, 0.5], axis="params", n=8, chance=0.0)
    >>> found = meta_analysis([jump])
    >>> found.by_class.select("metric_class", "cutoff", "curves", "above_infinite").row(0)
    ('accuracy', 20.0, 1, 1)
    >>> found.infinite["under_resolved"].to_list()
    [True]
    """
    levels = _checked(cutoffs)
    if metadata is not None:
        curves = with_task_metadata(curves, metadata)
    rng = np.random.default_rng(seed)
    nulls = null_scores(curves, rng, draws)
    rows = curve_rows(curves)
    expected = expected_above(rows, nulls, _GROUPS, levels, rng)
    rows = _annotated(rows, pl.DataFrame(schema=ANNOTATION) if annotation is None else annotation)
    annotated = rows.filter(pl.col("category").is_not_null())
    scopes = {"all curves": rows}
    sources = _preferred(annotation, metadata)
    for source, tasks in sources.items():
        scopes[source] = _under_preferred(rows, tasks)
    preferred = []
    if annotation is not None:
        judged = annotation.select("task", "emergent")
        preferred = [
            preferred_counts(judged.join(tasks, on="task", how="left"), source)
            for source, tasks in sources.items()
        ]
    if metric_tasks is not None:
        preferred.append(with_shares(metric_tasks, LISTED))
    counts = pl.concat([pl.DataFrame(schema=PREFERRED), *preferred])
    infinite = rows.filter(pl.col("emergence_score_status").is_in(["+inf", "-inf"]))
    return MetaAnalysis(
        cutoffs=levels,
        seed=seed,
        draws=nulls.draws,
        curves=rows,
        by_metric=counts_above(rows, ["metric", "metric_class", "metric_shape"], levels),
        by_class=counts_above(rows, ["metric_class"], levels),
        by_shape=counts_above(rows, ["metric_shape"], levels),
        by_family=counts_above(rows, ["family"], levels),
        any_metric=metrics_with_any(scopes, levels),
        infinite=infinite,
        infinite_by_metric=infinite_by_metric(rows),
        expected=expected,
        annotation=counts_above(annotated, ["category", "emergent_by_hand"], levels),
        preferred=counts,
        base_rates=base_rates(counts, rng) if len(counts) else pl.DataFrame(schema=BASE_RATES),
        notes=tuple(_notes(rows, len(nulls.curves), annotation)),
    )


def _checked(cutoffs: Sequence[float]) -> tuple[float, ...]:
    levels = tuple(sorted({float(cutoff) for cutoff in cutoffs}))
    if not levels or not all(0.0 < level < np.inf for level in levels):
        raise InputError(
            f"cut-offs are {', '.join(f'{c:g}' for c in cutoffs) or 'missing'}",
            hint="give numbers above 0, such as 20 50 100",
        )
    return levels


def _preferred(
    annotation: pl.DataFrame | None, metadata: pl.DataFrame | None
) -> dict[str, pl.DataFrame]:
    """Return the preferred metrics of tasks by where they are from."""
    sources = {}
    if annotation is not None and annotation["preferred_metric"].is_not_null().any():
        sources[COLUMN] = annotation.select("task", "preferred_metric")
    if metadata is not None:
        sources[RULE] = preferred_by_rule(metadata)
    return sources


def _annotated(rows: pl.DataFrame, annotation: pl.DataFrame) -> pl.DataFrame:
    known = annotation.select("task", "category", pl.col("emergent").alias("emergent_by_hand"))
    return rows.join(known, on="task", how="left", maintain_order="left")


def _under_preferred(rows: pl.DataFrame, tasks: pl.DataFrame) -> pl.DataFrame:
    """Keep the curves whose metric is the one that their task prefers."""
    chosen = dict(tasks.drop_nulls().iter_rows())
    wanted = [
        task in chosen and metric_class(chosen[task]).name == metric_class(metric).name
        for task, metric in rows.select("task", "metric").iter_rows()
    ]
    return rows.filter(pl.Series(wanted, dtype=pl.Boolean))


def _notes(rows: pl.DataFrame, drawn: int, annotation: pl.DataFrame | None) -> list[Note]:
    notes = []
    few = int((rows["emergence_score_status"] == "too_few").sum())
    if few:
        notes.append(
            Note(
                "too-few-scales",
                "info",
                f"{few} of {len(rows)} curves have fewer than three scales and no score.",
                {"curves": few},
            )
        )
    left = len(rows) - few - drawn
    if left:
        notes.append(
            Note(
                "noise-unknown",
                "info",
                f"{left} curves cannot be drawn again, since the range of their metric or the "
                "noise of their scores is not known; the expected counts leave them out.",
                {"curves": left},
            )
        )
    if annotation is not None and not rows["category"].is_not_null().any():
        notes.append(
            Note(
                "annotation-unmatched",
                "warning",
                "No task of the curves is in the annotation, whose names are those of BIG-bench.",
                {"annotated": len(annotation)},
            )
        )
    return notes
