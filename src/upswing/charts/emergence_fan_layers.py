"""The layers of a fan, over ``means``, ``runs``, ``curves``, ``elbows``, ``signs``, ``levels``.

They hold the ranges of the axes and the labels of the amounts of data, and no scores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import polars as pl

from upswing.charts.emergence_marks import (
    FORECAST,
    MEASURED,
    PROMPTED_HELD,
    PROMPTED_USED,
    STAR,
    Row,
    Span,
    amount,
    loss_span,
    loss_x,
    mark,
    nats,
    score_range,
    truth_colour,
)
from upswing.charts.theme import Mode, sequence, text_colour

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 320
SIGNS = (PROMPTED_USED, PROMPTED_HELD, FORECAST, MEASURED)
"""Marks beside those of finetuned models, as the legend names them."""

_SHAPES = ("diamond", "cross", "triangle-down", STAR)


def fan_layers(
    means: pl.DataFrame,
    marks: pl.DataFrame,
    *,
    span: Span | None = None,
    scores: tuple[float, float] | None = None,
    amounts: list[str] | None = None,
    height: int = HEIGHT,
    corpus: str | None = None,
    columns: int | None = None,
    mode: Mode = "light",
    place: str = "",
) -> alt.LayerChart:
    """Return the layers of a fan without data, title and width.

    Parameters
    ----------
    means, marks
        For the ranges of the axes and the labels of the amounts.
    span, scores, amounts
        Ranges of the axes and labels of the amounts, where several fans share them; by default
        what the tables need.
    height, corpus, mode
        As of :func:`emergence_fan`.
    columns
        Entries side by side in the legends; None where the page tells how much room there is, by
        a parameter ``per_row``, how many long names would stand side by side.
    place
        What follows the names of the data sets.
    """
    return FanLook(
        span or loss_span(means["loss"], marks),
        scores or score_range(means, marks),
        fan_amounts(means) if amounts is None else amounts,
        mark(marks, "forecast"),
        signs_drawn(means, marks),
        height,
        corpus,
        columns,
        mode,
        place,
    ).layers()


def signs_drawn(means: pl.DataFrame, marks: pl.DataFrame) -> list[str]:
    """Return which of the signs are in a figure, for its legend."""
    prompted = means.filter("few_shot")["used"]
    there = (
        prompted.any(),
        len(prompted) > 0 and not prompted.all(),
        mark(marks, "forecast") is not None,
        mark(marks, "truth") is not None,
    )
    return [sign for sign, drawn in zip(SIGNS, there, strict=True) if drawn]


def fan_amounts(means: pl.DataFrame) -> list[str]:
    """Return the labels of the amounts of data, ascending."""
    values = means.filter(~pl.col("few_shot"))["d"].drop_nulls().unique().sort()
    return [amount({"d": d}) for d in values.to_list()]


class FanLook(NamedTuple):
    """What tells one fan from another.

    Attributes
    ----------
    span, scores
        Ranges of the axes.
    amounts
        Labels of the amounts of data, ascending.
    forecast
        The mark of the forecast; None without one.
    present
        Which of :data:`SIGNS` are drawn.
    height
        Height of the plot [px].
    corpus
        Text that the loss was measured on.
    columns
        Entries side by side in the legends; None where the page tells how much room there is.
    mode
        Colours follow the paper.
    place
        What follows the names of the data sets.
    """

    span: Span
    scores: tuple[float, float]
    amounts: list[str]
    forecast: Row | None
    present: list[str]
    height: int
    corpus: str | None
    columns: int | None
    mode: Mode
    place: str

    def layers(self) -> alt.LayerChart:
        """Return all layers, the data last."""
        import altair as alt

        drawn = [
            *self._band(),
            self._chance(),
            *self._limit(),
            self._dots(),
            *self._lines(),
            self._points(),
            self._elbows(),
            *self._measured(),
            *self._signs(),
            *self._outside(),
        ]
        known = self.columns is not None
        room: Any = alt.Undefined if known else [alt.param(name="per_row", value=3).param]
        chart: alt.LayerChart = alt.LayerChart(layer=drawn, height=self.height, params=room)
        return chart

    def _data(self, name: str) -> alt.Chart:
        import altair as alt

        return alt.Chart(alt.NamedData(name + self.place))

    def _x(self, field: str = "loss") -> alt.X:
        return loss_x(field, self.span, self.corpus)

    def _y(self, field: str = "value") -> alt.Y:
        import altair as alt

        return alt.Y(
            f"{field}:Q",
            title="Score",
            scale=alt.Scale(domain=list(self.scores), nice=False, zero=False),
            axis=alt.Axis(format=".3~g", tickCount=6),
        )

    def _legend(self, title: str, wide: bool = False, offset: int = 16) -> alt.Legend:
        import altair as alt

        if self.columns is None:
            columns: Any = alt.ExprRef("per_row" if wide else "2 * per_row")
        else:
            columns = max(1, self.columns // 2) if wide else self.columns
        return alt.Legend(
            title=title or None,
            titleFontSize=11,
            titleFontWeight="normal",
            titleOrient="left",
            titlePadding=8,
            symbolOpacity=1,
            columns=columns,
            columnPadding=10,
            offset=offset,
        )

    def _colour(self) -> alt.Color:
        import altair as alt

        colours = sequence(len(self.amounts), self.mode) if self.amounts else []
        scale = alt.Scale(domain=self.amounts, range=colours)
        return alt.Color("amount:N", scale=scale, legend=self._legend("Finetuned on"))

    def _told(self) -> list[alt.Tooltip]:
        import altair as alt

        return [
            alt.Tooltip("what:N", title="What"),
            alt.Tooltip("told:N", title="Where"),
            alt.Tooltip("amount:N", title="Examples"),
            alt.Tooltip("scores:N", title="Runs, or 5 to 95 %"),
            alt.Tooltip("questions:N", title="Questions"),
        ]

    def _band(self) -> list[alt.Chart]:
        own = self._data("signs").transform_filter(f"datum.sign == '{FORECAST}'")
        band = own.transform_filter("isValid(datum.lowest)").mark_rect(
            style="ink", opacity=0.14, clip=True
        )
        rule = own.mark_rule(style="ink", strokeWidth=1.4, clip=True)
        return [band.encode(x=self._x("lowest"), x2="highest:Q"), rule.encode(x=self._x())]

    def _chance(self) -> alt.Chart:
        rule: alt.Chart = (
            self._data("levels")
            .transform_filter("datum.kind == 'chance'")
            .mark_rule(style="ink", strokeDash=[5, 4], strokeWidth=1.2, clip=True)
            .encode(y=self._y())
        )
        return rule

    def _limit(self) -> list[alt.Chart]:
        """Draw up to which model the forecast is made, and say so."""
        import altair as alt

        own = self._data("levels").transform_filter("datum.kind == 'limit'")
        rule = own.mark_rule(style="ink", strokeDash=[1.5, 3], strokeWidth=1.4, clip=True)
        sides: tuple[tuple[str, Literal["left", "right"], int], ...] = (
            ("← used", "right", -5),
            ("held out →", "left", 5),
        )
        words = [
            own.mark_text(
                text=text, align=align, dx=dx, baseline="bottom", fontSize=10.5,
                color=text_colour(self.mode), opacity=0.8,
            ).encode(x=self._x(), y=alt.value(-3))
            for text, align, dx in sides
        ]  # fmt: skip
        return [rule.encode(x=self._x()), *words]

    def _dots(self) -> alt.Chart:
        import altair as alt

        dots: alt.Chart = (
            self._data("runs")
            .mark_point(filled=True, shape="circle", size=14, clip=True)
            .encode(
                x=self._x(),
                y=self._y(),
                color=self._colour(),
                opacity=alt.condition("datum.used", alt.value(0.45), alt.value(0.15)),
            )
        )
        return dots

    def _lines(self) -> list[alt.Chart]:
        import altair as alt

        lines = (
            self._data("curves")
            .transform_filter("!datum.few_shot")
            .mark_line(strokeWidth=1.6, clip=True)
            .encode(x=self._x(), y=self._y(), color=self._colour(), order=alt.Order("loss:Q"))
        )
        prompted = (
            self._data("curves")
            .transform_filter("datum.few_shot")
            .mark_line(color=text_colour(self.mode), strokeWidth=3, opacity=0.55, clip=True)
            .encode(x=self._x(), y=self._y(), order=alt.Order("loss:Q"))
        )
        return [prompted, lines]

    def _points(self) -> alt.Chart:
        import altair as alt

        points: alt.Chart = (
            self._data("means")
            .mark_point(filled=True, shape="circle", size=42, clip=True)
            .encode(
                x=self._x(),
                y=self._y(),
                color=self._colour(),
                opacity=alt.condition("datum.used", alt.value(1), alt.value(0.28)),
                tooltip=self._told(),
            )
        )
        return points

    def _elbows(self) -> alt.Chart:
        import altair as alt

        ticks: alt.Chart = (
            self._data("elbows")
            .mark_tick(thickness=2.5, size=13, clip=True, orient="vertical", opacity=1)
            .encode(
                x=self._x(),
                y=self._y(),
                color=self._colour(),
                tooltip=[
                    alt.Tooltip("what:N", title="What"),
                    alt.Tooltip("told:N", title="Where"),
                ],
            )
        )
        return ticks

    def _measured(self) -> list[alt.Chart]:
        colour = truth_colour(self.mode)
        own = self._data("signs").transform_filter(f"datum.sign == '{MEASURED}'")
        rule = own.mark_rule(color=colour, strokeWidth=1.4, clip=True).encode(x=self._x())
        bar = (
            own.transform_filter("isValid(datum.lowest)")
            .mark_rule(color=colour, strokeWidth=4, opacity=0.55, clip=True)
            .encode(x=self._x("lowest"), x2="highest:Q", y=self._y())
        )
        return [rule, bar]

    def _signs(self) -> list[alt.Chart]:
        import altair as alt

        ink, measured = text_colour(self.mode), truth_colour(self.mode)
        scale = alt.Scale(
            domain=self.present, range=[_SHAPES[SIGNS.index(sign)] for sign in self.present]
        )
        legend = self._legend("", wide=True, offset=8)
        legend.orient = "bottom"
        legend.symbolStrokeColor = ink
        legend.symbolFillColor = "transparent"
        shape = alt.Shape("sign:N", scale=scale, legend=legend)
        own = self._data("signs")

        def drawn(sign: str, colour: str, **look: Any) -> alt.Chart:
            points: alt.Chart = (
                own.transform_filter(sign)
                .mark_point(stroke=colour, strokeWidth=1.5, opacity=1, clip=True, **look)
                .encode(x=self._x(), y=self._y(), shape=shape, tooltip=self._told())
            )
            return points

        prompted = drawn(f"indexof(datum.sign, '{PROMPTED_USED}') == 0", ink, size=58)
        star = drawn(f"datum.sign == '{MEASURED}'", measured, fill=measured, size=130)
        arrow = drawn(f"datum.sign == '{FORECAST}'", ink, fill=ink, size=70)
        return [prompted, star, arrow.encode(y=alt.value(6))]

    def _outside(self) -> list[alt.Chart]:
        """Point to an elbow that is too far to be drawn."""
        import altair as alt

        if self.forecast is None or self.span.low <= self.forecast["elbow"] <= self.span.high:
            return []
        reached = self.forecast["name"] != "beyond reach" and self.forecast["elbow"] > 0
        where = nats(self.forecast["elbow"]) if reached else "is beyond reach"
        text = (
            alt.Chart(alt.InlineData(values=[{}]))
            .mark_text(
                text=f"most likely elbow {where} →",
                align="right",
                baseline="top",
                color=text_colour(self.mode),
                fontSize=11,
                dx=-4,
                dy=4,
            )
            .encode(x=alt.value("width"), y=alt.value(0))
        )
        return [text]
