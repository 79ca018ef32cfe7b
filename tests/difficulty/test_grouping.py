"""Groups from answers, against a plain loop and against what the world holds."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difficulty.grouped import small_world
from upswing.difficulty.groups.answers import answer_matrix
from upswing.difficulty.groups.grouping import cut_points, group_answers, group_scores
from upswing.difficulty.groups.sorting import Sorting
from upswing.difficulty.groups.source import group_source
from upswing.errors import InputError
from upswing.metrics.intervals import jeffreys_stderr
from upswing.metrics.registry import find_metric
from upswing.metrics.standard_error import mean_and_error


@pytest.mark.parametrize(
    ("questions", "groups", "edges"),
    [
        (14042, 3, [0, 4680, 9361, 14042]),
        (15023, 3, [0, 5007, 10015, 15023]),
        (323, 3, [0, 107, 215, 323]),
        (5, 5, [0, 1, 2, 3, 4, 5]),
        (7, 1, [0, 7]),
    ],
)
def test_cut_points(questions, groups, edges):
    assert cut_points(questions, groups).tolist() == edges


def test_more_groups_than_questions():
    with pytest.raises(InputError, match="3 questions cannot be cut into 4 groups"):
        cut_points(3, 4)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), clustered=st.booleans(), proportion=st.booleans())
def test_group_scores_against_the_scores_of_other_commands(data, clustered, proportion):
    """Means and standard errors are those that ``rescore`` gives for the group's questions."""
    questions, models = data.draw(st.integers(2, 12)), data.draw(st.integers(1, 3))
    number = st.sampled_from([0.0, 1.0]) if proportion else st.floats(-5, 5)
    cells = st.lists(number, min_size=questions, max_size=questions)
    values = np.array([data.draw(cells) for _ in range(models)])
    group = np.array([0, *(data.draw(st.integers(0, 1)) for _ in range(questions - 1))])
    group[-1] = 1  # no group is empty
    cluster = np.array([data.draw(st.integers(0, 4)) for _ in range(questions)])
    means, errors = group_scores(values, group, cluster if clustered else None, proportion)
    for model in range(models):
        unit = cluster if clustered else np.arange(questions)
        frame = pl.DataFrame(
            {"evaluation": group, "unit": unit, "clustered": clustered, "value": values[model]}
        )
        expected = mean_and_error(frame, proportion)
        assert means[model] == pytest.approx(expected["value"].to_numpy())
        for mine, theirs in zip(errors[model], expected["stderr"], strict=True):
            if theirs is not None and not (proportion and clustered):
                assert mine == pytest.approx(theirs)


def test_an_accuracy_of_one_has_an_error():
    _, errors = group_scores(np.ones((1, 50)), np.zeros(50, dtype=int), None, True)
    assert errors[0, 0] == pytest.approx(float(jeffreys_stderr(1.0, 50)))


def published_by_hand(tables, limit, removed, count, by):
    """Wu and Lo's procedure, spelt out question by question."""
    flops = dict(tables.scales.select("model", "flops").iter_rows())
    brier, correct = {}, {}
    for row in tables.items.iter_rows(named=True):
        likelihoods = [math.exp(value) for value in row["option_logprobs"]]
        right = likelihoods[row["target_index"]] / sum(likelihoods)
        name = row["model"].replace("/", "__")
        brier.setdefault(name, {})[int(row["item"])] = (right - 1.0) ** 2
        first = likelihoods.index(max(likelihoods))
        correct.setdefault(name, {})[int(row["item"])] = float(first == row["target_index"])
    scores = brier if by == "brier" else correct
    sorting = []
    for name in scores:
        compute = flops[name.replace("__", "/")]
        if (compute is not None and compute > limit) or name in removed:
            continue
        sorting.append(name)
    questions = sorted(next(iter(scores.values())))
    means = {q: sum(scores[name][q] for name in sorting) / len(sorting) for q in questions}
    ordered = sorted(questions, key=lambda q: means[q])
    places = [math.floor(edge) for edge in np.linspace(0, len(questions), count + 1)]
    return {
        name.replace("__", "/"): [
            sum(scores[name][q] for q in ordered[a:b]) / (b - a) for a, b in pairwise(places)
        ]
        for name in scores
    }


