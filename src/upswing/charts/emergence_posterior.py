"""How probable it is that a model of some loss has emerged, beside the scores of real ones.

After figure 5 of Snell et al. 2024, arXiv:2411.16035, turned so that it rises to better models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from upswing.charts.emergence_fan import fan_rows
from upswing.charts.emergence_marks import (
    MEASURED,
    STAR,
    Row,
    Span,
    answer,
    interval,
    loss_span,
    loss_x,
    nats,
    score_range,
    truth_colour,
)
from upswing.charts.score_vs_scale import titled
from upswing.charts.theme import CATEGORY, Mode, Width, config, pixels, text_colour

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 260
_STRETCH = 1.0
_COLOURS = (1, 3, 4, 6, 7)
_DASHES = ([6, 3], [2, 2], [8, 3, 2, 3], [1, 3], [4, 4])


def emergence_posterior(
    distribution: pl.DataFrame,
    means: pl.DataFrame,
    marks: pl.DataFrame,
    *,
    title: str | None = None,
    subtitle: str | None = None,
    width: Width = "page",
    height: int = HEIGHT,
    corpus: str | None = None,
    mode: Mode = "light",
) -> alt.LayerChart:
    """Draw the probability that a prompted model has emerged, over its pretraining loss.

    It is one minus the cumulative distribution of the elbow, so that it rises to better models.
    The strong line is the distribution of the forecast's interval, the dashed one the other of
    posterior and bootstrap; circles are the 5, 10, 25, 50, 75, 90 and 95 % quantiles. Stars are
    prompted models at their loss and, on the right axis, their score. The green rule is the
    measured elbow with its own 5 to 95 %; thin rules are forecasts that cost nothing.

    Parameters
    ----------
    distribution, means, marks
        Tables of :class:`~upswing.forecast.finetuning.figure_tables.EmergenceFigures`.
    title
        Text above the figure; by default the answer.
    subtitle
        A line under it; by default what the lines are.
    width
        ``column``, ``page``, pixels, or ``container``.
    height
        Height of the plot [px].
    corpus
        Text that the loss was measured on.
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.LayerChart
        The figure, over the data sets ``distribution``, ``quantiles``, ``prompted`` and ``rules``.
    """
    said = answer(marks) if title is None else title
    size = pixels(width)
    columns = None if isinstance(size, str) else max(1, size // 215)
    layers = posterior_layers(means, marks, height, corpus, columns, mode)
    rows = posterior_rows(distribution, means, marks)
    under = "; ".join(sources(distribution)) if subtitle is None else subtitle
    figure: alt.LayerChart = (
        titled(layers, said, under, width).properties(datasets=rows).configure(**config(mode))
    )
    return figure


def sources(distribution: pl.DataFrame) -> list[str]:
    """Return what the lines are, in short lines."""
    lines = distribution.group_by("source", "main").len().sort("main", descending=True).to_dicts()
    said = [f"{'line' if row['main'] else 'dashed'}: {row['source']}" for row in lines]
    return ["; ".join([*said, "dots: 5 to 95 %"]), "filled stars: models that were used"]


def posterior_rows(
    distribution: pl.DataFrame, means: pl.DataFrame, marks: pl.DataFrame
) -> dict[str, list[Row]]:
    """Return the data sets of :func:`emergence_posterior`."""
    prompted = means.filter("few_shot")
    signs = fan_rows(prompted, prompted.clear(), prompted.clear(), marks.clear())["signs"]
    kinds = ("truth", "baseline", "irreducible")
    return {
        "distribution": [
            {"source": row["source"], "main": row["main"], "loss": row["elbow"],
             "emerged": 1.0 - row["cdf"]}
            for row in distribution.sort("main", "cdf").to_dicts()
        ],
        "quantiles": [
            {"loss": row["elbow"], "emerged": 1.0 - row["value"],
             "told": f"{nats(row['elbow'])} nats/token"}
            for row in marks.filter(pl.col("kind") == "quantile").to_dicts()
        ],
        "prompted": signs,
        "rules": [
            {"kind": row["kind"], "name": _name(row), "loss": row["elbow"], "low": row["low"],
             "high": row["high"], "told": f"{nats(row['elbow'])} nats/token",
             "interval": interval(row) or "–"}
            for row in marks.filter(pl.col("kind").is_in(kinds)).to_dicts()
        ],
    }  # fmt: skip


def _name(row: Row) -> str:
    named = {"truth": MEASURED, "irreducible": "irreducible loss"}
    return str(named.get(row["kind"], row["name"]))


def posterior_layers(
    means: pl.DataFrame,
    marks: pl.DataFrame,
    height: int = HEIGHT,
    corpus: str | None = None,
    columns: int | None = None,
    mode: Mode = "light",
) -> alt.LayerChart:
    """Return the layers without data, title and width.

    Parameters
    ----------
    means, marks
        For the ranges of the axes and the names of the baselines.
    columns
        Entries side by side in the legend; None where the page tells how much room there is.
    height, corpus, mode
        As of :func:`emergence_posterior`.
    """
    import altair as alt

    span = loss_span(means["loss"], marks, _STRETCH)
    prompted = means.filter("few_shot")
    left = [
        *_rules(span, marks, corpus, columns, mode),
        *_curves(span, corpus, mode),
        _quantiles(span, corpus, mode),
    ]
    layers: list[Any] = [alt.LayerChart(layer=left)]
    if len(prompted):
        own = marks.filter(pl.col("kind") == "chance")
        layers.append(_stars(span, score_range(prompted, own), corpus, mode))
    known = columns is not None
    room: Any = alt.Undefined if known else [alt.param(name="per_row", value=3).param]
    chart: alt.LayerChart = alt.LayerChart(
        layer=layers,
        height=height,
        params=room,
        resolve=alt.Resolve(scale=alt.ScaleResolveMap(y="independent")),
    )
    return chart


def _data(name: str) -> alt.Chart:
    import altair as alt

    return alt.Chart(alt.NamedData(name))


def _y(field: str = "emerged") -> alt.Y:
    import altair as alt

    return alt.Y(
        f"{field}:Q",
        title="Probability of having emerged",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%", tickCount=5),
    )


def _rules(
    span: Span, marks: pl.DataFrame, corpus: str | None, columns: int | None, mode: Mode
) -> list[alt.Chart]:
    import altair as alt

    kinds = ("truth", "irreducible", "baseline")
    rows = [row for kind in kinds for row in marks.filter(pl.col("kind") == kind).to_dicts()]
    names = list(dict.fromkeys(_name(row) for row in rows))
    looks: dict[str, tuple[str, list[float]]] = {
        MEASURED: (truth_colour(mode), [1, 0]),
        "irreducible loss": (text_colour(mode), [1, 0]),
    }
    free = iter(zip(_COLOURS * 9, _DASHES * 9, strict=False))
    for name in names:
        if name not in looks:
            place, dashes = next(free)
            looks[name] = CATEGORY[mode][place], list(dashes)
    many: Any = alt.ExprRef("max(1, floor(per_row / 1.8))") if columns is None else columns
    legend = alt.Legend(
        orient="bottom",
        columns=many,
        symbolType="stroke",
        symbolStrokeWidth=2,
        labelLimit=300,
        offset=8,
    )
    colour = alt.Color(
        "name:N",
        scale=alt.Scale(domain=names, range=[looks[name][0] for name in names]),
        legend=legend,
    )
    dash = alt.StrokeDash(
        "name:N",
        scale=alt.Scale(domain=names, range=[looks[name][1] for name in names]),
        legend=legend,
    )
    told = [
        alt.Tooltip("name:N", title="What"),
        alt.Tooltip("told:N", title="Where"),
        alt.Tooltip("interval:N", title="5 to 95 %"),
    ]
    at = loss_x("loss", span, corpus)
    band = (
        _data("rules")
        .transform_filter("isValid(datum.low)")
        .mark_rect(color=truth_colour(mode), opacity=0.13, clip=True)
        .encode(x=loss_x("low", span, corpus), x2="high:Q")
    )
    rules = (
        _data("rules")
        .mark_rule(strokeWidth=1.7, clip=True)
        .encode(x=at, color=colour, strokeDash=dash, tooltip=told)
    )
    return [band, rules]


def _curves(span: Span, corpus: str | None, mode: Mode) -> list[alt.Chart]:
    import altair as alt

    at, ink = loss_x("loss", span, corpus), text_colour(mode)
    told = [
        alt.Tooltip("source:N", title="From"),
        alt.Tooltip("loss:Q", title="Loss [nats/token]", format=".3f"),
        alt.Tooltip("emerged:Q", title="Emerged", format=".1%"),
    ]
    return [
        _data("distribution")
        .transform_filter("datum.main" if main else "!datum.main")
        .mark_line(
            color=ink,
            strokeWidth=2.4 if main else 1.5,
            strokeDash=alt.Undefined if main else [5, 4],
            opacity=1 if main else 0.7,
            clip=True,
        )
        .encode(x=at, y=_y(), order=alt.Order("emerged:Q"), tooltip=told)
        for main in (False, True)
    ]


def _quantiles(span: Span, corpus: str | None, mode: Mode) -> alt.Chart:
    import altair as alt

    points: alt.Chart = (
        _data("quantiles")
        .mark_point(filled=True, color=text_colour(mode), size=46, opacity=1, clip=True)
        .encode(
            x=loss_x("loss", span, corpus),
            y=_y(),
            tooltip=[
                alt.Tooltip("emerged:Q", title="Emerged with probability", format=".0%"),
                alt.Tooltip("told:N", title="at"),
            ],
        )
    )
    return points


def _stars(span: Span, scores: tuple[float, float], corpus: str | None, mode: Mode) -> alt.Chart:
    import altair as alt

    colour = CATEGORY[mode][0]
    stars: alt.Chart = (
        _data("prompted")
        .mark_point(shape=STAR, size=62, color=colour, strokeWidth=1.2, opacity=1, clip=True)
        .encode(
            x=loss_x("loss", span, corpus),
            y=alt.Y(
                "value:Q",
                title="Score of prompted models (stars)",
                scale=alt.Scale(domain=list(scores), nice=False, zero=False),
                axis=alt.Axis(
                    orient="right",
                    grid=False,
                    format=".3~g",
                    tickCount=5,
                    titleColor=colour,
                    labelColor=colour,
                ),
            ),
            fill=alt.condition("datum.used", alt.value(colour), alt.value("transparent")),
            tooltip=[
                alt.Tooltip("what:N", title="What"),
                alt.Tooltip("told:N", title="Where"),
                alt.Tooltip("sign:N", title="Use"),
                alt.Tooltip("questions:N", title="Questions"),
            ],
        )
    )
    return stars
