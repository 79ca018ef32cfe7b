"""The closed forms of the model, against its formulas and the numbers of its default family.

The emergence scores are those of the reference list of our notes on the paper (section 8), which
were computed apart from this code.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upswing.detection.emergence_score import describe_emergence_score
from upswing.errors import InputError
from upswing.mirage.model.mirage_model import MirageModel, ModelCurve
from upswing.simulate import smooth_world


def score(one: ModelCurve) -> float:
    return describe_emergence_score(one.values, one.metric.higher_is_better).score


def found(model: MirageModel, metric: str) -> list[ModelCurve]:
    return [one for one in model.model_curves() if one.metric.name == metric]


def test_exact_match_is_sharper_the_longer_the_answer() -> None:
    scores = {one.length: score(one) for one in found(MirageModel(), "exact_match")}
    assert [round(scores[length], 1) for length in (1, 2, 3)] == [9.4, 14.8, 37.1]
    assert round(scores[5]) == 298


@pytest.mark.parametrize(
    ("metric", "expected"),
    [("cross_entropy", 16.8), ("token_probability", 9.4), ("tc_brier", 11.2)],
)
def test_scores_of_the_metrics_of_one_token(metric: str, expected: float) -> None:
    (one,) = found(MirageModel(spreads=(0.0,)), metric)
    assert round(score(one), 1) == expected


def test_edit_distance_has_one_score_for_all_lengths() -> None:
    for metric in ("token_edit_distance", "token_edit_distance_norm"):
        scores = [score(one) for one in found(MirageModel(), metric)]
        assert len(scores) == 5
        assert np.round(scores, 1).tolist() == [9.4] * 5


def test_perplexity_is_itself_sharp() -> None:
    (one,) = found(MirageModel(), "token_perplexity")
    assert round(score(one)) == 2465


def test_grade_is_a_step_only_where_all_questions_are_alike() -> None:
    scores = {one.spread: score(one) for one in found(MirageModel(), "multiple_choice_grade")}
    assert scores[0.0] == np.inf
    assert np.isfinite(scores[0.5])
    assert scores[1.0] < scores[0.5]


@settings(max_examples=40, deadline=None)
@given(
    exponent=st.floats(-0.6, -0.05),
    scale=st.floats(1e7, 1e10),
    length=st.integers(1, 8),
)
def test_every_metric_follows_from_p(exponent: float, scale: float, length: int) -> None:
    model = MirageModel(exponent, scale, lengths=(length,), spreads=(0.0,))
    p = np.exp(-((model.sizes / scale) ** exponent))
    curves = {one.metric.name: one.values for one in model.model_curves()}
    expected = {
        "cross_entropy": -np.log(p),
        "token_probability": p,
        "exact_match": p**length,
        "token_edit_distance": length * (1 - p),
        "token_edit_distance_norm": 1 - p,
        "multiple_choice_grade": p > 0.5,
        "tc_brier": (1 - p) ** 2,
        "token_perplexity": 1 / p,
    }
    assert curves.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(curves[name], values, rtol=1e-9, atol=1e-13, err_msg=name)
    for one in model.model_curves():
        better = np.diff(one.values) * (1 if one.metric.higher_is_better else -1)
        assert (better >= 0).all(), one.metric.name


def test_exact_match_is_the_smooth_world_of_the_test_bed() -> None:
    model = MirageModel(lengths=(4,))
    (one,) = found(model, "exact_match")
    np.testing.assert_allclose(one.values, smooth_world(0.3, 3e9, 4).truth(model.sizes), rtol=1e-9)


def test_curves_carry_what_a_curve_needs() -> None:
    model = MirageModel(sizes=[3e10, 3e8, 3e9], lengths=(2,), options=4, spreads=(1.0,))
    curves = {curve.metric: curve for curve in model.curves()}
    assert curves["exact_match"].x.tolist() == [3e8, 3e9, 3e10]
    assert curves["exact_match"].task == "L = 2"
    assert curves["multiple_choice_grade"].task == "s = 1"
    assert curves["multiple_choice_grade"].chance == 0.25
    assert not curves["token_perplexity"].higher_is_better
    assert curves["token_perplexity"].highest is None
    assert {curve.axis for curve in curves.values()} == {"params"}


def test_repeated_lengths_are_one_curve() -> None:
    assert MirageModel(lengths=(3, 3, 1)).lengths == (3, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"exponent": 0.3}, "must be negative"),
        ({"exponent": float("nan")}, "must be negative"),
        ({"scale": 0.0}, "number of parameters"),
        ({"sizes": [1e9, 1e10]}, "at least 3"),
        ({"sizes": [1e9, 1e9, 1e10]}, "all different"),
        ({"sizes": [-1e9, 1e9, 1e10]}, "above 0"),
        ({"lengths": (0,)}, "at least one token"),
        ({"options": 1}, "no choice"),
        ({"spreads": (-1.0,)}, "standard deviation"),
        ({"spreads": (float("nan"),)}, "standard deviation"),
        ({"exponent": -3.0}, "more than numbers can hold"),
        ({"exponent": -300.0, "sizes": [1e10, 1e11, 1e12]}, "more than numbers can hold"),
    ],
)
def test_values_that_cannot_be(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MirageModel(**arguments)  # type: ignore[arg-type]
