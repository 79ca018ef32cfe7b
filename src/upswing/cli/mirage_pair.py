"""``upswing mirage pair``: one curve beside another metric or format of the same questions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from upswing.cli.options import Format, Paths, Reading, Selection
from upswing.cli.output import exit_code, print_notes, print_records, say, working
from upswing.cli.work import read_tables

_READING, _SELECTION = Reading(), Selection()


def pair(
    paths: Paths,
    /,
    *,
    metric: Annotated[str, Parameter(help="Metric of the curve in question.")],
    other_metric: Annotated[str, Parameter(help="Metric to lay beside it.")],
    other_task: Annotated[
        str | None, Parameter(help="Task of that metric, where another format has its own name.")
    ] = None,
    figure: Annotated[
        Path | None, Parameter(help="Draw the first pair (.svg, .png, .pdf, .html).")
    ] = None,
    format: Format = "table",
    selection: Selection = _SELECTION,
    reading: Reading = _READING,
) -> int:
    """Lay a curve beside another metric, or another format, of the same questions."""
    from upswing.findings.mirage_check import named_pairs
    from upswing.mirage.intervention import pair_table
    from upswing.report.pair_text import pair_sentence

    tables = read_tables(paths, reading)
    with working("Comparing curves"):
        found = named_pairs(
            tables, metric, other_metric, other_task=other_task, **selection.arguments()
        )
    rows = pair_table(one.pair for one in found).to_dicts()
    if format == "table":
        for row in rows:
            print(pair_sentence(row))
    else:
        print_records(rows, format)
    if figure is not None:
        from upswing.charts.metric_pair import metric_pair
        from upswing.charts.save import save_chart
        from upswing.mirage.pair_points import pair_points

        points = pair_points([found[0].pair], [found[0].onset])
        save_chart(metric_pair(points, pair_table([found[0].pair])), figure)
        say(f"Figure: {figure}")
    print_notes(tables.notes)
    return exit_code(tables.notes, reading.strict)
