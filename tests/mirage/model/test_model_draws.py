"""Drawn tests: their means are the closed forms, their infinite scores those of the exact share."""

from __future__ import annotations

import numpy as np
import pytest

from upswing.errors import InputError
from upswing.mirage.model import draws as model_draws
from upswing.mirage.model.draws import draw_curves, score_summary
from upswing.mirage.model.infinite_score import infinite_share
from upswing.mirage.model.mirage_model import MirageModel, ModelCurve
from upswing.simulate import flat_world

DRAWS = 4000


def within(share: float, expected: float, draws: int = DRAWS) -> bool:
    """Whether a share agrees with its expectation within 4 standard errors."""
    error = np.sqrt(max(expected * (1 - expected), 1 / draws) / draws)
    return bool(abs(share - expected) < 4 * error)


def by_key(curves: tuple[ModelCurve, ...]) -> dict[tuple[str, int | float | None], ModelCurve]:
    return {
        (one.metric.name, one.spread if one.length is None else one.length): one for one in curves
    }


@pytest.mark.parametrize(
    ("n", "three", "five"), [(50, 0.64, 0.99), (200, 0.06, 0.91), (1000, 0.0, 0.48)]
)
def test_share_of_infinite_scores(n: int, three: float, five: float) -> None:
    model = MirageModel(lengths=(3, 5), spreads=())
    drawn = by_key(draw_curves(model, n, DRAWS, np.random.default_rng(n)))
    for length, reference in ((3, three), (5, five)):
        summary = score_summary(drawn["exact_match", length].values)
        share = summary.plus_infinite + summary.minus_infinite
        assert within(share, infinite_share(model.token_probability**length, n))
        assert summary.plus_infinite == pytest.approx(reference, abs=0.03)


def test_a_flat_curve_near_zero_is_often_infinite() -> None:
    draws, n = 40_000, 200
    sizes = MirageModel().sizes
    truth = flat_world(0.002, 0.0).truth(sizes)
    drawn = np.random.default_rng(0).binomial(n, truth, size=(draws, len(sizes))) / n
    summary = score_summary(drawn)
    assert summary.plus_infinite == pytest.approx(0.40, abs=0.015)
    both = summary.plus_infinite + summary.minus_infinite
    assert within(both, infinite_share(truth, n), draws)
    # all sizes right or wrong on nothing: (1 - A)^(n x sizes)
    assert within(summary.flat, 0.998 ** (n * len(sizes)), draws)


@pytest.mark.parametrize("options", [2, 4])
def test_means_are_the_closed_forms(options: int) -> None:
    model = MirageModel(lengths=(1, 4), options=options, spreads=(0.0, 0.5, 2.0))
    n, draws = 40, 1500
    drawn = by_key(draw_curves(model, n, draws, np.random.default_rng(3)))
    expected = by_key(model.model_curves())
    assert {name for name, _ in drawn} == {
        "exact_match", "token_edit_distance", "token_edit_distance_norm",
        "multiple_choice_grade", "tc_brier",
    }  # fmt: skip
    assert ("tc_brier", 0.0) not in drawn  # no question noise
    for key, one in drawn.items():
        error = one.values.std(axis=0) / np.sqrt(draws)
        difference = np.abs(one.values.mean(axis=0) - expected[key].values)
        assert (difference < 4.5 * error + 2e-4).all(), key


def test_metrics_are_of_the_same_answers() -> None:
    model = MirageModel(lengths=(4,), spreads=(0.5,))
    drawn = by_key(draw_curves(model, 25, 300, np.random.default_rng(5)))
    exact, edits = drawn["exact_match", 4].values, drawn["token_edit_distance", 4].values
    assert np.allclose(edits, 4 * drawn["token_edit_distance_norm", 4].values)
    # an answer that is not right has 1 to 4 wrong tokens
    assert (edits >= 1 - exact - 1e-12).all()
    assert (edits <= 4 * (1 - exact) + 1e-12).all()
    assert ((edits == 0) == (exact == 1)).all()
    # with two options a right answer has more than half of the probability: (1 - q)^2 < 1/4
    grade, brier = drawn["multiple_choice_grade", 0.5].values, drawn["tc_brier", 0.5].values
    assert (brier >= (1 - grade) / 4 - 1e-12).all()
    assert (brier <= grade / 4 + (1 - grade) + 1e-12).all()


def test_questions_are_the_same_for_all_sizes() -> None:
    model = MirageModel(options=5, lengths=(), spreads=(1.0,))
    for one in draw_curves(model, 8, 50, np.random.default_rng(0)):
        better = np.diff(one.values) * (1 if one.metric.higher_is_better else -1)
        assert (better >= -1e-12).all()


def test_few_questions_break_the_grade_but_not_the_brier_score() -> None:
    model = MirageModel(lengths=(), spreads=(1.0,))
    drawn = by_key(draw_curves(model, 8, 1000, np.random.default_rng(0)))
    assert score_summary(drawn["multiple_choice_grade", 1.0].values).plus_infinite > 0.8
    brier = score_summary(drawn["tc_brier", 1.0].values, higher_is_better=False)
    assert brier.plus_infinite == 0
    assert brier.high < 20


def test_blocks_only_save_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    model = MirageModel(lengths=(3,), spreads=(1.0,))
    whole = draw_curves(model, 20, 30, np.random.default_rng(9))
    monkeypatch.setattr(model_draws, "_BLOCK", 500)
    parts = draw_curves(model, 20, 30, np.random.default_rng(9))
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(a.values, b.values)


def test_quantiles_count_infinities_as_largest() -> None:
    flat, sharp, line = [0.0] * 4, [0.0, 0.0, 0.0, 1.0], [0.0, 0.1, 0.2, 0.3]
    summary = score_summary(np.array([flat] * 6 + [line] * 10 + [sharp] * 4))
    assert (summary.low, summary.high) == (0.0, np.inf)
    assert summary.median == pytest.approx(3.0)
    assert (summary.plus_infinite, summary.minus_infinite, summary.flat) == (0.2, 0.0, 0.3)
    assert score_summary(np.array([sharp[::-1]])).minus_infinite == 1.0
    assert score_summary(np.array([sharp]), higher_is_better=False).minus_infinite == 1.0
    assert np.isnan(score_summary(np.zeros((5, 2))).median)


@pytest.mark.parametrize(("n", "draws"), [(0, 10), (10, 0)])
def test_nothing_to_draw(n: int, draws: int) -> None:
    with pytest.raises(InputError, match="cannot be drawn"):
        draw_curves(MirageModel(), n, draws, np.random.default_rng(0))
