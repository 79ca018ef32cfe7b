"""Which of two series of models gains an ability first: their fans, and the overlaid forecasts.

After figures 9 and 17 of Snell et al. 2024, arXiv:2411.16035.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from upswing.charts.emergence_fan import fan_rows
from upswing.charts.emergence_fan_layers import fan_amounts, fan_layers
from upswing.charts.emergence_marks import Row, Span, loss_span, loss_x, nats, score_range
from upswing.charts.names import distinct_labels, shown
from upswing.charts.score_vs_scale import titled
from upswing.charts.theme import CATEGORY, Mode, Width, config, pixels

if TYPE_CHECKING:
    import altair as alt

_HEIGHT = 220
_MEDIAN = 0.5


class FanTables(NamedTuple):
    """What the fan of one series is drawn from; see :func:`upswing.charts.emergence_fan`."""

    means: pl.DataFrame
    runs: pl.DataFrame
    curves: pl.DataFrame
    marks: pl.DataFrame


def emergence_comparison(
    cdf: pl.DataFrame,
    series: pl.DataFrame,
    fans: Mapping[str, FanTables] | None = None,
    *,
    title: str | None = None,
    subtitle: str = "",
    width: Width = "page",
    height: int = _HEIGHT,
    corpus: str | None = None,
    mode: Mode = "light",
) -> alt.LayerChart | alt.VConcatChart:
    """Draw the forecasts of two series over one loss axis, below their fans.

    A curve is the probability that a prompted model of that loss has emerged, one colour per
    series; the circle is its median. Rules are the measured elbows, bands their own 5 to 95 %.

    Parameters
    ----------
    cdf
        ``family``, ``elbow`` [nats/token], ``cdf``.
    series
        :meth:`~upswing.forecast.comparison.compare.EmergenceComparison.to_frame`.
    fans
        By family; None for the distributions alone.
    title
        Text above the figure; by default which comes first.
    subtitle
        A line under it.
    width
        Of the whole figure: ``column``, ``page``, pixels; ``container`` without fans only.
    height
        Height of each plot [px].
    corpus
        Text that the losses were measured on.
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.LayerChart or altair.VConcatChart
        The figure, over the data sets ``forecasts`` and ``measured``, and those of each fan.
    """
    import altair as alt

    said = first_words(series) if title is None else title
    rows = comparison_rows(cdf, series)
    if not fans:
        layers = comparison_layers(cdf, series, height=height, corpus=corpus, mode=mode)
        whole: alt.LayerChart = titled(layers, said, subtitle, width).properties(datasets=rows)
        plain: alt.LayerChart = whole.configure(**config(mode))
        return plain
    size = pixels(width)
    means = pl.concat([fan.means for fan in fans.values()])
    marks = pl.concat([fan.marks for fan in fans.values()])
    span = loss_span(means["loss"], marks)
    amounts, scores = fan_amounts(means), score_range(means, marks)
    panels = []
    each = (size - 60 * len(fans)) // len(fans)
    datasets: dict[str, Any] = dict(rows)
    for place, (family, fan) in enumerate(fans.items()):
        layers = fan_layers(
            fan.means, fan.marks, span=span, scores=scores, amounts=amounts, height=height,
            columns=max(2, size // 80), mode=mode, place=f"_{place}",
        )  # fmt: skip
        panels.append(layers.properties(width=each, title=shown(family, 40)))
        found = fan_rows(fan.means, fan.runs, fan.curves, fan.marks)
        datasets |= {f"{name}_{place}": values for name, values in found.items()}
    below = comparison_layers(cdf, series, span=span, height=height, corpus=corpus, mode=mode)
    chart = alt.vconcat(alt.hconcat(*panels), below.properties(width=size - 60))
    head = alt.TitleParams(said, subtitle=subtitle or alt.Undefined)
    figure: alt.VConcatChart = (
        chart.properties(title=head, datasets=datasets)
        .resolve_scale(color="independent", shape="independent", strokeDash="independent")
        .configure(**config(mode))
    )
    return figure


def comparison_rows(cdf: pl.DataFrame, series: pl.DataFrame) -> dict[str, list[Row]]:
    """Return the data sets of the overlaid distributions."""
    own = _series(series)
    labels = distinct_labels([row["family"] for row in own], 40)
    measured = [
        {"family": labels[row["family"]], "loss": row["truth"], "low": row["truth_q05"],
         "high": row["truth_q95"], "told": f"{nats(row['truth'])} nats/token"}
        for row in own
        if row["truth"] is not None
    ]  # fmt: skip
    medians = [
        {"family": labels[row["family"]], "loss": row["q50"], "emerged": _MEDIAN}
        for row in own
        if row["q50"] is not None
    ]
    forecasts = [
        {"family": labels.get(row["family"], row["family"]), "loss": row["elbow"],
         "emerged": 1.0 - row["cdf"]}
        for row in cdf.to_dicts()
    ]  # fmt: skip
    return {"forecasts": forecasts, "medians": medians, "measured": measured}


def _series(series: pl.DataFrame) -> list[Row]:
    """Return the rows of series; the row of their difference has no models."""
    return series.filter(pl.col("best_loss").is_not_null()).to_dicts()


def first_words(series: pl.DataFrame) -> str:
    """Return which series comes first with what probability, and what was measured."""
    rows = _series(series)
    known = [row for row in rows if row["p_first"] is not None]
    said = "Which emerges first: no forecast"
    if known:
        best = max(known, key=lambda row: row["p_first"])
        said = f"P({shown(best['family'], 40)} emerges first) = {best['p_first']:.2f}"
    truths = {row["family"]: row["truth"] for row in rows if row["truth"] is not None}
    if len(truths) < 2:
        return said
    earliest = max(truths, key=lambda family: truths[family])
    return f"{said}; measured: {shown(earliest, 40)} first"


def comparison_layers(
    cdf: pl.DataFrame,
    series: pl.DataFrame,
    *,
    span: Span | None = None,
    height: int = _HEIGHT,
    corpus: str | None = None,
    mode: Mode = "light",
) -> alt.LayerChart:
    """Return the layers of the overlaid distributions without data, title and width.

    Parameters
    ----------
    cdf, series
        For the range of the axis and the names of the series.
    span
        Range of the loss axis; by default what the tables need.
    height, corpus, mode
        As of :func:`emergence_comparison`.
    """
    import altair as alt

    rows = comparison_rows(cdf, series)
    names = list(distinct_labels([row["family"] for row in _series(series)], 40).values())
    legend = alt.Legend(symbolType="stroke", symbolStrokeWidth=2.4, symbolOpacity=1, symbolSize=160)
    colour = alt.Color(
        "family:N",
        scale=alt.Scale(domain=names, range=list(CATEGORY[mode][: len(names)])),
        legend=legend,
    )
    dash = alt.StrokeDash(
        "family:N",
        scale=alt.Scale(domain=names, range=[[1, 0], [7, 3], [2, 2], [8, 3, 2, 3]][: len(names)]),
        legend=legend,
    )
    if span is None:
        places = [row["loss"] for kind in rows.values() for row in kind]
        low, high = (min(places), max(places)) if places else (1.0, 2.0)
        span = Span(max(low - 0.02, 0.0), high + 0.02)

    def data(name: str) -> alt.Chart:
        return alt.Chart(alt.NamedData(name))

    y = alt.Y(
        "emerged:Q",
        title="Probability of having emerged",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%", tickCount=5),
    )
    at = loss_x("loss", span, corpus)
    told = [
        alt.Tooltip("family:N", title="Series"),
        alt.Tooltip("loss:Q", title="Loss [nats/token]", format=".3f"),
        alt.Tooltip("emerged:Q", title="Emerged", format=".1%"),
    ]
    bands = (
        data("measured")
        .transform_filter("isValid(datum.low)")
        .mark_rect(opacity=0.12, clip=True)
        .encode(x=loss_x("low", span, corpus), x2="high:Q", color=colour)
    )
    rules = (
        data("measured")
        .mark_rule(strokeWidth=1.6, clip=True)
        .encode(
            x=at, color=colour, strokeDash=dash,
            tooltip=[alt.Tooltip("family:N", title="Measured"), alt.Tooltip("told:N", title="at")],
        )
    )  # fmt: skip
    lines = (
        data("forecasts")
        .mark_line(strokeWidth=2.4, clip=True)
        .encode(x=at, y=y, color=colour, strokeDash=dash, order="emerged:Q", tooltip=told)
    )
    dots = (
        data("medians")
        .mark_point(filled=True, size=60, opacity=1, clip=True)
        .encode(x=at, y=y, color=colour, tooltip=told)
    )
    chart: alt.LayerChart = alt.LayerChart(layer=[bands, rules, lines, dots]).properties(
        height=height
    )
    return chart
