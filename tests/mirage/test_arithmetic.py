"""Few questions, so that it is quick; the whole of it runs in ``make bench``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from upswing import read_lab_results
from upswing.errors import InputError
from upswing.mirage.arithmetic import TASKS, arithmetic_predictions, summary
from upswing.mirage.more_questions import more_questions
from upswing.mirage.prediction_length import length_claims
from upswing.mirage.prediction_metric import metric_change
from upswing.mirage.prediction_questions import above_chance, question_claims, shuffled_answers
from upswing.mirage.target_length import target_length
from upswing.simulate import GenerationWorld, simulate_generation

SMALL = ("char-v1-d16L2", "step1000")


@pytest.fixture(scope="module")
def asked() -> pl.DataFrame:
    pytest.importorskip("torch")
    return more_questions([SMALL], "multiplication-2", 520)


def test_more_questions_hold_the_shipped_ones(asked: pl.DataFrame) -> None:
    """Same prompts; the same answers up to the rounding of another processor."""
    model, revision = SMALL
    shipped = read_lab_results().items.filter(
        (pl.col("model") == model)
        & (pl.col("revision") == revision)
        & (pl.col("task") == "multiplication-2")
        & pl.col("output").is_not_null()
    )
    both = shipped.join(asked.head(500), on="item", suffix="_again")
    assert len(both) == len(shipped) == 500
    assert both["targets"].equals(both["targets_again"], check_names=False)
    assert (both["output"] == both["output_again"]).mean() > 0.98
    assert asked["family"].unique().to_list() == ["char-v1"]
    assert len(asked) == 520


def test_a_checkpoint_that_does_not_ship() -> None:
    with pytest.raises(InputError, match="no checkpoint"):
        more_questions([("char-v1-d96L4", "step4000")], "addition-1", 10)


def test_the_two_chance_levels(asked: pl.DataFrame) -> None:
    row = above_chance(asked, 100, np.random.default_rng(0)).row(0, named=True)
    assert (row["n"], row["few"], row["length"], row["chance"]) == (520, 100, 4, 1e-4)
    assert row["right"] == (asked["output"] == asked["targets"].list.first()).sum()
    # always the same answer is above uniform digits, and no better than shuffled
    always = asked.with_columns(pl.lit("0000").alias("output"))
    found = above_chance(always, 100, np.random.default_rng(0))
    row = found.row(0, named=True)
    assert row["p_value"] < 0.001
    assert row["shuffled"] == row["accuracy"]
    assert row["p_shuffled"] == 1.0
    assert question_claims(found)["verdict"].to_list() == ["confirmed", "not confirmed"]
    with pytest.raises(InputError, match="no answers"):
        above_chance(asked.clear(), 100, np.random.default_rng(0))
    with pytest.raises(InputError, match="differ in length"):
        above_chance(asked.with_columns(pl.lit(None, pl.String).alias("output")), 9, None)  # type: ignore[arg-type]


def test_shuffled_answers_have_their_mean_and_size() -> None:
    rng = np.random.default_rng(1)
    target = pl.Series(rng.integers(0, 5, 60).astype(str))
    given = pl.Series(rng.integers(0, 5, 60).astype(str))
    mean, _ = shuffled_answers(target, given, rng, 9)
    drawn = [(target == given.shuffle(seed=i)).mean() for i in range(2000)]
    assert mean == pytest.approx(np.mean(drawn), abs=0.01)
    low = 0
    for _ in range(200):
        given = pl.Series(rng.integers(0, 5, 60).astype(str))
        low += shuffled_answers(target, given, rng, 199)[1] <= 0.05
    assert low / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
    right = target.to_list()
    right[:30] = ["9"] * 30
    assert shuffled_answers(target, pl.Series(right), rng, 199)[1] == 0.005


def test_metric_change_on_a_world_in_which_it_holds() -> None:
    world = GenerationWorld(np.geomspace(1e17, 1e24, 9), np.ones(300), 5, 0.35, 1e21)
    tables = simulate_generation(world, np.random.default_rng(0), task="sums")
    (row,) = metric_change(
        tables, ["sums"], np.random.default_rng(0), axes=["flops"], draws=200
    ).to_dicts()
    assert (row["verdict"], row["reason"]) == ("confirmed", "exact match is sharper")
    assert row["share_sharper"] > 0.95
    assert row["status_exact_match"] == "+inf" or row["score_exact_match"] > 20
    assert 0 < row["progress_low"] <= row["progress"] <= row["progress_high"] < 1


def test_metric_change_where_both_jump_or_neither() -> None:
    jump = np.array([1e-9, 1e-9, 1e-9, 1e-9, 1.0, 1.0, 1.0])
    hard = GenerationWorld(np.geomspace(1e18, 1e24, 7), np.ones(200), 5, 0.3, 1e21)
    items = simulate_generation(hard, np.random.default_rng(0), task="sums")
    names = sorted(items.items["model"].unique())
    right = dict(zip(names, jump > 0.5, strict=True))
    output = (
        pl.when(pl.col("model").replace_strict(right, return_dtype=pl.Boolean))
        .then(pl.col("targets").list.first())
        .otherwise(pl.lit("xxxxx"))
    )
    both = replace(items, items=items.items.with_columns(output.alias("output")))
    (row,) = metric_change(both, ["sums"], np.random.default_rng(0), ["flops"], 50).to_dicts()
    assert (row["verdict"], row["reason"]) == ("not confirmed", "the edit distance jumps too")
    never = replace(items, items=items.items.with_columns(pl.lit("xxxxx").alias("output")))
    (row,) = metric_change(never, ["sums"], np.random.default_rng(0), ["flops"], 50).to_dicts()
    assert (row["verdict"], row["onset"]) == ("untestable", None)


def test_length_claims_where_tokens_are_independent_and_where_not() -> None:
    world = GenerationWorld([1e21], np.ones(3000), 4, 0.3, 1e20)
    items = simulate_generation(world, np.random.default_rng(2)).items
    found = target_length(items, np.random.default_rng(3), draws=200)
    verdicts = dict(length_claims(found, "sums").select("claim", "verdict").iter_rows())
    assert verdicts["accuracy is geometric"] == "confirmed"
    assert verdicts["edit distance is straight"] == "confirmed"
    assert verdicts["accuracy is p1^L"] != "not confirmed"
    assert verdicts["positions are independent"] == "confirmed"
    rng = np.random.default_rng(0)
    together = items.head(400).with_columns(
        pl.when(pl.Series(rng.random(400) < 0.5))
        .then(pl.col("targets").list.first())
        .otherwise(pl.lit("xxxx"))
        .alias("output")
    )
    claims = length_claims(target_length(together, rng, draws=100), "sums")
    verdicts = dict(claims.select("claim", "verdict").iter_rows())
    assert verdicts["positions are independent"] == "not confirmed"
    assert verdicts["accuracy is p1^L"] == "not confirmed"


def test_the_summary_counts() -> None:
    words = ["confirmed", "not confirmed", "undecided", "untestable"]

    def verdict(*chosen: int) -> str:
        rows = {"prediction": "p", "task": "t", "verdict": [words[i] for i in chosen]}
        return str(summary([pl.DataFrame(rows), pl.DataFrame()])["verdict"].item())

    assert verdict(0, 3) == verdict(0, 0) == "confirmed"
    assert verdict(1, 2, 3) == "not confirmed"
    assert verdict(0, 1) == "mixed"
    assert verdict(0, 2) == verdict(2, 3) == "undecided"
    assert verdict(3) == "untestable"


def test_the_shipped_answers_give_a_verdict_on_every_prediction() -> None:
    """Two sizes of the ladder, and few questions for the prediction that asks anew."""
    pytest.importorskip("torch")
    tables = read_lab_results()
    few = pl.col("model").is_in(["char-v1-d32L3", "char-v1-d48L3"])
    kept = replace(tables, items=tables.items.filter(few))
    assert arithmetic_predictions(kept, 0, draws=20).more_questions.is_empty()
    found = arithmetic_predictions(kept, 50, draws=100, checkpoints=[SMALL])
    assert found.more_questions["n"].to_list() == [40, 50, 50, 50, 50]
    again = found.summary.filter(pl.col("prediction") == "more questions")
    assert (again["confirmed"] + again["not_confirmed"]).to_list() == [1] * 10
    assert set(found.metric_change["task"]) == {*TASKS, "reverse"}
    assert set(found.length_claims["task"]) == {
        "addition-1 to 4",
        "addition-4",
        "multiplication-2",
    }
    p1 = found.summary.filter(pl.col("claim") == "accuracy is p1^L")
    # the first digit of a sum is 0 or 1, so it is easier than the others
    assert set(p1["verdict"]) == {"not confirmed"}
    counted = ("confirmed", "not_confirmed", "undecided", "untestable")
    per_claim = found.summary.filter(pl.col("prediction") == "target length")
    assert (per_claim.select(pl.sum_horizontal(counted)).to_series() == 2).all()
    whole = found.lengths.filter(task="addition-4", model="char-v1-d48L3")
    assert whole["length"].to_list() == [1, 2, 3, 4, 5]
