from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing.mirage.model.infinite_score import infinite_share
from upswing.mirage.model.mirage_model import MirageModel
from upswing.mirage.model.table import POINTS, SCORES, model_points, model_scores, score_rows
from upswing.mirage.sparse_scales import kept_points, thinning_table

MODEL = MirageModel(lengths=(3, 5), spreads=(0.0, 1.0), options=4)


@pytest.fixture(scope="module")
def scores() -> pl.DataFrame:
    return model_scores(MODEL, n=(50,), every=(1, 3), draws=400)


def test_points_hold_the_closed_forms_and_the_score_of_their_curve() -> None:
    points = model_points(MODEL)
    assert points.schema == POINTS
    assert len(points) == len(MODEL.model_curves()) * 12
    exact = points.filter(metric="exact_match", length=3)
    np.testing.assert_allclose(exact["value"], MODEL.token_probability**3)
    assert exact["params"].to_list() == MODEL.sizes.tolist()
    assert exact["emergence_score"].round(1).unique().to_list() == [37.1]
    step = points.filter(metric="multiple_choice_grade", spread=0.0)
    assert set(step["emergence_score"]) == {None}
    assert set(step["emergence_score_status"]) == {"+inf"}
    assert set(step["chance"]) == {0.25}
    assert set(points.filter(metric="exact_match")["options"]) == {None}


def test_points_of_a_test_lie_on_its_grid() -> None:
    points = model_points(MODEL, n=(50, 20), every=(1, 3))
    for n in (50, 20):
        drawn = points.filter(metric="exact_match", n=n, every=1)
        assert len(drawn) == 24
        np.testing.assert_allclose(drawn["value"] * n, (drawn["value"] * n).round(), atol=1e-9)
    thinned = points.filter(metric="cross_entropy", every=3)
    assert thinned["params"].to_list() == MODEL.sizes[[0, 3, 6, 9, 11]].tolist()
    # a test is the same test whatever else is asked for, and whatever scales are kept
    alone = model_points(MODEL, n=(20,)).filter(n=20)
    assert alone.equals(points.filter(n=20, every=1))


def test_scores_without_noise_are_those_of_the_thinning_table(scores: pl.DataFrame) -> None:
    assert scores.schema == SCORES
    expected = scores.filter(pl.col("n").is_null(), every=3)
    table = thinning_table(MODEL.curves(), every=(3,)).filter(offset=0)
    assert expected["metric"].to_list() == table["metric"].to_list()
    for name in ("emergence_score", "largest_step_share", "sharpness", "scales"):
        assert expected[name].to_list() == table[name].to_list()
    assert expected["draws"].null_count() == len(expected)


def test_scores_of_tests_and_their_exact_share(scores: pl.DataFrame) -> None:
    drawn = scores.filter(n=50, metric="exact_match")
    assert len(drawn) == 4
    for row in drawn.iter_rows(named=True):
        p = MODEL.token_probability[kept_points(12, row["every"])] ** row["length"]
        assert row["share_infinite_exact"] == infinite_share(p, 50)
        share = row["share_plus_infinite"] + row["share_minus_infinite"]
        assert share == pytest.approx(row["share_infinite_exact"], abs=0.1)
    edits = scores.filter(n=50, metric="token_edit_distance", length=3, every=1)
    assert edits["share_infinite_exact"][0] == infinite_share(MODEL.token_probability, 150)
    sharp = drawn.row(by_predicate=(pl.col("length") == 5) & (pl.col("every") == 1), named=True)
    assert (sharp["emergence_score"], sharp["emergence_score_status"]) == (None, "+inf")
    assert (sharp["high"], sharp["high_status"]) == (None, "+inf")


def test_no_table_holds_infinities(scores: pl.DataFrame) -> None:
    for frame in (scores, model_points(MODEL, n=(8,))):
        for name in frame.columns:
            if frame[name].dtype == pl.Float64:
                assert frame[name].drop_nulls().is_finite().all(), name


def test_many_questions_have_no_exact_share() -> None:
    model = MirageModel(sizes=[1e9, 1e10, 1e11], lengths=(2,), spreads=())
    scores = model_scores(model, n=(100_000,), draws=1).filter(n=100_000)
    shares = dict(zip(scores["metric"], scores["share_infinite_exact"], strict=True))
    assert shares["exact_match"] is not None
    assert shares["token_edit_distance"] is None


def test_same_seed_same_table(scores: pl.DataFrame) -> None:
    again = model_scores(MODEL, n=(200, 50), every=(1, 3), draws=400)
    assert again.filter(pl.col("n").is_null() | (pl.col("n") == 50)).equals(scores)
    other = model_scores(MODEL, n=(50,), every=(1, 3), draws=400, seed=1)
    assert not other.equals(scores)


def test_rows_for_a_terminal_say_infinite_in_words(scores: pl.DataFrame) -> None:
    rows = score_rows(scores)
    assert len(rows) == len(scores)
    words = {(r["metric"], r["spread"], r["n"], r["every"]): r["emergence score"] for r in rows}
    assert words["multiple_choice_grade", 0.0, None, 1] == "+inf"
    plain = score_rows(model_scores(MODEL))[0]
    assert not {"n", "every", "5 %", "share +inf"} & plain.keys()


def test_two_scales_are_too_few() -> None:
    model = MirageModel(sizes=[1e9, 1e10, 1e11])
    frame = model_scores(model, n=(50,), every=(3,), draws=5)
    assert set(frame["emergence_score_status"]) == {"too_few"}
    assert set(frame["emergence_score"]) == {None}
