from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing.charts.resolution import power_by_scale, zero_successes
from upswing.charts.save import render_chart
from upswing.detection.evaluations import evaluations
from upswing.mirage.resolution import resolution_table
from upswing.mirage.subsampling import subsampling
from upswing.simulate import GenerationWorld, simulate_generation

X = np.geomspace(1e8, 1e11, 5)


@pytest.fixture(scope="module")
def by_model() -> pl.DataFrame:
    world = GenerationWorld(np.geomspace(1e19, 1e22, 4), np.ones(150), 4, 0.4, 1e20)
    (one,) = evaluations(simulate_generation(world, np.random.default_rng(0)))
    matrix = one.matrix(["exact_match"])
    return subsampling(matrix, "exact_match", np.random.default_rng(0), draws=50).by_model


@pytest.fixture(scope="module")
def resolution() -> pl.DataFrame:
    smooth = np.exp(-3 * (X / 1e9) ** -0.4)
    parts = [
        resolution_table(X, smooth, n, smooth).with_columns(pl.lit(f"{n} asked").alias("questions"))
        for n in (10, 100)
    ]
    return pl.concat(parts)


def test_points_are_shares_and_lines_the_binomial(by_model: pl.DataFrame) -> None:
    chart = zero_successes(by_model, title="sums")
    rows = chart.to_dict()["datasets"]["zeros"]
    drawn = by_model.filter(pl.col("draws") > 1)
    for column in ("n", "share_zero", "expected_zero", "pool_zero"):
        assert [row[column] for row in rows] == drawn[column].to_list()
    assert 150 not in {row["n"] for row in rows}  # all questions are no sample
    svg = render_chart(chart, ".svg").decode()
    for words in ("sums", "without a success", "Questions in the subsample", "(1 − A)ⁿ"):
        assert words in svg


def test_models_without_shares_are_not_drawn(by_model: pl.DataFrame) -> None:
    nothing = by_model.with_columns(pl.lit(None, pl.Float64).alias("share_zero"))
    for empty in (nothing, by_model.clear()):
        chart = zero_successes(empty, mode="dark")
        assert chart.to_dict()["datasets"]["zeros"] == []
        assert render_chart(chart, ".svg")


def test_power_by_scale(resolution: pl.DataFrame) -> None:
    chart = power_by_scale(resolution, title="sums", subtitle="if smooth")
    rows = chart.to_dict()["datasets"]["power"]
    assert [row["power"] for row in rows] == resolution["power"].to_list()
    assert {row["questions"] for row in rows} == {"10 asked", "100 asked"}
    svg = render_chart(chart, ".svg").decode()
    for words in (
        "Power to be above chance",
        "role-legend",
        "10 asked",
        "Parameters (total)",
        "if smooth",
    ):
        assert words in svg


def test_one_curve_needs_no_legend(resolution: pl.DataFrame) -> None:
    one = resolution.head(5).drop("questions")
    svg = render_chart(power_by_scale(one, "flops", mode="dark"), ".svg").decode()
    assert "role-legend" not in svg
    assert "Training compute" in svg
