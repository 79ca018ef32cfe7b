"""The shape test of difficulty groups: curves, the lines of their arms, and what sorting makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from upswing.charts.difficulty_groups import rank_names, score_domain
from upswing.charts.names import shown, without_owner
from upswing.charts.scale_axis import scale_x, short_number
from upswing.charts.theme import WIDTHS, Mode, config, sequence

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 190
_MOST_COLUMNS = 5
_BESIDE = 46
_WIDE = 130


def shape_test(
    table: pl.DataFrame,
    points: pl.DataFrame,
    lines: pl.DataFrame,
    *,
    title: str = "",
    width: int = WIDTHS["page"],
    height: int = HEIGHT,
    mode: Mode = "light",
) -> alt.ConcatChart:
    """Draw each group over compute with the lines of its arms and the band of the null.

    A point is a model; a line is fitted to the models of one arm of the shape. The band holds the
    smooth curves of 90 % of worlds in which models know nothing and questions were sorted in the
    same way, moved to the mean of the group: only its form counts.

    Parameters
    ----------
    table, points, lines
        Tables of :func:`upswing.difficulty.shapes.task_shapes.task_shapes`.
    title
        Text above the figure.
    width
        Width of all panels side by side [px].
    height
        Height of one panel [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.ConcatChart
        One panel per group, from easy to hard, over the data sets ``points_0``, ``lines_0``, …
    """
    import altair as alt

    ordered = table.sort("easiness_rank")
    names, colours = rank_names(len(ordered)), sequence(max(1, len(ordered)), mode)
    columns = min(max(1, len(ordered)), _MOST_COLUMNS)
    size = max(90, round(width / columns) - _BESIDE)
    panels, datasets = [], {}
    for place, row in enumerate(ordered.iter_rows(named=True)):
        of_group = pl.col("group") == row["group"]
        datasets[f"points_{place}"] = _point_rows(points.filter(of_group))
        datasets[f"lines_{place}"] = lines.filter(of_group).to_dicts()
        heading = alt.TitleParams(
            f"Group {names[place]}" if len(ordered) > 1 else "All questions",
            subtitle=verdict_lines(row),
            fontSize=12,
            subtitleFontSize=10,
            limit=size + 40,
        )
        axis = "Training compute [FLOP]" if size >= _WIDE else "Compute [FLOP]"
        panel = _panel(
            place, colours[place], score_domain(points), axis, first=place % columns == 0
        )
        panels.append(panel.properties(width=size, height=height, title=heading))
    named = {"title": alt.TitleParams(shown(title, 90))} if title else {}
    figure: alt.ConcatChart = (
        alt.concat(*panels, columns=columns, spacing=14, **named)
        .properties(datasets=datasets)
        .configure(**config(mode))
    )
    return figure


def verdict_lines(row: dict[str, Any]) -> list[str]:
    """Return what is written above a group: its shape, its p-values, and what they say.

    >>> verdict_lines({"shape": "u-shaped", "p_value": 0.01, "p_value_null": 0.4,
    ...                "beyond_sorting": False})
    ['u-shaped, p = 0.010', 'sorting alone: p = 0.40']
    """
    beyond = ", beyond sorting" if row["beyond_sorting"] else ""
    first = "no shape found" if row["shape"] == "flat" else str(row["shape"])
    return [
        f"{first}, p {_short(row['p_value'])}",
        f"sorting alone: p {_short(row['p_value_null'])}{beyond}",
    ]


def _short(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.2f}" if p >= 0.1 else f"= {p:.3f}"


def _panel(
    place: int, colour: str, domain: list[float], axis: str, *, first: bool
) -> alt.LayerChart:
    import altair as alt

    scale_name = f"concat_{place}_x"
    y: dict[str, Any] = {
        "title": "Score of the group" if first else None,
        "scale": alt.Scale(domain=domain, nice=False, zero=False),
        "axis": alt.Axis(format=".2~f", tickCount=5, labels=first, ticks=first, domain=first),
    }

    def at() -> alt.X:
        place = scale_x("flops", "log", field="flops", scale_name=scale_name, bare=True)
        return place.title(axis)

    base = alt.Chart(alt.NamedData(f"points_{place}"))
    band = base.mark_area(style="ink", opacity=0.2, line=False, clip=True).encode(
        x=at(), y=alt.Y("low:Q", **y), y2="high:Q"
    )
    marks = (
        base.transform_calculate(at=short_number("flops", "datum.flops"))
        .mark_point(filled=True, opacity=0.75, size=16, color=colour, clip=True)
        .encode(
            x=at(),
            y=alt.Y("score:Q", **y),
            tooltip=[
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("family:N", title="Family"),
                alt.Tooltip("at:N", title="Compute [FLOP]"),
                alt.Tooltip("score:Q", title="Score", format=".4f"),
                alt.Tooltip("low:Q", title="Null, 5 %", format=".4f"),
                alt.Tooltip("high:Q", title="Null, 95 %", format=".4f"),
            ],
        )
    )
    fitted = (
        alt.Chart(alt.NamedData(f"lines_{place}"))
        .mark_line(strokeWidth=2.5, color=colour, clip=True)
        .encode(x=at(), y=alt.Y("score:Q", **y), detail="arm:N")
    )
    return alt.LayerChart(layer=[band, marks, fitted])


def _point_rows(points: pl.DataFrame) -> list[dict[str, Any]]:
    columns = ("flops", "score", "low", "high")
    return [
        {
            "model": shown(without_owner(row["model"])),
            "family": shown(row["family"]),
            **{name: row[name] for name in columns},
        }
        for row in points.sort("flops").iter_rows(named=True)
    ]
