from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from upswing import Curve
from upswing.charts.metric_pair import (
    OUTCOMES,
    curve_names,
    jump_rows,
    legend_labels,
    metric_pair,
    pair_layers,
    pair_rows,
    pair_subtitle,
    pair_title,
)
from upswing.charts.save import render_chart
from upswing.charts.theme import CATEGORY
from upswing.mirage.intervention import pair_of, pair_table
from upswing.mirage.pair_points import pair_points

SIZES = np.geomspace(1e8, 1e10, 6)
EDITS = [0.95, 0.93, 0.9, 0.8, 0.5, 0.1]


def curve(y: list[float], metric: str, task: str = "sums", axis: str = "params") -> Curve:
    x = SIZES if axis != "loss" else SIZES[::-1] / 1e10 + 1
    better = metric != "character_edit_distance_norm"
    return Curve(
        x, y, metric=metric, task=task, axis=axis, family="org/Alpha", n=100, chance=0.0,
        higher_is_better=better, proportion=better, stderr=None if better else 0.02,
        models=tuple(f"alpha-{i}" for i in range(6)),
    )  # fmt: skip


def tables(axis: str = "params") -> tuple[pl.DataFrame, pl.DataFrame]:
    exact = curve([0, 0, 0, 0, 0.4, 0.8], "exact_match", axis=axis)
    edits = curve(EDITS, "character_edit_distance_norm", axis=axis)
    other = curve([0.2, 0.2, 0.2, 0.25, 0.3, 0.5], "exact_match", "products", axis=axis)
    pairs = [pair_of(exact, edits), pair_of(exact, other)]
    onset = (float(exact.x[3]), float(exact.x[4]))
    return pair_points(pairs, [onset, None]), pair_table(pairs)


@pytest.fixture(scope="module")
def points() -> pl.DataFrame:
    return tables()[0]


@pytest.fixture(scope="module")
def pairs() -> pl.DataFrame:
    return tables()[1]


def test_one_panel_per_pair_with_the_numbers_of_the_table(
    points: pl.DataFrame, pairs: pl.DataFrame
) -> None:
    spec = metric_pair(points, pairs, title="Pairs", subtitle="two").to_dict()
    assert [panel["title"]["text"] for panel in spec["concat"]] == ["sums · Alpha"] * 2
    drawn = {row["role"]: [] for row in spec["datasets"]["points_0"]}
    for row in spec["datasets"]["points_0"]:
        drawn[row["role"]].append(row)
    assert list(drawn) == ["other", "own"]  # the curve in question is drawn on top
    assert [row["value"] for row in drawn["own"]] == [0, 0, 0, 0, 0.4, 0.8]
    assert [row["share"] for row in drawn["own"]] == [0, 0, 0, 0, 0.5, 1]
    assert [row["value"] for row in drawn["other"]] == EDITS
    assert [row["share"] for row in drawn["other"]] == pytest.approx(
        [(0.95 - y) / 0.85 for y in EDITS]
    )
    assert drawn["other"][0]["low"] == pytest.approx(-1.96 * 0.02 / 0.85)
    assert spec["datasets"]["jump_0"] == [{"onset_low": SIZES[3], "onset": SIZES[4]}]
    assert spec["datasets"]["jump_1"] == []


def test_names_scores_and_outcome_are_words(points: pl.DataFrame, pairs: pl.DataFrame) -> None:
    labels = legend_labels(pairs.row(0, named=True))
    assert labels[0] == "exact_match, emergence score +∞"
    assert labels[1].startswith("character_edit_distance_norm, emergence score ")
    svg = render_chart(metric_pair(points, pairs), ".svg").decode()
    for words in (*labels, "not compared", "Share of its own rise", "Parameters", "100%"):
        assert words in svg


def test_another_task_is_named(pairs: pl.DataFrame) -> None:
    row = pairs.row(1, named=True)
    assert curve_names(row) == ["exact_match of sums", "exact_match of products"]
    assert pair_subtitle(row) == "exact_match of products: not compared"
    long = "x" * 80
    cut = curve_names({**row, "other_task": row["task"], "metric": long + "1",
                       "other_metric": long + "2"})  # fmt: skip
    assert len(set(cut)) == 2


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_words(pairs: pl.DataFrame, outcome: str) -> None:
    row = pairs.row(0, named=True) | {"outcome": outcome}
    assert pair_subtitle(row) == f"character_edit_distance_norm: {OUTCOMES[outcome]}"


@pytest.mark.parametrize(
    ("value", "status", "text"),
    [(12.34, "finite", "12"), (-2.34, "finite", "−2.3"), (None, "-inf", "−∞"),
     (None, "too_few", "–"), (0.0, "flat", "0")],
)  # fmt: skip
def test_every_score_has_words(
    pairs: pl.DataFrame, value: float | None, status: str, text: str
) -> None:
    row = pairs.row(0, named=True) | {"other_score": value, "other_score_status": status}
    assert legend_labels(row)[1].endswith(f"emergence score {text}")


@pytest.mark.parametrize(("axis", "x"), [("flops", "linear"), ("tokens", "log"), ("loss", None)])
def test_it_draws_on_every_axis(axis: str, x: Any) -> None:
    chart = metric_pair(*tables(axis), x=x, columns=1)
    assert b"exact_match" in render_chart(chart, ".svg")


def test_templates_hold_no_values() -> None:
    text = pair_layers("flops").to_json()
    assert '"datasets"' not in text
    assert "exact_match" not in text
    assert "#0072b2" not in text


def test_colours_follow_the_paper(points: pl.DataFrame, pairs: pl.DataFrame) -> None:
    svg = render_chart(metric_pair(points, pairs, mode="dark"), ".svg").decode()
    for colour in range(2):
        assert CATEGORY["dark"][colour] in svg
        assert CATEGORY["light"][colour] not in svg


def test_nothing_to_draw_is_no_error(points: pl.DataFrame, pairs: pl.DataFrame) -> None:
    assert metric_pair(points.clear(), pairs.clear()).to_dict()["concat"] == []
    assert jump_rows(points.clear()) == []


def test_names_from_logs_are_made_visible(points: pl.DataFrame, pairs: pl.DataFrame) -> None:
    row = pairs.row(0, named=True) | {"task": "a\u202eb", "other_task": "a\u202eb"}
    assert pair_title(row) == "a�b · Alpha"
    odd = points.with_columns(pl.lit("a\u202eb").alias("point"))
    assert {one["point"] for one in pair_rows(odd, row)} == {"a�b"}
