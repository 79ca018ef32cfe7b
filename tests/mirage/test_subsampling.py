from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing.detection.evaluations import evaluations
from upswing.detection.item_matrix import ItemMatrix
from upswing.errors import InputError, UnknownNameError
from upswing.mirage.subsampling import subsampling
from upswing.simulate import GenerationWorld, simulate_generation

QUESTIONS = 600


@pytest.fixture(scope="module")
def matrix() -> ItemMatrix:
    world = GenerationWorld(np.geomspace(1e18, 1e23, 7), np.ones(QUESTIONS), 5, 0.3, 1e20)
    (one,) = evaluations(simulate_generation(world, np.random.default_rng(0)))
    return one.matrix(["exact_match", "character_edit_distance"])


def test_zero_successes_follow_the_binomial(matrix: ItemMatrix) -> None:
    draws = 1500
    found = subsampling(matrix, "exact_match", np.random.default_rng(1), draws=draws).by_model
    drawn = found.filter(pl.col("draws") > 1)
    assert sorted(drawn["n"].unique()) == [10, 30, 100, 300]
    error = (drawn["pool_zero"] * (1 - drawn["pool_zero"]) / draws) ** 0.5
    assert ((drawn["share_zero"] - drawn["pool_zero"]).abs() <= 4 * error + 1e-9).all()
    few = drawn.filter(n=10)  # with few of the questions replacement makes no difference
    assert (few["pool_zero"] - few["expected_zero"]).abs().max() < 0.01
    assert (drawn["pool_zero"] <= drawn["expected_zero"] + 1e-12).all()
    value = few["value"].to_numpy()
    assert few["expected_zero"].to_numpy() == pytest.approx((1 - value) ** 10)


def test_all_questions_are_one_subsample(matrix: ItemMatrix) -> None:
    found = subsampling(matrix, "exact_match", np.random.default_rng(1), draws=50)
    last = found.by_model.filter(n=QUESTIONS)
    layer = matrix.layer("exact_match")
    assert layer is not None
    assert last["value"].to_numpy() == pytest.approx(layer.values.mean(axis=0))
    assert last["share_zero"].to_list() == [float(v == 0) for v in last["value"]]
    assert last["pool_zero"].to_list() == last["share_zero"].to_list()
    whole = found.by_size.filter(n=QUESTIONS).row(0, named=True)
    assert whole["draws"] == 1
    assert whole["share_same_onset"] == 1.0
    assert whole["onset"] is not None


def test_few_questions_make_scores_infinite_and_hide_the_onset(matrix: ItemMatrix) -> None:
    table = subsampling(matrix, "exact_match", np.random.default_rng(2), draws=400).by_size
    rows = {row["n"]: row for row in table.iter_rows(named=True)}
    assert rows[10]["share_infinite"] > rows[100]["share_infinite"]
    assert rows[10]["share_same_onset"] < rows[300]["share_same_onset"]
    assert rows[10]["share_over_100"] >= rows[10]["share_infinite"]
    for row in rows.values():
        finite = row["score_median"] is not None
        assert finite or row["share_infinite"] >= 0.5


def test_partial_credit_has_a_score_but_no_successes(matrix: ItemMatrix) -> None:
    found = subsampling(
        matrix, "character_edit_distance", np.random.default_rng(0), sizes=[20], draws=100
    )
    assert found.by_model["share_zero"].null_count() == 7
    row = found.by_size.row(0, named=True)
    assert row["score_median"] > 0  # better with scale, though a lower distance is better
    assert (row["onset"], row["share_same_onset"]) == (None, None)


def test_models_of_one_scale_are_one_point() -> None:
    world = GenerationWorld([1e20, 1e20, 1e22], np.ones(50), 1, 0.3, 1e21)
    (one,) = evaluations(simulate_generation(world, np.random.default_rng(4)))
    found = subsampling(one.matrix(["exact_match"]), "exact_match", np.random.default_rng(0), [10])
    assert found.by_model["answers"].to_list() == [20, 10]
    assert found.by_size["score_median"].to_list() == [None]  # two scales have no score


def test_bad_requests(matrix: ItemMatrix) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(UnknownNameError, match="exact_match"):
        subsampling(matrix, "acc", rng)
    for sizes in ([0], [QUESTIONS + 1], []):
        with pytest.raises(InputError, match="600"):
            subsampling(matrix, "exact_match", rng, sizes)


def test_the_same_seed_gives_the_same_tables(matrix: ItemMatrix) -> None:
    one, two = (
        subsampling(matrix, "exact_match", np.random.default_rng(7), [30], 50) for _ in range(2)
    )
    assert one.by_model.equals(two.by_model)
    assert one.by_size.equals(two.by_size)