@pytest.mark.parametrize("by", ["brier", "accuracy"])
def test_published_rules(by):
    """With a model of unknown compute and the name that never matches, as in their scripts."""
    tables = small_world(models=10, questions=70, seed=3)
    names = {
        "simulated-00": "facebook/xglm-564M",
        "simulated-01": "microsoft/phi-2",
        "simulated-09": "mistralai/Mistral-7B-v0.1",
    }
    items = tables.items.with_columns(pl.col("model").replace(names))
    scales = tables.scales.with_columns(
        pl.col("model").replace(names),
        pl.when(pl.col("model") != "simulated-09").then("flops").alias("flops"),
    )
    tables = replace(tables, items=items, scales=scales)
    source = group_source(tables, published_quirks=True)
    groups = source.groups(3, by, 1.0)
    removed = {"microsoft__phi-2", "facebook/xglm-564M"}
    expected = published_by_hand(tables, 1e22, removed, 3, by)
    mine = dict(zip(groups.models["model"], groups.values[groups.metric].tolist(), strict=True))
    assert mine.keys() == expected.keys()
    for name, scores in expected.items():
        assert mine[name] == pytest.approx(scores, rel=1e-12)
    sorts = set(groups.models.filter("sorts")["model"])
    assert {"facebook/xglm-564M", "mistralai/Mistral-7B-v0.1"} <= sorts
    assert "microsoft/phi-2" not in sorts
    plain = group_source(tables).groups(3, by, 1.0)
    assert "mistralai/Mistral-7B-v0.1" not in set(plain.models.filter("sorts")["model"])
    assert not np.allclose(plain.values[plain.metric], groups.values[groups.metric])


def test_the_first_group_is_easiest_by_brier_and_hardest_by_accuracy():
    source = group_source(small_world())
    brier, accuracy = source.groups(3, "brier"), source.groups(3, "accuracy")
    assert (np.diff(brier.values["tc_brier"].mean(axis=0)) > 0).all()
    assert (np.diff(accuracy.values["acc"].mean(axis=0)) > 0).all()
    assert (brier.by_easiness, accuracy.by_easiness) == ([0, 1, 2], [2, 1, 0])
    ranks = accuracy.scores().select("group", "easiness_rank").unique().sort("group")
    assert ranks["easiness_rank"].to_list() == [3, 2, 1]


def test_groups_weigh_up_to_the_whole_under_every_metric():
    groups = group_source(small_world(mass=0.4)).groups(4, limit=0.5, redistributed=False)
    size = np.diff(groups.edges)
    for metric, values in groups.values.items():
        weighted = (values * size).sum(axis=1) / size.sum()
        assert weighted == pytest.approx(groups.whole[metric])
    assert groups.metric == "tc_brier_undistributed"
    assert groups.whole["option_mass"] == pytest.approx(np.full(12, 0.4))
    assert groups.chance == 0.25


def test_known_difficulty_is_found():
    """With a margin that grows with compute, the hard third of the world is found again."""
    world = small_world(models=20, questions=600, seed=1, spread=0.5)
    rng = np.random.default_rng(1)
    true = rng.uniform(20, 24, 600)
    groups = group_source(world).groups(3)
    found = groups.questions.with_columns(
        pl.Series("true", true[groups.questions["item"].cast(int)])
    )
    ranks = found.select(pl.corr("true", "difficulty", method="spearman")).item()
    assert ranks > 0.85
    thirds = found.with_columns(((pl.col("true").rank() - 1) * 3 / 600).floor().alias("third"))
    assert (thirds["third"] == thirds["group"]).mean() > 0.7


def test_the_table_of_scores():
    answers = answer_matrix(small_world())
    groups = group_answers(answers, 3, sorting=Sorting(0.0))
    table = groups.scores("tc_brier", "acc")
    assert len(table) == 12 * 3 * 2
    row = table.filter(model="simulated-00", group=0, metric="acc").row(0, named=True)
    own = groups.questions.with_row_index().filter(group=0)["index"]
    assert row["value"] == pytest.approx(answers.values["acc"][0, own].mean())
    assert (row["lo"], row["hi"], row["n"], row["log10_flops"]) == (0, 30, 30, -1.0)
    assert row["stderr"] > 0
    assert find_metric(groups.metric).name == "tc_brier"
    wide = groups.wide("acc")
    assert wide.columns == ["model", "revision", "log10_flops", "0-30", "30-60", "60-90"]
