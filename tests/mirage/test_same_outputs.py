"""Which curves are other metrics of the same outputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from upswing import detect
from upswing.metrics.registry import find_metric
from upswing.metrics.score_items import score_items
from upswing.mirage.scored_answers import answer_curves
from upswing.simulate import (
    GenerationWorld,
    World,
    simulate_answers,
    simulate_generation,
    smooth_world,
    step_world,
)
from upswing.tables.bundle import Tables

X = np.geomspace(1e8, 1e11, 10)


def steep(seed=0):
    return simulate_answers(smooth_world(1.0, 1e9), X, 1000, 10, np.random.default_rng(seed))


def step():
    world = step_world(X[5], 0.9, 0.2)
    tokens = World("step", world.truth, 0.0, X[5])
    return simulate_answers(tokens, X, 1000, 5, np.random.default_rng(0))


def test_a_curve_alone_is_emergent_for_an_unknown_cause():
    finding = detect(steep().exact_match).findings[0]
    assert (finding.verdict.word, finding.verdict.cause) == ("emergent", "unknown")
    assert "metric-untested" in {note.code for note in finding.notes}


def test_with_its_edit_distance_it_is_a_metric_artifact():
    both = steep()
    exact, distance = sorted(detect(list(both)), key=lambda f: f.curve.metric)
    assert (exact.verdict.word, exact.verdict.cause) == ("metric artifact", "metric")
    row = exact.to_dict()
    assert row["continuous_metric"] == "token_edit_distance_norm"
    assert row["continuous_outcome"] == "earlier"
    assert 0.1 < row["rise_before_low"] < row["rise_before_onset"] < row["rise_before_high"]
    assert distance.comparison.deciding is None


def test_a_step_that_is_in_both_is_an_ability():
    exact = detect(list(step())).findings[0]
    assert exact.curve.metric == "exact_match"
    assert (exact.verdict.word, exact.verdict.cause) == ("emergent", "ability")


@pytest.mark.parametrize(
    "change",
    [
        {"task": "other"},
        {"family": "other"},
        {"n_shot": 5},
        {"elicitation": "multiple-choice"},
        {"harness": "other"},
        {"filter": "strict"},
        {"task_version": "2"},
    ],
)
def test_other_outputs_do_not_decide(change):
    both = steep()
    other = replace(both.edit_distance, **change)
    exact = next(f for f in detect([both.exact_match, other]) if f.curve.metric == "exact_match")
    assert exact.verdict.word == "emergent"


def test_a_filter_of_the_answers_may_be_beside_an_unfiltered_metric():
    both = steep()
    strict = replace(both.exact_match, filter="strict-match")
    found = next(f for f in detect([strict, both.edit_distance]) if f.curve.filter != "none")
    assert found.verdict.word == "metric artifact"


def test_the_first_metric_that_can_be_compared_decides():
    both = steep()
    bleu = replace(
        both.exact_match,
        y=100 * both.exact_match.y,
        metric="bleu",
        highest=100.0,
        proportion=False,
        stderr=np.full(10, 1.0),
    )
    exact = next(
        f for f in detect([both.exact_match, bleu, both.edit_distance])
        if f.curve.metric == "exact_match"
    )  # fmt: skip
    assert [a.curve.metric for a in exact.comparison.alternatives] == [
        "token_edit_distance_norm",
        "bleu",
    ]
    assert exact.comparison.deciding.curve.metric == "token_edit_distance_norm"


def test_answers_are_scored_again_where_only_exact_match_is_stated():
    # A power law of exponent 1 per natural log of compute, answers of ten tokens.
    world = GenerationWorld(np.geomspace(1e20, 1e23, 10), np.ones(400), 10, exponent=1.0)
    tables = simulate_generation(world, np.random.default_rng(0), task="sums")
    scores = score_items(tables.items, [find_metric("exact_match")])
    finding = detect(Tables(items=tables.items, scores=scores, scales=tables.scales)).findings[0]
    assert finding.curve.metric == "exact_match"
    assert finding.verdict.word == "metric artifact"
    assert finding.comparison.deciding.curve.metric == "character_edit_distance_norm"


def test_scored_answers_equal_the_scores_of_the_same_questions():
    from upswing.detection.evaluations import evaluations

    world = GenerationWorld(np.geomspace(1e20, 1e23, 4), np.ones(60), 3)
    tables = simulate_generation(world, np.random.default_rng(1), task="sums")
    (one,) = evaluations(tables, "flops")
    curves = {curve.metric: curve for curve in answer_curves(one)}
    names = ["exact_match", "character_edit_distance"]
    scores = score_items(tables.items, [find_metric(name) for name in names])
    for name in names:
        expected = scores.filter(metric=name).sort("model")
        assert curves[name].y.tolist() == pytest.approx(expected["value"].to_list())
        inner = expected["value"].is_between(0, 1, closed="none").to_numpy()
        stderr = expected["stderr"].cast(pl.Float64).to_numpy()
        found = np.asarray(curves[name].stderr)
        assert found[inner] == pytest.approx(stderr[inner], rel=0.25)


def test_all_alternatives_are_described_where_asked_for():
    both = simulate_answers(smooth_world(0.3, 3e9), X, 1000, 3, np.random.default_rng(0))
    exact = detect(list(both), alternatives="all").findings[0]
    assert exact.verdict.word == "smooth"
    (other,) = exact.comparison.alternatives
    assert (other.outcome, other.shape_class) == ("not compared", "linear")
    assert detect(list(both)).findings[0].comparison.alternatives == ()


def generated(questions=400, revision=None):
    world = GenerationWorld(np.geomspace(1e20, 1e23, 10), np.ones(questions), 10, exponent=1.0)
    tables = simulate_generation(world, np.random.default_rng(0), task="sums")
    return tables, score_items(tables.items, [find_metric("exact_match")])


def test_few_common_questions_decide_nothing():
    tables, scores = generated()
    weak = tables.items["model"].min()
    few = tables.items.filter((pl.col("model") != weak) | (pl.col("item").cast(int) < 5))
    finding = detect(Tables(items=few, scores=scores, scales=tables.scales)).findings[0]
    assert (finding.verdict.word, finding.verdict.cause) == ("emergent", "unknown")


def test_answers_of_another_filter_do_not_decide():
    tables, scores = generated()
    items = tables.items.with_columns(pl.lit("flexible").alias("filter"))
    strict = scores.with_columns(pl.lit("strict").alias("filter"))
    finding = detect(Tables(items=items, scores=strict, scales=tables.scales)).findings[0]
    assert finding.comparison.deciding is None


def test_only_listed_metrics_decide():
    both = steep()
    mass = replace(
        both.edit_distance,
        y=np.linspace(0.1, 0.9, 10),
        metric="option_mass",
        higher_is_better=True,
        lowest=0.0,
        highest=1.0,
    )
    exact = next(f for f in detect([both.exact_match, mass]) if f.curve.metric == "exact_match")
    assert exact.verdict.word == "emergent"
    assert [a.curve.metric for a in exact.comparison.alternatives] == ["option_mass"]


def test_a_revision_is_compared_with_answers_of_that_revision():
    from upswing import read_lab_results

    tables = read_lab_results()
    found = detect(
        tables,
        axis="params",
        task="reverse",
        family="char-v1",
        revision="step1000",
        alternatives="all",
    )
    exact = next(f for f in found if f.curve.metric == "exact_match")
    token = next(
        a.curve
        for a in exact.comparison.alternatives
        if a.curve.metric == "character_edit_distance_norm"
    )
    stated = tables.scores.filter(
        (pl.col("task") == "reverse")
        & (pl.col("family") == "char-v1")
        & (pl.col("revision") == "step1000")
        & (pl.col("metric") == "character_edit_distance_norm")
    )
    assert sorted(token.y) == pytest.approx(sorted(stated["value"]), abs=1e-9)
    computed = next(
        a.curve for a in exact.comparison.alternatives if a.curve.metric == "token_edit_distance"
    )
    assert computed.y.tolist() == pytest.approx((1 - exact.curve.y).tolist(), abs=1e-9)
