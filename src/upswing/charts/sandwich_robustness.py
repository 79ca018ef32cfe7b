"""Slice-and-Sandwich under several degrees of its polynomials, or several thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from upswing.charts.difficulty_groups import threshold_rule
from upswing.charts.sandwich import (
    UNIT,
    fit_lines,
    line_parts,
    mark_rows,
    measured_range,
    model_marks,
    panel_grid,
    value_y,
)
from upswing.charts.scale_axis import scale_x
from upswing.charts.theme import Mode

if TYPE_CHECKING:
    import altair as alt

WIDTH = 300
HEIGHT = 210
_HEADS = {"easy": "Easiest group", "hard": "Hardest group", "task": "Accuracy"}


def sandwich_robustness(
    lines: pl.DataFrame,
    marks: pl.DataFrame,
    *,
    title: str = "",
    columns: int = 2,
    width: int = WIDTH,
    height: int = HEIGHT,
    mode: Mode = "light",
) -> alt.ConcatChart:
    """Draw one panel per group, or per threshold, with a line per degree.

    Full points are models below the threshold, which were fitted; open ones were held out. Lines
    are dashed where they extrapolate, and may leave the panel.

    Parameters
    ----------
    lines, marks
        Tables of :func:`upswing.difficulty.sandwich.degree_robustness.degree_robustness` or
        :func:`~upswing.difficulty.sandwich.threshold_robustness.threshold_robustness`.
    title
        Text above the figure.
    columns
        Panels side by side.
    width, height
        Size of one panel [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.ConcatChart
        The grid, over the data sets ``lines_0``, ``marks_0``, ``threshold_0``, ...
    """
    import altair as alt

    panels = marks.select("threshold", "threshold_flops", "group").unique(maintain_order=True)
    drawn: list[alt.LayerChart] = []
    datasets: dict[str, Any] = {}
    for place, row in enumerate(panels.iter_rows(named=True)):
        key = (pl.col("threshold") == row["threshold"]) & (pl.col("group") == row["group"])
        own_lines, own_marks = lines.filter(key), marks.filter(key)
        of_groups = row["group"] != "task"
        head = _HEADS[row["group"]]
        if not of_groups:
            head += f", threshold {row['threshold']:g}"
        domain = measured_range(own_marks, "value") if of_groups else UNIT
        panel = _panel(place, "− TC Brier score" if of_groups else "Accuracy", own_lines, domain)
        panel.width, panel.height = width, height
        panel.title = alt.TitleParams(head, frame="group")
        drawn.append(panel)
        datasets |= {
            f"lines_{place}": line_rows(own_lines),
            f"marks_{place}": mark_rows(own_marks.select("model", "split", "value", x="flops")),
            f"threshold_{place}": [{"x": row["threshold_flops"]}],
        }
    return panel_grid(drawn, columns, datasets, title, mode)


def line_rows(lines: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the lines of a panel, each in two parts that meet at the threshold."""
    return [
        {"degree": f"degree {degree}", **part}
        for (degree,), line in lines.partition_by("degree", as_dict=True).items()
        for part in line_parts(line)
    ]


def _panel(place: int, title: str, lines: pl.DataFrame, domain: list[float]) -> alt.LayerChart:
    import altair as alt

    scale_name = f"concat_{place}_x"
    x, y = scale_x("flops", "log", scale_name=scale_name), value_y(title, domain)
    degrees = [f"degree {degree}" for degree in lines["degree"].unique().sort()]
    colour = alt.Color("degree:N", scale=alt.Scale(domain=degrees), legend=alt.Legend())
    return alt.LayerChart(
        layer=[
            fit_lines(f"lines_{place}", x, y, colour),
            *model_marks(f"marks_{place}", x, y),
            threshold_rule(f"threshold_{place}", scale_name),
        ]
    )
