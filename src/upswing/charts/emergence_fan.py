"""The fan of an emergence law: scores over pretraining loss, one curve per amount of data.

After figure 4 of Snell et al. 2024, arXiv:2411.16035.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from upswing.charts.emergence_fan_layers import HEIGHT, fan_layers
from upswing.charts.emergence_marks import (
    FORECAST,
    MEASURED,
    PROMPTED_HELD,
    PROMPTED_USED,
    Row,
    amount,
    answer,
    interval,
    mark,
    nats,
)
from upswing.charts.names import shown
from upswing.charts.score_vs_scale import titled
from upswing.charts.theme import Mode, Width, config, pixels

if TYPE_CHECKING:
    import altair as alt


def emergence_fan(
    means: pl.DataFrame,
    runs: pl.DataFrame,
    curves: pl.DataFrame,
    marks: pl.DataFrame,
    *,
    title: str | None = None,
    subtitle: str | None = None,
    width: Width = "page",
    height: int = HEIGHT,
    corpus: str | None = None,
    mode: Mode = "light",
) -> alt.LayerChart:
    """Draw scores over pretraining loss, the fitted fan of curves, and the forecast.

    Weak models stand left and good ones right. A colour is an amount of finetuning data: small
    dots are single runs, large ones their mean, the line is the fitted curve, and the short bar on
    it its elbow. What was held out is pale. The grey line is the curve forecast for prompted
    models, with the 5 to 95 % band of its elbow; diamonds are prompted models that were used,
    crosses those that were held out. The star and the green rule are where prompted models were
    measured to leave chance, the bar through the star is that measurement's own 5 to 95 %.

    Parameters
    ----------
    means, runs, curves, marks
        Tables of :class:`~upswing.forecast.finetuning.figure_tables.EmergenceFigures`; ``runs``
        and ``curves`` may be empty.
    title
        Text above the figure; by default the answer.
    subtitle
        A line under it; by default how to read the figure.
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
        The figure, over the data sets ``means``, ``runs``, ``curves``, ``elbows``, ``signs`` and
        ``levels``.
    """
    size = pixels(width)
    columns = None if isinstance(size, str) else max(2, size // 70)
    rows = fan_rows(means, runs, curves, marks)
    layers = fan_layers(means, marks, height=height, corpus=corpus, columns=columns, mode=mode)
    said = answer(marks) if title is None else title
    under = "; ".join(reading_aid(marks)) if subtitle is None else subtitle
    figure: alt.LayerChart = (
        titled(layers, said, under, width).properties(datasets=rows).configure(**config(mode))
    )
    return figure


def fan_rows(
    means: pl.DataFrame, runs: pl.DataFrame, curves: pl.DataFrame, marks: pl.DataFrame
) -> dict[str, list[Row]]:
    """Return the data sets of :func:`emergence_fan`."""
    tuned = means.filter(~pl.col("few_shot"))
    several = pl.col("runs") > 1 if len(tuned) else pl.lit(False)
    signs = [
        {**_point(row), "sign": PROMPTED_USED if row["used"] else PROMPTED_HELD}
        for row in means.filter("few_shot").to_dicts()
    ]
    for kind, name in (("forecast", FORECAST), ("truth", MEASURED)):
        row = mark(marks, kind)
        if row is not None:
            signs.append(_sign(row, name))
    names = ("loss", "value", "amount", "few_shot")
    levels = marks.filter(pl.col("kind").is_in(["limit", "chance"]))
    return {
        "means": [_point(row) for row in tuned.to_dicts()],
        "runs": [
            {"loss": row["loss"], "value": row["value"], "amount": amount(row), "used": row["used"]}
            for row in runs.join(
                tuned.filter(several).select("model", "revision", "loss", "d"),
                on=["model", "revision", "loss", "d"],
                how="semi",
            ).to_dicts()
        ],
        "curves": [
            {name: {**row, "amount": amount(row)}[name] for name in names}
            for row in curves.to_dicts()
        ],
        "elbows": [
            {"loss": row["elbow"], "value": row["value"], "amount": amount(row),
             "what": f"fitted elbow of {amount(row)} examples",
             "told": f"{nats(row['elbow'])} nats/token"}
            for row in marks.filter(pl.col("kind") == "amount").to_dicts()
        ],
        "signs": signs,
        "levels": [
            {"kind": row["kind"], "loss": row["elbow"], "value": row["value"]}
            for row in levels.to_dicts()
        ],
    }  # fmt: skip


def reading_aid(marks: pl.DataFrame) -> list[str]:
    """Return how to read the figure, in short lines."""
    held = "" if mark(marks, "limit") is None else "; pale: held out"
    lines = [f"colours: amounts of finetuning data{held}"]
    if mark(marks, "forecast") is not None:
        lines.append("grey: forecast for prompted models, 5 to 95 %")
    return lines


def _point(row: Row) -> Row:
    one = row["runs"] == 1
    ends = f"{row['runs']}, from {row['lowest']:.3g} to {row['highest']:.3g}"
    label = f"{row['model']} at {row['revision']}" if row["revision"] else row["model"]
    return {
        "loss": row["loss"],
        "value": row["value"],
        "amount": "prompted" if row["few_shot"] else amount(row),
        "used": row["used"],
        "lowest": row["lowest"],
        "highest": row["highest"],
        "what": shown(label, 60),
        "told": f"{row['value']:.3g} at {nats(row['loss'])} nats/token",
        "scores": "one" if one else ends,
        "questions": "not known" if row["n"] is None else f"{row['n']:,.0f}",
    }


def _sign(row: Row, name: str) -> Row:
    """Return the row of an elbow among the signs."""
    return {
        "loss": row["elbow"],
        "value": row["value"],
        "amount": "–",
        "used": True,
        "lowest": row["low"],
        "highest": row["high"],
        "what": f"{name} elbow" if name == MEASURED else name,
        "told": f"{nats(row['elbow'], row['low'], row['high'])} nats/token",
        "scores": interval(row) or "–",
        "questions": "–",
        "sign": name,
    }
