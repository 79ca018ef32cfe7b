"""``upswing mirage meta``: emergence scores over many tasks, metrics and families."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from upswing.cli.options import AxisName, Format, Paths, Reading
from upswing.cli.output import exit_code, print_frame, print_notes, say, working
from upswing.cli.work import read_tables

if TYPE_CHECKING:
    from upswing.mirage.meta.analysis import MetaAnalysis

_READING = Reading()
_COUNTS = ("cutoff", "curves", "above", "above_finite", "above_infinite", "share", "below")
_SHOWN = {
    "by_metric": ("Curves above each cut-off", ("metric", *_COUNTS)),
    "expected": (
        "Beside what chance gives",
        ("group", "null", "cutoff", "curves", "observed", "expected", "low", "high", "p_value"),
    ),
    "infinite": (
        "Infinite scores",
        (
            "family",
            "task",
            "metric",
            "n_shot",
            "emergence_score_status",
            "questions_least",
            "questions_most",
            "at_worst",
            "n_scales",
            "under_resolved",
        ),
    ),
    "annotation": ("Annotated tasks", ("category", "tasks", *_COUNTS)),
    "base_rates": (
        "Multiple choice grade or exact match: shares of preferred metrics",
        ("rule", "emergent", "share_emergent", "share_tasks", "share_known", "p_fisher_known"),
    ),
}
"""Tables for a terminal: title and columns."""

TableName = Literal[
    "curves",
    "by_metric",
    "by_class",
    "by_shape",
    "by_family",
    "any_metric",
    "infinite",
    "infinite_by_metric",
    "expected",
    "annotation",
    "preferred",
    "base_rates",
]


def meta(
    paths: Paths,
    /,
    *,
    axis: AxisName = "params",
    task: Annotated[str | None, Parameter(help="Glob on the task.")] = None,
    family: Annotated[str | None, Parameter(help="Glob on the model family.")] = None,
    n_shot: Annotated[
        int | None, Parameter(name=["--n-shot", "--num_fewshot"], help="Number of solved examples.")
    ] = None,
    annotation: Annotated[
        Path | None, Parameter(help="Tasks judged by hand: columns task, wei_category.")
    ] = None,
    metadata: Annotated[
        Path | None, Parameter(help="Tasks: columns task, subtask, preferred_score.")
    ] = None,
    metrics: Annotated[
        Path | None, Parameter(help="Preferred metrics: columns metric, n_tasks_task_level, ...")
    ] = None,
    cutoff: Annotated[
        list[float] | None,
        Parameter(
            help="Cut-offs of the emergence score [default: 20 50 100].",
            consume_multiple=True,
            negative=(),
        ),
    ] = None,
    draws: Annotated[
        int | None,
        Parameter(help="Times each curve is drawn anew.", validator=Number(gte=1)),
    ] = None,
    seed: Annotated[int, Parameter(help="Seed of all draws.", validator=Number(gte=0))] = 0,
    format: Format = "table",
    table: Annotated[
        TableName | None, Parameter(help="Only this table; csv and md print one [by_metric].")
    ] = None,
    figure: Annotated[
        Path | None, Parameter(help="Draw the shares to this .svg, .png, .pdf or .html.")
    ] = None,
    reading: Reading = _READING,
) -> int:
    """Emergence scores over many tasks, metrics and families, beside chance and base rates."""
    from upswing.curves.build import build_curves
    from upswing.mirage.meta.analysis import CUTOFFS, meta_analysis
    from upswing.mirage.meta.annotation import read_annotation
    from upswing.mirage.meta.preferred_metric import read_metric_tasks, read_task_metadata

    tables = read_tables(paths, reading)
    curves, notes = build_curves(tables, axis, task=task, family=family, n_shot=n_shot)
    with working("Scoring curves"):
        analysis = meta_analysis(
            curves,
            cutoffs=CUTOFFS if cutoff is None else cutoff,
            annotation=None if annotation is None else read_annotation(annotation),
            metadata=None if metadata is None else read_task_metadata(metadata),
            metric_tasks=None if metrics is None else read_metric_tasks(metrics),
            seed=seed,
            draws=draws,
        )
    if table is not None or format in ("csv", "md"):
        name = table or "by_metric"
        print_frame(analysis.tables()[name], format, name)
    elif format == "json":
        text = msgspec.json.format(msgspec.json.encode(analysis.to_dict()), indent=1).decode()
        sys.stdout.write(text + "\n")
    else:
        _print_tables(analysis)
    if figure is not None:
        from upswing.charts.meta_analysis import meta_analysis_figure
        from upswing.charts.save import save_chart

        chart = meta_analysis_figure(analysis.by_metric, analysis.expected, analysis.preferred)
        say(f"Figure: {save_chart(chart, figure)}")
    found = (*tables.notes, *notes, *analysis.notes)
    print_notes(found)
    return exit_code(found, reading.strict)


def _print_tables(analysis: MetaAnalysis) -> None:
    """Print the tables that have rows, and what they say."""
    import polars as pl

    from upswing.mirage.meta.text import meta_analysis_text

    frames = analysis.tables()
    frames["expected"] = frames["expected"].filter(
        (pl.col("by") == "metric") & (pl.col("cutoff") == analysis.cutoffs[-1])
    )
    for name, (title, columns) in _SHOWN.items():
        if len(frames[name]):
            print_frame(frames[name].select(columns), "table", title)
    for text in meta_analysis_text(analysis):
        say(text)
