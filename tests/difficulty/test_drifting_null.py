"""The null of sorting: its distribution, its published numbers, and what it decides."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from upswing.difficulty.shapes.arms import arm_lines
from upswing.difficulty.shapes.drifting_null import (
    SETTINGS,
    Drift,
    drifting_answers,
    group_means,
    null_groups,
)
from upswing.difficulty.shapes.group_shapes import group_shapes
from upswing.difficulty.shapes.null_test import null_test, with_scatter
from upswing.errors import InputError
from upswing.sources.wu_lo import read_wu_lo_groups

X = np.sort(np.random.default_rng(3).uniform(20.1, 23.9, 40))
FAMILY = np.arange(40) % 13
SORTS = X < 22.5


def logits(x: np.ndarray, drift: Drift, questions: int = 40_000) -> np.ndarray:
    """How far option 0 is behind the other one, by model and question: normal for two options."""
    answers = drifting_answers(x, drift, questions, np.random.default_rng(0), options=2)
    p = answers.probability.astype(float)
    return np.log(1 - p) - np.log(p)


# --- the generator


def test_covariance_of_preferences() -> None:
    x = np.array([20.0, 20.7, 22.1])
    drift = Drift(0.7, 0.8, 1.5)
    covariance = np.cov(logits(x, drift))
    near = np.exp(-0.5 * ((x[:, None] - x) / 0.7) ** 2)
    expected = 2 * 1.5**2 * (0.8 * near + 0.2 * np.eye(3))
    assert covariance == pytest.approx(expected, abs=0.1)


def test_ends_of_shared() -> None:
    alone = np.corrcoef(logits(np.array([21.0, 21.0]), Drift(1.0, 0.0)))[0, 1]
    assert abs(alone) < 0.02
    together = logits(np.array([21.0, 21.0]), Drift(1.0, 1.0))
    assert together[0] == pytest.approx(together[1], abs=1e-4)


@pytest.mark.parametrize("options", [2, 4, 7])
def test_nobody_knows_anything(options: int) -> None:
    answers = drifting_answers(X, SETTINGS[1], 6000, np.random.default_rng(1), options=options)
    assert answers.right.mean(axis=1) == pytest.approx(1 / options, abs=0.03)
    assert answers.probability.mean() == pytest.approx(1 / options, abs=0.01)
    assert answers.gain("brier").max() <= 0
    assert set(np.unique(answers.gain("accuracy"))) == {0.0, 1.0}


def test_ability_adds_to_the_right_option() -> None:
    rng = np.random.default_rng(2)
    margin = np.array([0.0, 2.0])[:, None]
    right = drifting_answers([20, 24], Drift(0.7, 0.5), 5000, rng, margin=margin).right
    assert right[0].mean() == pytest.approx(0.25, abs=0.02)
    assert right[1].mean() > 0.7


def test_groups_by_hand() -> None:
    gain = np.array([[0, 1, 0, 1, 1], [1, 1, 0, 0, 1], [0.5, 0, 1, 1, 0]], dtype=np.float32)
    sorts = np.array([True, True, False])
    # easiness .5, 1, 0, .5, 1: the easiest are 1, 4, then 0, 3, then 2; groups of 2 and 3
    easy_first = group_means(gain, sorts, 2)
    assert easy_first.tolist() == [[1, 1, 0], pytest.approx([1 / 3, 1 / 3, 2.5 / 3])]
    hard_first = group_means(gain, sorts, 2, "accuracy")
    assert hard_first.tolist() == [[0, 0.5, 0.75], pytest.approx([1, 2 / 3, 1 / 3])]


def test_worlds_are_grouped_as_the_data() -> None:
    null = null_groups(X, SORTS, 3, questions=900, worlds=6, seed=4)
    assert null.scores.shape == (4, 6, 3, 40)
    sorting = null.scores[..., SORTS].mean(axis=(1, 3))
    assert (np.diff(sorting, axis=1) < -0.05).all()  # the easiest first
    by_accuracy = null_groups(X, SORTS, 3, questions=900, worlds=3, by="accuracy").scores
    assert (np.diff(by_accuracy[..., SORTS].mean(axis=(1, 3)), axis=1) > 0.05).all()
    assert by_accuracy.mean() == pytest.approx(0.25, abs=0.02)


def test_same_seed_same_worlds() -> None:
    one, other = (null_groups(X, SORTS, 2, questions=50, worlds=2, seed=7) for _ in range(2))
    assert np.array_equal(one.scores, other.scores)
    third = null_groups(X, SORTS, 2, questions=50, worlds=2, seed=8)
    assert not np.array_equal(one.scores, third.scores)


def test_more_questions_than_needed_are_not_drawn() -> None:
    null = null_groups(X[:5], np.ones(5), 2, questions=10**9, worlds=1, most_questions=40)
    assert null.questions == 40


@pytest.mark.parametrize(
    "change",
    [
        {"sorts": np.zeros(40, dtype=bool)},
        {"sorts": np.ones(3, dtype=bool)},
        {"questions": 0},
        {"questions": 2},
        {"options": 1},
        {"worlds": 0},
        {"settings": [Drift(0.0, 0.5)]},
        {"settings": [Drift(1.0, 1.1)]},
        {"x": np.full(40, np.nan)},
    ],
)
def test_impossible_worlds(change: dict[str, object]) -> None:
    given = {"x": X, "sorts": SORTS, "groups": 3, "questions": 30, "worlds": 1, **change}
    with pytest.raises(InputError):
        null_groups(**given)


@pytest.mark.data
@pytest.mark.parametrize("sorting", ["same models", "disjoint halves"])
def test_published_pattern(shared_data: Path, reference: Path, sorting: str) -> None:
    """`shared/reference/wu-lo/null_simulation.csv` is one world of each setting, at mmlu's models.

    Its curvatures are those of a parabola over the models below the threshold that are plotted. It
    does not say over which models its levels are means; here they are those below 10^20.5 FLOP,
    from 10^21 to 10^22, and from 10^23 on. With disjoint halves the smallest models differ.
    """
    folder = shared_data / "tony10101105/ExpEmergence@288b731/data/mmlu"
    path = folder / "mmlu_instance_brier_-1000_31.622776601683793_3_redist.csv"
    removed = ("phi-1_5", "phi-2", "Qwen1.5-0.5B", "Qwen1.5-1.8B", "Qwen1.5-4B", "stablelm-2-1_6b")
    models = (
        read_wu_lo_groups(path.read_bytes(), path.name)
        .filter(pl.col("flops").is_not_null())
        .filter(~pl.col("model").str.split("/").list.last().is_in(removed))
        .unique("model", maintain_order=True)
        .sort("flops")
    )
    x = np.log10(models["flops"].to_numpy())
    assert len(x) == 59
    below = x < 22.5
    sorts = below.copy()
    if sorting == "disjoint halves":
        sorts[np.flatnonzero(below)[1::2]] = False
    plotted = below if sorting == "same models" else below & ~sorts
    with (reference / "wu-lo" / "null_simulation.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["sorting"] == sorting]
    drifts = [Drift(float(row["ell"]), float(row["shared"])) for row in rows]
    null = null_groups(x, sorts, 3, questions=3000, settings=drifts, worlds=40)
    places = {"mid": (21, 22), "beyond_T": (23, 30)}
    if sorting == "same models":
        places["small"] = (0, 20.5)
    for row, worlds in zip(rows, null.scores.astype(float), strict=True):
        for group, name in ((0, "easy"), (2, "hard")):
            curves = worlds[:, group]
            found = {f"{name}_curv": np.polyfit(x[plotted], curves[:, plotted].T, 2)[0]}
            for place, (low, high) in places.items():
                inside = (x >= low) & (x < high) & ((x > 22.5) | plotted)
                found[f"{name}_{place}"] = curves[:, inside].mean(axis=1)
            for key, values in found.items():
                assert abs(float(row[key]) - values.mean()) < 3.5 * values.std(), (row, key)
        overall = worlds.mean(axis=1).std(axis=1).mean()
        assert overall == pytest.approx(float(row["overall_sd"]), rel=0.5)


# --- what it decides


@pytest.fixture(scope="module")
def null():
    return null_groups(X, SORTS, 3, questions=1500, worlds=150)


def world(margin: float | np.ndarray, drift: Drift, seed: int) -> np.ndarray:
    answers = drifting_answers(X, drift, 1500, np.random.default_rng(seed), margin=margin)
    return group_means(answers.gain("brier"), SORTS, 3)


def test_sorting_alone_makes_turns_and_the_null_knows_it(null) -> None:
    called = 0
    for seed, drift in enumerate([*SETTINGS, Drift(1.0, 0.7), Drift(0.9, 0.8)]):
        found = group_shapes(X, world(0.0, drift, 100 + seed), null, FAMILY)
        assert found[0].shape == "inverted-u"
        assert found[2].shape in ("u-shaped", "u-then-rise")
        assert found[0].p_value_null > 0.05
        assert found[2].p_value_null > 0.05
        called += any(one.beyond_sorting for one in found)
    assert called <= 1


def test_a_true_u_is_beyond_sorting(null) -> None:
    dip = -1.5 * np.exp(-0.5 * ((X - 21.8) / 0.6) ** 2) + 2 * np.maximum(X - 22.5, 0)
    for seed, drift in enumerate(SETTINGS):
        hard = group_shapes(X, world(dip[:, None], drift, seed), null, FAMILY)[2]
        assert hard.shape == "u-then-rise"
        assert hard.beyond_sorting
        assert len(hard.arms) == len(hard.p_arms) == 3
        assert abs(hard.turns[0] - 22) < 0.7


def test_a_soar_does_not_make_the_fall_before_it_real(null) -> None:
    """Only the rise is beyond sorting; a U needs both of its arms to be."""
    soar = 2 * np.maximum(X - 22.5, 0)
    hard = group_shapes(X, world(soar[:, None], Drift(0.7, 0.9), 5), null, FAMILY)[2]
    assert hard.shape == "u-then-rise"
    fall, rise, _ = hard.p_arms
    assert fall > 0.05 > rise
    assert not hard.beyond_sorting


def test_rejections_without_ability_and_with_scatter(null) -> None:
    rng = np.random.default_rng(9)
    small = 0
    for seed in range(20):
        scores = world(0.0, SETTINGS[seed % 4], 200 + seed)
        family = rng.standard_normal(13)[FAMILY]
        scores = scores + 0.02 * (family + rng.standard_normal(scores.shape))
        found = group_shapes(X, scores, null, FAMILY, seed=seed)
        small += any(one.beyond_sorting for one in found)
    assert small <= 3  # 1 is expected at most; P(more than 3) is .016


def test_holm_over_groups(null) -> None:
    found = group_shapes(X, world(0.0, SETTINGS[0], 3), null, FAMILY)
    p = np.sort([one.p_value_null for one in found])
    adjusted = np.sort([one.p_adjusted for one in found])
    assert adjusted[0] == pytest.approx(min(1.0, 3 * p[0]))
    assert adjusted[-1] >= p[-1]
    row = found[0].to_dict()
    assert row["shape"] == "inverted-u"
    assert isinstance(row["beyond_sorting"], bool)


def test_order_of_models_does_not_count() -> None:
    few = null_groups(X, SORTS, 2, questions=200, worlds=30)
    answers = drifting_answers(X, SETTINGS[1], 200, np.random.default_rng(1))
    scores = group_means(answers.gain("brier"), SORTS, 2)
    order = np.random.default_rng(2).permutation(40)
    shuffled = type(few)(few.scores[..., order], few.settings, few.questions, few.options)
    one = group_shapes(X, scores, few, FAMILY)
    other = group_shapes(X[order], scores[:, order], shuffled, FAMILY[order])
    assert [a.shape for a in one] == [b.shape for b in other]
    for a, b in zip(one, other, strict=True):
        assert a.arms == pytest.approx(b.arms)


def test_scatter_of_the_observed_curve() -> None:
    rng = np.random.default_rng(0)
    cluster = np.arange(40)
    smooth = np.zeros((1, 400, 40))
    rough = 0.3 * rng.standard_normal(40)
    spread = with_scatter(X, rough, cluster, smooth, rng).std(axis=1)[0]
    assert np.sqrt(np.mean(spread**2)) == pytest.approx(0.3, rel=0.35)
    noisy = rng.standard_normal((1, 400, 40))
    assert np.array_equal(with_scatter(X, rough, cluster, noisy, rng), noisy)
    line = with_scatter(X, 2 * X, cluster, smooth, rng)
    assert np.abs(line).max() < 1e-9


def test_flat_groups_have_no_arms() -> None:
    drawn = np.zeros((2, 5, 40), dtype=np.float32)
    rng = np.random.default_rng(0)
    found = null_test(X, np.zeros(40), np.arange(40), drawn, "flat", arm_lines(X), rng)
    assert (found.p_value, found.arms) == (1.0, ())


def test_shapes_have_to_agree(null) -> None:
    with pytest.raises(InputError, match="those of the null"):
        group_shapes(X, np.zeros((2, 40)), null)
