from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing.charts.save import render_chart
from upswing.charts.target_length import length_rows, target_length
from upswing.mirage.target_length import target_length as compare
from upswing.simulate import GenerationWorld, simulate_generation


@pytest.fixture(scope="module")
def lengths() -> pl.DataFrame:
    world = GenerationWorld([1e19, 1e21, 1e23], np.ones(200), 4, 0.4, 1e20)
    items = simulate_generation(world, np.random.default_rng(0)).items
    return compare(items, np.random.default_rng(0), draws=20).lengths


def test_a_model_has_its_two_panels_side_by_side(lengths: pl.DataFrame) -> None:
    one = lengths.filter(pl.col("model") == lengths["model"][0])
    spec = target_length(one).to_dict()
    assert spec["columns"] == 2
    assert len(spec["concat"]) == 2
    points = spec["datasets"]["points_0"]
    assert [row["value"] for row in points] == one["accuracy"].to_list()
    assert [row["low"] for row in points] == one["accuracy_low"].to_list()
    assert [row["value"] for row in spec["datasets"]["points_1"]] == one["distance"].to_list()
    drawn = {row["curve"] for row in spec["datasets"]["lines_0"]}
    assert drawn == {"fitted", "same p at every position", "own p at each position"}
    expected = [
        row["value"]
        for row in spec["datasets"]["lines_1"]
        if row["curve"] == "same p at every position"
    ]
    assert expected == one["distance_expected"].to_list()


def test_several_models_share_their_axes(lengths: pl.DataFrame) -> None:
    chart = target_length(lengths, title="sums", columns=2, mode="dark")
    spec = chart.to_dict()
    assert len(spec["concat"]) == 6
    ends = {
        tuple(panel["layer"][1]["encoding"]["y"]["scale"]["domain"])
        for panel in spec["concat"]
        if "Edit" in panel["layer"][1]["encoding"]["y"]["title"]
    }
    assert len(ends) == 1
    svg = render_chart(chart, ".svg").decode()
    for words in ("sums", "Accuracy", "Edit distance [characters]", "Length L", "fitted"):
        assert words in svg


def test_a_log_axis_has_no_zeros(lengths: pl.DataFrame) -> None:
    weak = lengths.filter(pl.col("model") == lengths["model"][0])
    assert (weak["accuracy"] == 0).any()
    rows = length_rows(weak, "accuracy", "log")
    assert all(row["value"] > 0 for values in rows.values() for row in values)
    assert len(rows["points"]) < len(weak)
    spec = target_length(weak, y="log").to_dict()
    scale = spec["concat"][0]["layer"][1]["encoding"]["y"]["scale"]
    assert scale["type"] == "log"
    assert scale["domain"][0] <= min(row["value"] for row in rows["points"])
    assert render_chart(target_length(weak, y="log"), ".png")


def test_hostile_names_and_no_rows(lengths: pl.DataFrame) -> None:
    hostile = lengths.with_columns(pl.lit("<script>x\u202e").alias("model"))
    svg = render_chart(target_length(hostile), ".svg").decode()
    assert "<script>" not in svg
    assert target_length(lengths.clear()).to_dict()["concat"] == []
