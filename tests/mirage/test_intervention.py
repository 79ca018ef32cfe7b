"""Pairs of metrics of the same outputs, and what the other metric changes over tasks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from upswing import Curve, read
from upswing.curves.build import build_curves
from upswing.mirage.intervention import (
    intervention_effects,
    largest_step,
    pair_of,
    pair_table,
)
from upswing.mirage.pair_points import pair_points
from upswing.simulate import simulate_answers, smooth_world

X = np.geomspace(1e8, 1e11, 10)


def many(tasks=12, world=None):
    rng = np.random.default_rng(0)
    for task in range(tasks):
        tokens = world or smooth_world(0.3, 10 ** rng.uniform(9, 10))
        yield simulate_answers(tokens, X, 1000, 5, rng, task=f"t{task}")


def test_exact_match_of_a_power_law_is_sharper_than_edit_distance():
    table = pair_table(pair_of(*both) for both in many())
    effects = intervention_effects(table, np.random.default_rng(0))
    rows = {row["measure"]: row for row in effects.to_dicts()}
    assert set(effects["other_class"]) == {"linear"}
    for measure, sign in (("log10 emergence score", -1), ("largest step", -1)):
        row = rows[measure]
        assert row["tasks"] == 12
        assert row["low"] < row["difference"] < row["high"]
        assert sign * row["low"] > 0
        assert sign * row["high"] > 0
    assert rows["largest step"]["share_less_sharp"] > 0.9


def test_a_metric_against_itself_changes_nothing():
    both = next(many())
    other = replace(both.edit_distance, task="same", metric="token_edit_distance_norm")
    row = pair_table([pair_of(both.edit_distance, other)]).row(0, named=True)
    assert row["emergence_score"] == row["other_score"]
    assert row["largest_step"] == row["other_largest_step"]
    assert row["sharpness"] == row["other_sharpness"]


def test_one_task_gives_no_interval():
    effects = intervention_effects(pair_table([pair_of(*next(many()))]), np.random.default_rng(0))
    assert effects["low"].is_null().all()
    assert effects["difference"].is_not_null().any()


def test_infinite_scores_count_in_the_share_but_have_no_logarithm():
    exact = Curve(X, [0.0] * 8 + [0.2, 0.4], metric="exact_match", n=50, chance=0.0)
    other = Curve(X, np.linspace(0.1, 0.9, 10), metric="target_probability", n=50)
    effects = intervention_effects(pair_table([pair_of(exact, other)]), np.random.default_rng(0))
    score = effects.filter(measure="log10 emergence score").row(0, named=True)
    assert (score["pairs"], score["share_less_sharp"]) == (0, 1.0)


def test_largest_step_of_loss_is_that_of_its_probability():
    bits = Curve([1, 2, 3], [3.0, 1.0, 0.0], metric="bits_per_byte", lowest=0, highest=None)
    assert largest_step(bits) == pytest.approx((1 - 0.5) / (1 - 0.125))
    assert largest_step(Curve([1, 2], [0.5, 0.1])) is None


def test_points_run_from_0_to_1_with_the_onset():
    both = next(many())
    table = pair_points([pair_of(*both)], [(X[4], X[5])])
    assert set(table["role"]) == {"own", "other"}
    ends = table.group_by("role").agg(pl.col("share").min().alias("low"), pl.col("share").max())
    assert ends["low"].to_list() == [0.0, 0.0]
    assert ends["share"].to_list() == [1.0, 1.0]
    assert table["onset"].unique().to_list() == [X[5]]
    assert table["low"].is_not_null().all()


@pytest.mark.data
def test_exact_match_and_bleu_of_transliteration(shared_data):
    """The scores of /work/shared/specs/emergence-and-metrics.md, section 8."""
    path = shared_data / "ryoungj/ObsScaling@4d6e1e4/eval_results"
    tables = read([path / "base_llm_emergent_capability_eval.csv"])
    curves, _ = build_curves(tables, "flops", task="ipa_transliterate")
    found = {}
    for exact in (c for c in curves if c.metric == "exact_match"):
        bleu = next((c for c in curves if c.metric == "bleu" and c.family == exact.family), None)
        if bleu is not None and len(bleu) > 2:
            row = pair_table([pair_of(exact, bleu)]).row(0, named=True)
            found[exact.family] = (row["emergence_score_status"], row["other_score"])
    assert found["OPT"] == ("+inf", pytest.approx(25.0, abs=0.05))
    assert found["BLOOM"] == ("+inf", pytest.approx(18.6, abs=0.05))
    assert found["StarCoder"] == ("+inf", pytest.approx(3.4, abs=0.05))
