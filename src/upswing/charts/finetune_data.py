"""The panels of finetuned models and their rows: light reshaping of the tables of runs and means.

A panel is one task of one family under one metric. Over scale it shows one method (all weights, or
low-rank updates) on all checkpoints; over methods it shows one checkpoint.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import polars as pl

from upswing.charts.names import distinct_labels, shown, without_owner
from upswing.metrics.registry import known_metric

PROMPTED = "prompted"
"""Label of the model that is not finetuned, beside amounts of data and beside methods."""

UNSAID = "not said"
"""Label of an amount or a method that the data do not name."""

FEWEST_CHECKPOINTS = 3
"""Checkpoints that a method needs for a panel of its own beside the method that has most."""

Row = dict[str, Any]


class FinetunePanel(NamedTuple):
    """One panel and what it is drawn from.

    Attributes
    ----------
    family, task, metric
        What was measured.
    method
        What was changed; empty in a panel over methods.
    point
        Label of the checkpoint of a panel over methods; empty in one over scale.
    points
        Means, columns of :data:`upswing.curves.finetuned.POINTS`, with those of the prompted model.
    runs
        Single runs of finetuned models, columns of :data:`upswing.curves.finetuned.RUNS`.
    """

    family: str
    task: str
    metric: str
    method: str
    point: str
    points: pl.DataFrame
    runs: pl.DataFrame

    @property
    def unit(self) -> bool:
        """Whether scores run from 0 to 1."""
        row = self.points.row(0, named=True)
        return bool(row["lower_bound"] == 0 and row["upper_bound"] == 1)

    @property
    def amounts(self) -> list[str]:
        """Labels of the amounts of data, from none to the most."""
        pairs = set(self.points.select("few_shot", "d").iter_rows())
        ordered = sorted(pairs, key=lambda pair: (not pair[0], pair[1] is not None, pair[1] or 0))
        return [amount_label({"few_shot": few_shot, "d": d}) for few_shot, d in ordered]

    @property
    def methods(self) -> list[str]:
        """Labels of the methods: none, not said, low ranks, others, all weights."""
        labels = self.method_labels
        few_shot = [PROMPTED] if self.points["few_shot"].any() else []
        tuned = self.points.filter(~pl.col("few_shot"))["method"]
        return few_shot + [labels[name] for name in method_order(tuned.to_list())]

    @property
    def method_labels(self) -> dict[str, str]:
        """Label of every method that finetunes."""
        names = [name for name in method_order(self.points["method"].to_list()) if name]
        return {"": UNSAID, **distinct_labels(names, 24)}


def scale_panels(points: pl.DataFrame, runs: pl.DataFrame) -> list[FinetunePanel]:
    """Return the panels over scale: one per family, task, metric and method.

    The method with most checkpoints has one, and every other with at least
    :data:`FEWEST_CHECKPOINTS`. Losses on different texts are no common axis and have panels of
    their own. Checkpoints without a place on the axis are left out.
    """
    on_loss = pl.col("axis") == "loss"
    placed = points.filter(pl.col("x").is_finite()).with_columns(
        pl.when(on_loss).then("loss_corpus").alias("_text")
    )
    key = ["family", "task", "metric", "_text"]
    found = []
    for group in placed.partition_by(key, maintain_order=True, include_key=True):
        own = group.drop("_text")
        counts = dict(
            own.filter(~pl.col("few_shot"))
            .group_by("method")
            .agg(pl.struct("model", "revision").n_unique())
            .iter_rows()
        )
        names = method_order(counts)[::-1] or [""]
        first = max(names, key=lambda name: counts.get(name, 0))
        others = [name for name in names if counts.get(name, 0) >= FEWEST_CHECKPOINTS]
        for method in dict.fromkeys([first, *others]):
            chosen = pl.col("few_shot") | (pl.col("method") == method)
            found.append(_panel(own.filter(chosen), runs, method, ""))
    return found


def method_panels(points: pl.DataFrame, runs: pl.DataFrame) -> list[FinetunePanel]:
    """Return the panels over methods: one per family, task, metric and checkpoint.

    They hold the amounts of data on which several methods were tried there.
    """
    key = ["family", "task", "metric", "model", "revision"]
    found = []
    for group in points.partition_by(key, maintain_order=True):
        tuned = group.filter(~pl.col("few_shot"))
        several = tuned.filter(pl.col("method").n_unique().over("d") > 1)
        if len(several):
            own = pl.concat([group.filter("few_shot"), several])
            found.append(_panel(own, runs, "", point_label(own.row(0, named=True))))
    return found


def _panel(points: pl.DataFrame, runs: pl.DataFrame, method: str, point: str) -> FinetunePanel:
    key = ["family", "model", "revision", "task", "metric", "method", "d", "few_shot"]
    tuned = points.filter(~pl.col("few_shot")).select(key)
    own = runs.join(tuned, on=key, how="semi", nulls_equal=True)
    row = points.row(0, named=True)
    return FinetunePanel(row["family"], row["task"], row["metric"], method, point, points, own)


def method_order(methods: Iterable[str]) -> list[str]:
    """Return methods in order of how much they change: unnamed, low ranks, others, all weights.

    >>> method_order(["full", "lora-16", "", "lora-2"])
    ['', 'lora-2', 'lora-16', 'full']
    """

    def place(name: str) -> tuple[int, int, str]:
        rank = re.fullmatch(r"lora-([0-9]{1,6})", name)
        if rank:
            return 1, int(rank[1]), name
        return (0 if not name else 3 if name == "full" else 2), 0, name

    return sorted(set(methods), key=place)


def point_label(row: Row) -> str:
    """Return the label of a checkpoint.

    >>> point_label({"model": "owner/m-1b", "revision": "step9"})
    'm-1b at step9'
    """
    name = without_owner(row["model"])
    return shown(f"{name} at {row['revision']}" if row["revision"] else name, 80)


def amount_label(row: Row) -> str:
    """Return the label of an amount of data.

    >>> amount_label({"few_shot": False, "d": 2048}), amount_label({"few_shot": True, "d": None})
    ('2,048', 'prompted')
    """
    if row["few_shot"]:
        return PROMPTED
    return UNSAID if row["d"] is None else f"{row['d']:,}"


def mean_rows(panel: FinetunePanel) -> list[Row]:
    """Return the means of a panel, the prompted model first, then by amount of data."""
    names = ("x", "value", "lowest", "highest", "runs", "draws", "gain", "n")
    tuned = panel.points.filter(~pl.col("few_shot")).sort("d", maintain_order=True)
    return _rows(panel, pl.concat([panel.points.filter("few_shot"), tuned]), names)


def run_rows(panel: FinetunePanel) -> list[Row]:
    """Return the single runs of a panel."""
    return _rows(panel, panel.runs, ("x", "value", "draw", "seed"))


def _rows(panel: FinetunePanel, frame: pl.DataFrame, names: Iterable[str]) -> list[Row]:
    labels = panel.method_labels
    amounts = {label: i for i, label in enumerate(panel.amounts)}
    methods = {label: i for i, label in enumerate(panel.methods)}
    rows = []
    for row in frame.iter_rows(named=True):
        amount = amount_label(row)
        method = PROMPTED if row["few_shot"] else labels[row["method"]]
        rows.append(
            {
                "point": point_label(row),
                "amount": amount,
                "amount_place": amounts[amount],
                "method": method,
                "method_place": methods[method],
                **{name: _finite(row[name]) for name in names},
            }
        )
    return rows


def chance_rows(panel: FinetunePanel) -> list[Row]:
    """Return the chance level over the panel, with the band that holds 95 % of guessing models."""
    known = panel.points.filter(pl.col("chance").is_not_null())
    bands = known.group_by("x", "chance").agg(
        pl.col("chance_low").min().alias("low"), pl.col("chance_high").max().alias("high")
    )
    return bands.sort("chance", "x").to_dicts()


def panel_subtitle(panel: FinetunePanel) -> list[str]:
    """Return what a mark rests on, after the checkpoint in a panel over methods."""
    higher = panel.points["higher_is_better"][0]
    parts = ["↑ higher is better" if higher else "↓ lower is better"]
    unit = re.search(r"\[([^\]]+)\]$", getattr(known_metric(panel.metric), "formula", ""))
    if unit:
        parts.append(unit[1])
    tuned = panel.points.filter(~pl.col("few_shot"))
    for counts, name in ((tuned["runs"], "run"), (panel.points["n"], "question")):
        known = sorted(set(counts.drop_nulls().to_list()))
        if known:
            ends = [f"{count:,}" for count in dict.fromkeys((known[0], known[-1]))]
            parts.append(f"{' to '.join(ends)} {name}{'' if known[-1] == 1 else 's'}")
    line = " · ".join(parts)
    return [panel.point, line] if panel.point else [line]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
