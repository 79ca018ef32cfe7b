"""Finetuned models: scores over the scale of the checkpoints, one colour per amount of data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from upswing.charts.finetune_data import (
    FinetunePanel,
    chance_rows,
    mean_rows,
    method_panels,
    panel_subtitle,
    run_rows,
    scale_panels,
)
from upswing.charts.finetune_layers import FinetuneLook, finetune_layers
from upswing.charts.names import shown
from upswing.charts.theme import Mode, config

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 220
WIDTH = 330


def finetune_panel(
    points: pl.DataFrame,
    runs: pl.DataFrame,
    *,
    over: str = "scale",
    columns: int = 2,
    width: int = WIDTH,
    height: int = HEIGHT,
    mode: Mode = "light",
) -> alt.ConcatChart:
    """Draw finetuned models, one panel per family, task and metric.

    Faint dots are single runs, which differ in the draw of the examples and in the seed. Marks are
    their mean, the bar under a mark runs from the lowest to the highest run, and a line joins the
    means of one amount of data. The diamond is the same checkpoint prompted, not finetuned. The
    dashed line is chance, the band where a guessing model ends up in 95 % of tests.

    Parameters
    ----------
    points, runs
        Tables of :func:`upswing.curves.finetuned.finetuned`.
    over
        ``scale`` for the pretraining scale of the checkpoints (loss is reversed, so that better is
        right; a panel per method that has enough checkpoints), or ``methods`` for one panel per
        checkpoint on which several methods were tried.
    columns
        Panels side by side.
    width, height
        Size of one panel [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.ConcatChart
        The grid, over the data sets ``means_0``, ``runs_0``, ``chance_0``, ...; empty where there
        is nothing to draw.
    """
    import altair as alt

    made = {"scale": scale_panels, "methods": method_panels}[over](points, runs)
    drawn = []
    datasets: dict[str, Any] = {}
    for i, panel in enumerate(made):
        look = panel_look(panel, mode, height, i)._replace(columns=max(2, width // 52))
        head = alt.TitleParams(
            " · ".join([shown(panel.task, 40), panel_title(panel, made)]),
            subtitle=panel_subtitle(panel),
            limit=width + 20,
            frame="group",
        )
        drawn.append(finetune_layers(look).properties(width=width, title=head))
        datasets |= {look.data(name): rows for name, rows in panel_rows(panel).items()}
    grid = alt.concat(*drawn, columns=columns).properties(datasets=datasets)
    own = grid.resolve_scale(color="independent", shape="independent")
    figure: alt.ConcatChart = own.configure(**config(mode))
    return figure


def panel_look(
    panel: FinetunePanel, mode: Mode = "light", height: int = HEIGHT, place: int | None = None
) -> FinetuneLook:
    """Return the look of a panel."""
    row = panel.points.row(0, named=True)
    return FinetuneLook(
        axis=row["axis"],
        amounts=tuple(panel.amounts),
        unit=panel.unit,
        mode=mode,
        methods=tuple(panel.methods) if panel.point else (),
        corpus=None if row["loss_corpus"] is None else shown(row["loss_corpus"], 40),
        height=height,
        place=place,
    )


def panel_title(panel: FinetunePanel, others: Sequence[FinetunePanel]) -> str:
    """Return the metric of a panel, with family and method where panels differ in them."""
    parts = [shown(panel.metric, 40)]
    same = [one for one in others if (one.task, one.metric) == (panel.task, panel.metric)]
    if len({one.family for one in same}) > 1:
        parts.append(shown(panel.family, 30))
    if len({one.method for one in same}) > 1:
        parts.append(panel.method_labels[panel.method])
    return " · ".join(parts)


def panel_rows(panel: FinetunePanel) -> dict[str, list[dict[str, Any]]]:
    """Return the data sets of a panel: ``means``, ``runs`` and ``chance``."""
    return {"means": mean_rows(panel), "runs": run_rows(panel), "chance": chance_rows(panel)}
