"""What few questions show: no success at all, or too little power.

After figure 4 of Schaeffer et al. 2023, arXiv:2304.15004.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from upswing.charts.names import distinct_labels, without_owner
from upswing.charts.scale_axis import XScale, default_x, scale_x, short_number
from upswing.charts.theme import Mode, Width, config, pixels, sequence

if TYPE_CHECKING:
    import altair as alt

POWER = 0.8
"""Power that is drawn as a line: what studies are usually planned for."""

AS_ASKED = "as asked"
"""Label of a curve over the questions at hand."""


def zero_successes(
    by_model: pl.DataFrame,
    *,
    title: str = "",
    subtitle: str = "points: subsamples; lines: (1 − A)ⁿ; dotted: without replacement",
    width: Width = "page",
    height: int = 260,
    mode: Mode = "light",
) -> alt.LayerChart:
    """Draw how often a subsample of the questions has no success, against (1 - A)^n.

    Points are shares of subsamples, solid lines the binomial probability. Dotted is the probability
    for draws without replacement, which is lower where a subsample is a large part of the
    questions. The one subsample of all questions is left out.

    Parameters
    ----------
    by_model
        The table of that name of :func:`upswing.mirage.subsampling.subsampling`, of a metric that
        is a share of right answers; weak models first.
    title, subtitle
        Text above the figure; the subtitle says what the lines are unless it is given.
    width
        ``column``, ``page``, pixels, or ``container``.
    height
        Height of the plot [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.LayerChart
        The figure, over the data set ``zeros``.
    """
    import altair as alt

    rows, labels = zero_rows(by_model)
    base = alt.Chart(alt.NamedData("zeros"))
    x = alt.X(
        "n:Q",
        title="Questions in the subsample, n",
        scale=alt.Scale(type="log", nice=False, padding=14),
        axis=alt.Axis(
            values=sorted({row["n"] for row in rows}),
            format=",d",
            labelOverlap="greedy",
            grid=False,
        ),
    )
    colour = alt.Color(
        "model:N",
        scale=alt.Scale(domain=labels, range=sequence(len(labels), mode) if labels else []),
        legend=alt.Legend(orient="right", direction="vertical", columns=1),
    )

    def y(field: str) -> alt.Y:
        return alt.Y(
            f"{field}:Q",
            title="Share of subsamples without a success",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format=".0%", tickCount=5),
        )

    lines = base.mark_line(strokeWidth=1.5, interpolate="monotone").encode(
        x=x, y=y("expected_zero"), color=colour
    )
    points = base.mark_point(filled=True, size=45, opacity=1).encode(
        x=x,
        y=y("share_zero"),
        color=colour,
        tooltip=[
            alt.Tooltip("model:N", title="Model"),
            alt.Tooltip("value:Q", title="Score on all questions", format=".4~f"),
            alt.Tooltip("n:Q", title="Questions", format=",d"),
            alt.Tooltip("share_zero:Q", title="Without a success", format=".1%"),
            alt.Tooltip("expected_zero:Q", title="(1 − A)ⁿ", format=".1%"),
            alt.Tooltip("pool_zero:Q", title="without replacement", format=".1%"),
        ],
    )
    dotted = base.mark_line(strokeWidth=1, strokeDash=[1.5, 2.5], interpolate="monotone").encode(
        x=x, y=y("pool_zero"), color=colour
    )
    layers = alt.LayerChart(layer=[lines, dotted, points])
    return _finished(layers, "zeros", rows, title, subtitle, width, height, mode)


def zero_rows(by_model: pl.DataFrame) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows of :func:`zero_successes`, and the labels of the models by scale."""
    drawn = by_model.filter(pl.col("share_zero").is_not_null() & (pl.col("draws") > 1))
    names = drawn["point"].unique(maintain_order=True).to_list()
    shown = distinct_labels(map(without_owner, names), 26)
    labels = {name: shown[without_owner(name)] for name in names}
    columns = ("n", "value", "share_zero", "expected_zero", "pool_zero")
    rows = [
        {"model": labels[row["point"]], **{column: row[column] for column in columns}}
        for row in drawn.iter_rows(named=True)
    ]
    return rows, list(labels.values())


def power_by_scale(
    resolution: pl.DataFrame,
    axis: str = "params",
    *,
    title: str = "",
    subtitle: str = "",
    x: XScale | None = None,
    width: Width = "page",
    height: int = 240,
    mode: Mode = "light",
) -> alt.LayerChart:
    """Draw the power to see that each model is above chance, if a smooth curve were true.

    Parameters
    ----------
    resolution
        :func:`upswing.mirage.resolution.resolution_table`; or several of them, one above the
        other, with a column ``questions`` that labels each, such as ``5,000``.
    axis
        ``flops`` [FLOP], ``params``, ``tokens`` [tokens] or ``loss``.
    title, subtitle
        Text above the figure.
    x
        ``log`` or ``linear``; default log, and linear for loss.
    width
        ``column``, ``page``, pixels, or ``container``.
    height
        Height of the plot [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.LayerChart
        The figure, over the data set ``power``.
    """
    import altair as alt

    labelled = (
        resolution
        if "questions" in resolution.columns
        else resolution.with_columns(pl.lit(AS_ASKED).alias("questions"))
    )
    columns = (
        "x",
        "n",
        "value",
        "smooth",
        "power",
        "p_no_success",
        "questions_needed",
        "questions",
    )
    rows = labelled.select(columns).to_dicts()
    names = labelled["questions"].unique(maintain_order=True).to_list()
    base = alt.Chart(alt.NamedData("power"))
    at = scale_x(axis, x or default_x(axis))
    y = alt.Y(
        "power:Q",
        title="Power to be above chance",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%", tickCount=5),
    )
    legend = alt.Legend() if len(names) > 1 else None
    domain = alt.Scale(domain=names)
    colour = alt.Color("questions:N", scale=domain, legend=legend)
    told = [
        alt.Tooltip("scale:N", title="Scale"),
        alt.Tooltip("power:Q", title="Power", format=".1%"),
        alt.Tooltip("n:Q", title="Questions", format=",.0f"),
        alt.Tooltip("smooth:Q", title="Smooth curve", format=".3~g"),
        alt.Tooltip("value:Q", title="Observed", format=".3~g"),
        alt.Tooltip("questions_needed:Q", title="Questions needed", format=",d"),
    ]
    wanted = (
        alt.Chart(alt.InlineData(values=[{"wanted": POWER}]))
        .mark_rule(style="ink", strokeDash=[5, 4], strokeWidth=1.2)
        .encode(y="wanted:Q")
    )
    lines = base.mark_line(strokeWidth=1.5, interpolate="monotone").encode(x=at, y=y, color=colour)
    points = (
        base.transform_calculate(scale=short_number(axis))
        .mark_point(filled=True, size=48, opacity=1)
        .encode(
            x=at,
            y=y,
            color=colour,
            shape=alt.Shape("questions:N", scale=domain, legend=legend),
            tooltip=told,
        )
    )
    layers = alt.LayerChart(layer=[wanted, lines, points])
    return _finished(layers, "power", rows, title, subtitle, width, height, mode)


def _finished(
    layers: alt.LayerChart,
    name: str,
    rows: list[dict[str, Any]],
    title: str,
    subtitle: str,
    width: Width,
    height: int,
    mode: Mode,
) -> alt.LayerChart:
    import altair as alt

    chart = layers.properties(width=pixels(width), height=height, datasets={name: rows})
    if title:
        chart = chart.properties(title=alt.TitleParams(title, subtitle=subtitle or alt.Undefined))
    figure: alt.LayerChart = chart.configure(**config(mode))
    return figure
