"""The layers of a figure of finetuned models, over the data sets ``means``, ``runs``, ``chance``.

Runs of one checkpoint share their place on the x axis whatever the amount of data, so amounts are
drawn a few pixels apart. The layers hold labels of amounts and methods, and no scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from upswing.charts.finetune_data import PROMPTED
from upswing.charts.scale_axis import XScale, default_x, scale_x, short_number
from upswing.charts.theme import Mode, sequence, text_colour

if TYPE_CHECKING:
    import altair as alt

_APART = 2.4
_WIDEST = 16.0


class FinetuneLook(NamedTuple):
    """What tells one kind of panel from another.

    Attributes
    ----------
    axis
        Scale of the checkpoints.
    amounts
        Labels of the amounts of data, from none to the most.
    unit
        Whether scores run from 0 to 1.
    mode
        Colours of the amounts follow the paper.
    methods
        Labels of the methods, in a panel over methods; empty in one over scale.
    corpus
        Text that the loss was measured on.
    height
        Height of the plot [px].
    place
        Place of the panel in a grid; None outside of one.
    columns
        Amounts side by side in the legend; None where the page tells how much room there is.
    """

    axis: str
    amounts: tuple[str, ...]
    unit: bool
    mode: Mode = "light"
    methods: tuple[str, ...] = ()
    corpus: str | None = None
    height: int = 220
    place: int | None = None
    columns: int | None = None

    @property
    def x(self) -> XScale:
        """How the scale is drawn."""
        return default_x(self.axis)

    @property
    def scale_name(self) -> str:
        """Name that Vega gives the x scale."""
        return "x" if self.place is None else f"concat_{self.place}_x"

    def data(self, name: str) -> str:
        """Return the name of a data set of this panel."""
        return name if self.place is None else f"{name}_{self.place}"

    @property
    def colours(self) -> list[str]:
        """Colour of each amount: ink for the prompted model, an ordered scale for the others."""
        prompted = [label for label in self.amounts if label == PROMPTED]
        ordered = sequence(len(self.amounts) - len(prompted), self.mode)
        return [text_colour(self.mode)] * len(prompted) + ordered


def finetune_layers(look: FinetuneLook) -> alt.LayerChart:
    """Return the layered figure without its data, title and width.

    A click on an amount in the legend leaves that amount alone. Without a number of columns the
    figure has a parameter ``per_row``, how many long names would stand side by side.
    """
    import altair as alt

    layers = [_anchors(look), *_chance(look), _ranges(look), _runs(look), *_means(look)]
    chart: alt.LayerChart = alt.LayerChart(layer=layers).properties(height=look.height)
    if look.columns is None:
        chart = chart.add_params(alt.param(name="per_row", value=3))
    return chart


def _base(look: FinetuneLook, name: str) -> alt.Chart:
    import altair as alt

    chart = alt.Chart(alt.NamedData(look.data(name)))
    return chart.transform_filter("datum.x > 0") if not look.methods and look.x == "log" else chart


def _x(look: FinetuneLook) -> alt.X:
    import altair as alt

    if not look.methods:
        return scale_x(look.axis, look.x, look.corpus, scale_name=look.scale_name)
    return alt.X(
        "method:N",
        title=None,
        scale=alt.Scale(domain=list(look.methods), type="point", padding=0.6),
        axis=alt.Axis(labelAngle=0, grid=False, labelOverlap="greedy", labelLimit=90),
    )


def _apart(look: FinetuneLook) -> Any:
    """Return the x of a mark: its place on the axis, moved by the place of its amount."""
    import altair as alt

    count = len(look.amounts)
    step = min(_APART * (3 if look.methods else 1), 2 * _WIDEST / max(count - 1, 1))
    field = "method" if look.methods else "x"
    moved = f"(datum.amount_place - {(count - 1) / 2}) * {step:.4g}"
    if look.methods and PROMPTED in look.amounts:
        moved = f"(datum.amount_place > 0 ? {moved} : 0)"  # it stands alone in its column
    return alt.value(alt.ExprRef(f"scale('{look.scale_name}', datum.{field}) + {moved}"))


def _y(look: FinetuneLook, field: str) -> alt.Y:
    import altair as alt

    room: Any = [look.height - 4, 4]
    if look.unit:
        scale = alt.Scale(domain=[0, 1], range=room)
        axis = alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1])
    else:
        scale = alt.Scale(zero=False, nice=True, range=room)
        axis = alt.Axis(format=".6~g", tickCount=6)
    return alt.Y(f"{field}:Q", title=None, scale=scale, axis=axis)


def _colour(look: FinetuneLook) -> alt.Color:
    import altair as alt

    scale = alt.Scale(domain=list(look.amounts), range=look.colours)
    return alt.Color("amount:N", scale=scale, legend=_legend(look))


def _shape(look: FinetuneLook) -> alt.Shape:
    import altair as alt

    shapes = ["diamond" if label == PROMPTED else "circle" for label in look.amounts]
    scale = alt.Scale(domain=list(look.amounts), range=shapes)
    return alt.Shape("amount:N", scale=scale, legend=_legend(look))


def _legend(look: FinetuneLook) -> alt.Legend:
    import altair as alt

    return alt.Legend(
        title="Examples",
        titleFontSize=11,
        titleFontWeight="normal",
        titleOrient="left",
        titlePadding=8,
        symbolOpacity=1,
        symbolSize=50,
        columnPadding=8,
        columns=alt.ExprRef("2 * per_row + 1") if look.columns is None else look.columns,
    )


def _chosen(look: FinetuneLook) -> alt.Parameter:
    """Return the amounts that are chosen in the legend."""
    import altair as alt

    name = "chosen" if look.place is None else f"chosen_{look.place}"
    return alt.selection_point(name=name, fields=["amount"], bind="legend")


def _faint(look: FinetuneLook, opacity: float) -> Any:
    """Return an opacity that hides amounts other than the chosen ones, where there are any."""
    import altair as alt

    return alt.condition(_chosen(look), alt.value(opacity), alt.value(0.06 * opacity))


def _anchors(look: FinetuneLook) -> alt.Chart:
    """Draw nothing, but give the x axis its scale: marks are placed by hand on it."""
    nothing: alt.Chart = _base(look, "means").mark_point(opacity=0, size=0)
    return nothing.encode(x=_x(look), y=_y(look, "value"))


def _chance(look: FinetuneLook) -> list[alt.Chart]:
    import altair as alt

    base = _base(look, "chance")
    line = (
        base.transform_aggregate(groupby=["chance"])
        .mark_rule(style="ink", strokeDash=[5, 4], strokeWidth=1.2, clip=True)
        .encode(y=_y(look, "chance"))
    )
    band = base.transform_filter("isValid(datum.low)")
    if look.methods:
        drawn = band.transform_aggregate(
            low="min(low)", high="max(high)", groupby=["chance"]
        ).mark_rect(style="ink", opacity=0.16, clip=True)  # fmt: skip
        return [drawn.encode(y=_y(look, "low"), y2="high:Q"), line]
    area = band.mark_area(style="ink", opacity=0.16, line=False, clip=True).encode(
        x=_x(look), y=_y(look, "low"), y2="high:Q", detail=alt.Detail("chance:N")
    )
    return [area, line]


def _runs(look: FinetuneLook) -> alt.Chart:
    import altair as alt

    told = [
        alt.Tooltip("point:N", title="Checkpoint"),
        alt.Tooltip("amount:N", title="Examples"),
        alt.Tooltip("method:N", title="Method"),
        alt.Tooltip("draw:N", title="Draw"),
        alt.Tooltip("seed:N", title="Seed"),
        alt.Tooltip("value:Q", title="Score of this run", format=".4~g"),
    ]
    dots: alt.Chart = (
        _base(look, "runs")
        .mark_point(filled=True, shape="circle", size=15)
        .encode(
            x=_apart(look),
            y=_y(look, "value"),
            color=_colour(look),
            opacity=_faint(look, 0.5),
            tooltip=told,
        )
    )
    return dots


def _ranges(look: FinetuneLook) -> alt.Chart:
    bars: alt.Chart = (
        _base(look, "means")
        .transform_filter("datum.runs > 1")
        .mark_rule(strokeWidth=1, clip=True)
        .encode(
            x=_apart(look),
            y=_y(look, "lowest"),
            y2="highest:Q",
            color=_colour(look),
            opacity=_faint(look, 0.35),
        )
    )
    return bars


def _means(look: FinetuneLook) -> Sequence[alt.Chart]:
    import altair as alt

    order = alt.Order("method_place:Q" if look.methods else "x:Q")
    line = (
        _base(look, "means")
        .mark_line(strokeWidth=1.4, clip=True)
        .encode(
            x=_apart(look),
            y=_y(look, "value"),
            color=_colour(look),
            opacity=_faint(look, 0.8),
            order=order,
        )
    )
    told = [
        alt.Tooltip("point:N", title="Checkpoint"),
        alt.Tooltip("scale:N", title="Scale"),
        alt.Tooltip("amount:N", title="Examples"),
        alt.Tooltip("method:N", title="Method"),
        alt.Tooltip("value:Q", title="Mean of runs", format=".4~g"),
        alt.Tooltip("from_to:N", title="Runs"),
        alt.Tooltip("better:N", title="Gain over prompted"),
        alt.Tooltip("questions:N", title="Questions"),
    ]
    marks = (
        _base(look, "means")
        .transform_calculate(
            scale=f"isValid(datum.x) ? {short_number(look.axis)} : 'not known'",
            from_to=(
                "datum.runs == 1 ? 'one' : datum.runs + ', from ' + format(datum.lowest, '.4~g')"
                " + ' to ' + format(datum.highest, '.4~g')"
            ),
            better="isValid(datum.gain) ? format(datum.gain, '+.3~g') : '–'",
            questions="isValid(datum.n) ? format(datum.n, ',') : 'not known'",
        )
        .mark_point(filled=True, size=40)
        .encode(
            x=_apart(look),
            y=_y(look, "value"),
            color=_colour(look),
            shape=_shape(look),
            opacity=_faint(look, 1.0),
            tooltip=told,
        )
        .add_params(_chosen(look))
    )
    return [line, marks]
