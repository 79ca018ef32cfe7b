"""At which size an ability emerges: the forecast over parameters or compute, and known models.

After figure 10 of Snell et al. 2024, arXiv:2411.16035.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from upswing.charts.emergence_marks import Row
from upswing.charts.names import shown
from upswing.charts.scale_axis import scale_x, short_number
from upswing.charts.score_vs_scale import titled
from upswing.charts.theme import Mode, Width, config, text_colour
from upswing.curves.curve import AXES
from upswing.errors import InputError

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 240
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_FAR = 30.0
_WORDS = {"params": "parameters", "tokens": "tokens", "flops": "FLOP"}
_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def parameter_axis(
    curve: pl.DataFrame,
    sizes: pl.DataFrame | None = None,
    *,
    p_beyond_reach: float = 0.0,
    title: str | None = None,
    subtitle: str | None = None,
    width: Width = "page",
    height: int = HEIGHT,
    mode: Mode = "light",
) -> alt.LayerChart:
    """Draw the probability that an ability has emerged by some size, on a logarithmic axis.

    Circles are the 5, 25, 50, 75 and 95 % quantiles; the curve ends below 100 % where part of the
    distribution is beyond the reach of any size. It is dashed beyond the models of the loss law;
    the band is the uncertainty of that law. Dotted rules are known models.

    Parameters
    ----------
    curve
        :attr:`~upswing.forecast.conversion.convert.Conversion.curve`: ``unit``, ``value``,
        ``cdf``, ``cdf_low``, ``cdf_high``, ``extrapolated``; ascending.
    sizes
        Known models: ``name`` and ``value``, in the unit of the curve; those far outside of it are
        not drawn.
    p_beyond_reach
        Probability that no size reaches the elbow.
    title
        Text above the figure; by default the median with its 5 to 95 %.
    subtitle
        A line under it; by default the share that no size reaches.
    width
        ``column``, ``page``, pixels, or ``container``.
    height
        Height of the plot [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.LayerChart
        The figure, over the data sets ``sizes``, ``quantiles`` and ``known``.

    Raises
    ------
    InputError
        If the curve has no rows.
    """
    if curve.is_empty():
        raise InputError("there is no curve to draw", hint="give the curve of a conversion")
    axis = str(curve["unit"][0])
    said = size_answer(curve) if title is None else title
    under = size_reach(p_beyond_reach) if subtitle is None else subtitle
    figure: alt.LayerChart = (
        titled(size_layers(axis, height, mode), said, under, width)
        .properties(datasets=size_rows(curve, sizes))
        .configure(**config(mode))
    )
    return figure


def size_quantile(curve: pl.DataFrame, share: float) -> float | None:
    """Return the size below which that share is; None where no size on the axis has it.

    >>> size_quantile(pl.DataFrame({"value": [1e9, 1e11], "cdf": [0.0, 1.0]}), 0.5)
    10000000000.0
    """
    cdf = curve["cdf"].to_numpy()
    if not cdf[0] <= share <= cdf[-1]:
        return None
    return float(10 ** np.interp(share, cdf, np.log10(curve["value"].to_numpy())))


def size_text(value: float | None, unit: str) -> str:
    """Return a size briefly.

    >>> size_text(3.25e11, "params"), size_text(1.2e24, "flops"), size_text(None, "params")
    ('325B', '1.2e24', 'beyond reach')
    """
    if value is None:
        return "beyond reach"
    if unit == "flops":
        return f"{value:.1e}".replace("e+", "e")
    for size, sign in _UNITS:
        if value >= size:
            return f"{value / size:.3g}{sign}"
    return f"{value:.0f}"


def size_answer(curve: pl.DataFrame) -> str:
    """Return the median with its 5 to 95 %, in words."""
    unit = str(curve["unit"][0])
    low, middle, high = (_bound(curve, share, unit) for share in (0.05, 0.5, 0.95))
    if middle == "beyond reach":
        return f"Forecast: more likely than not beyond reach ({low} to {high})"
    return f"Forecast: emerges at {middle} {_WORDS[unit]} ({low} to {high})"


def _bound(curve: pl.DataFrame, share: float, unit: str) -> str:
    """Return a quantile; where it is below the axis, that it is."""
    if share < float(curve["cdf"][0]):
        return f"below {size_text(float(curve['value'][0]), unit)}"
    return size_text(size_quantile(curve, share), unit)


def size_reach(beyond: float) -> str:
    """Return which share of the distribution no size reaches."""
    share = "less than 1 %" if beyond < 0.01 else f"{100 * beyond:.0f} %"
    return f"beyond the reach of any size: {share}; dots: 5 to 95 %; dashed: beyond the loss law"


def size_rows(curve: pl.DataFrame, sizes: pl.DataFrame | None) -> dict[str, list[Row]]:
    """Return the data sets of :func:`parameter_axis`."""
    drawn = curve["value"].to_numpy()
    known: list[Row] = []
    if sizes is not None:
        known = [
            {"name": shown(row["name"], 24), "x": row["value"]}
            for row in sizes.sort("value").to_dicts()
            if drawn[0] / _FAR <= row["value"] <= drawn[-1] * _FAR
        ]
    places = {share: size_quantile(curve, share) for share in _QUANTILES}
    names = {"value": "x", "cdf": "emerged", "cdf_low": "low", "cdf_high": "high"}
    # The dashed line starts where the solid one ends.
    beyond = pl.col("extrapolated") | pl.col("extrapolated").shift(-1).fill_null(False)
    lines = curve.select(*names, "extrapolated", beyond.alias("beyond")).rename(names)
    return {
        "sizes": lines.to_dicts(),
        "quantiles": [{"x": x, "emerged": share} for share, x in places.items() if x is not None],
        "known": known,
    }


def size_layers(axis: str = "params", height: int = HEIGHT, mode: Mode = "light") -> alt.LayerChart:
    """Return the layers of the figure without data, title and width."""
    import altair as alt

    at, ink = scale_x(axis, "log"), text_colour(mode)
    y = alt.Y(
        "emerged:Q",
        title="Probability of having emerged",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%", tickCount=5),
    )
    told = [
        alt.Tooltip("size:N", title=AXES[axis]),
        alt.Tooltip("emerged:Q", title="Emerged", format=".1%"),
    ]

    def data(name: str) -> alt.Chart:
        return alt.Chart(alt.NamedData(name)).transform_calculate(size=short_number(axis))

    rules = (
        data("known")
        .mark_rule(style="ink", strokeDash=[1.5, 3], strokeWidth=1.2)
        .encode(x=at, tooltip=["name:N", alt.Tooltip("size:N", title=AXES[axis])])
    )
    names = (
        data("known")
        .mark_text(align="left", baseline="bottom", dx=2, dy=-3, angle=315, fontSize=10, color=ink)
        .encode(x=at, y=alt.value(0), text="name:N")
    )
    band = (
        data("sizes")
        .transform_filter("isValid(datum.low)")
        .mark_area(color=ink, opacity=0.14, line=False)
        .encode(x=at, y=alt.Y("low:Q"), y2="high:Q")
    )
    lines = [
        data("sizes")
        .transform_filter("datum.beyond" if beyond else "!datum.extrapolated")
        .mark_line(color=ink, strokeWidth=2.2, strokeDash=[5, 3] if beyond else alt.Undefined)
        .encode(x=at, y=y, order="x:Q", tooltip=told)
        for beyond in (False, True)
    ]
    dots = (
        data("quantiles")
        .mark_point(filled=True, color=ink, size=46, opacity=1)
        .encode(x=at, y=y, tooltip=told)
    )
    chart: alt.LayerChart = alt.LayerChart(layer=[rules, names, *lines, band, dots]).properties(
        height=height
    )
    return chart
