"""Questions by difficulty, models by scale: who gets which question right, and how sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from upswing.charts.metric_panel import scale_text
from upswing.charts.names import shown
from upswing.charts.theme import Mode, Width, config, pixels
from upswing.curves.curve import AXES

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 320
SCHEME: Literal["viridis"] = "viridis"
"""Colours from dark to light, equal steps for the eye, also for the colour-blind."""


def item_heatmap(
    bins: pl.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    width: Width = "page",
    height: int = HEIGHT,
    mode: Mode = "light",
) -> alt.Chart:
    """Draw one metric per question and model: easy questions on top, strong models on the right.

    A row is a bin of questions of similar difficulty, so that a test of any size stays light;
    difficulty is the mean over the models drawn. Lighter is better.

    Parameters
    ----------
    bins
        :func:`~upswing.detection.item_bins.item_bins`.
    title, subtitle
        Text above the figure.
    width
        ``column``, ``page``, pixels, or ``container``.
    height
        Height of the plot [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.Chart
        The figure, over the data set ``cells``.
    """
    import altair as alt

    better_is_more = bool(bins["higher_is_better"][0]) if len(bins) else True
    cells = heatmap_cells(models_title(bins), heatmap_title(bins), better_is_more, height)
    chart = cells.properties(width=pixels(width), datasets={"cells": cell_rows(bins)})
    if title:
        under = subtitle or alt.Undefined
        chart = chart.properties(title=alt.TitleParams(shown(title, 90), subtitle=under))
    figure: alt.Chart = chart.configure(**config(mode))
    return figure


def heatmap_title(bins: pl.DataFrame) -> str:
    """Return what the colour shows."""
    if not len(bins):
        return ""
    better = "higher" if bins["higher_is_better"][0] else "lower"
    return f"{shown(bins['metric'][0], 40)} ({better} is better)"


def bins_text(bins: pl.DataFrame) -> str:
    """Return what a row is.

    >>> bins_text(pl.DataFrame({"bin": [0, 1], "first": [1, 71], "last": [70, 141]}))
    '2 rows of 70 to 71 questions'
    """
    rows = bins.unique(["bin"])
    sizes = (rows["last"] - rows["first"] + 1).sort()
    if not len(sizes):
        return "no questions"
    few, many = int(sizes[0]), int(sizes[-1])
    if many == 1:
        return f"{len(rows):,} rows of one question each"
    size = f"{few:,}" if few == many else f"{few:,} to {many:,}"
    return f"{len(rows):,} rows of {size} questions"


def cell_rows(bins: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the cells: where each begins and ends among the questions, its model and its value."""
    labels = column_labels(bins)
    return [
        {
            "from": row["first"] - 1,
            "to": row["last"],
            "model": labels[row["column"]],
            "value": row["value"],
        }
        for row in bins.select("first", "last", "column", "value").iter_rows(named=True)
    ]


def column_labels(bins: pl.DataFrame) -> list[str]:
    """Return the label of each column: the scale of its model, or its name where it has none."""
    columns = bins.unique(["column"]).sort("column")
    texts = [
        shown(row["point"], 24) if row["x"] is None else scale_text(row["x"], row["axis"])
        for row in columns.select("point", "x", "axis").iter_rows(named=True)
    ]
    seen: dict[str, int] = {}
    labels = []
    for text in texts:  # models of the same scale keep columns of their own
        seen[text] = seen.get(text, 0) + 1
        labels.append(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return labels


def models_title(bins: pl.DataFrame) -> str:
    """Return what the models are sorted by."""
    if not len(bins) or bins["x"].is_null().all():
        return "Models, by name"
    label = AXES.get(bins["axis"][0], bins["axis"][0])
    return f"Models, by {label[0].lower()}{label[1:]}"


def heatmap_cells(
    models: str, legend: str, higher_is_better: bool = True, height: int = HEIGHT
) -> alt.Chart:
    """Return the figure without data, title and width.

    Parameters
    ----------
    models
        Title of the axis of models.
    legend
        Title of the colours.
    higher_is_better
        Direction of the metric: lighter is better.
    height
        Height of the plot [px].
    """
    import altair as alt

    colours = alt.Scale(scheme=SCHEME, reverse=not higher_is_better)

    told = [
        alt.Tooltip("model:N", title="Model"),
        alt.Tooltip("questions:N", title="Questions, from the easiest"),
        alt.Tooltip("value:Q", title="Mean", format=".4~g"),
    ]
    chart: alt.Chart = (
        alt.Chart(alt.NamedData("cells"))
        .transform_calculate(questions="(datum.from + 1) + ' to ' + datum.to")
        # cells reach half a pixel into the next, which covers it: no seams between them
        .mark_rect(strokeWidth=0, y2Offset=0.6, width=alt.RelativeBandSize(band=1.02))
        .encode(
            x=alt.X(
                "model:N",
                sort=None,
                title=models,
                axis=alt.Axis(labelAngle=0, labelOverlap="greedy", ticks=False, grid=False),
                scale=alt.Scale(paddingInner=0, paddingOuter=0),
            ),
            y=alt.Y(
                "from:Q",
                title="Questions, easiest on top",
                scale=alt.Scale(reverse=True, nice=False, zero=True),
                axis=alt.Axis(format=",d", tickMinStep=1, tickCount=6, grid=False),
            ),
            y2="to:Q",
            color=alt.Color(
                "value:Q",
                scale=colours,
                legend=alt.Legend(
                    type="gradient",
                    title=legend,
                    orient="top",
                    direction="horizontal",
                    gradientLength=220,
                    gradientThickness=10,
                    titleLimit=320,
                    titleFontWeight="normal",
                    format=".3~g",
                ),
            ),
            tooltip=told,
        )
        .properties(height=height)
    )
    return chart
