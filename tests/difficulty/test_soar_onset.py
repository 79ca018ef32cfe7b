"""The turn of the easy group from below a cut-off, and the observed soar."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difficulty.grouped import groups_by_hand
from upswing import read
from upswing.difficulty.groups.groups import DifficultyGroups
from upswing.difficulty.groups.source import group_source
from upswing.difficulty.onset.hinges import candidate_knots, fit_hinges
from upswing.difficulty.onset.onset_table import soar_onsets
from upswing.difficulty.onset.soar_onset import observed_soar, turning_point
from upswing.errors import InputError

X = np.linspace(-1.0, 3.0, 49)
FAMILY = np.arange(49) % 11


def noise(seed: int, sd: float = 0.02) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return sd * (rng.standard_normal(11)[FAMILY] + rng.standard_normal(49)) / np.sqrt(2)


EASY = np.interp(X, [-1, 0.4, 1.8, 3], [-0.5, -0.35, -0.55, -0.2])
"""Up, down, and up from 1.8 on, as in Wu and Lo's easy groups."""


# --- hinges


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 2))
def test_hinges_are_the_best_of_their_knots(seed: int, bends: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.uniform(0, 3, 14)), rng.standard_normal(14)
    weights = rng.integers(1, 4, (2, 14)).astype(float)
    found = fit_hinges(x, y, weights, bends)
    assert found is not None
    for row, weight in enumerate(weights):
        knots = found.knots[row]
        design = np.column_stack([np.ones(14), x, *(np.maximum(x - k, 0) for k in knots)])
        root = np.sqrt(weight)
        coefficient, *_ = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)
        rss = np.sum(weight * (y - design @ coefficient) ** 2)
        assert found.rss[row] == pytest.approx(rss, rel=1e-4, abs=1e-6)


def test_two_bends_are_recovered() -> None:
    found = fit_hinges(X, EASY, np.ones((1, 49)), 2)
    assert found is not None
    assert found.knots[0] == pytest.approx([0.4, 1.8], abs=0.1)
    assert np.sign(found.slopes[0]).tolist() == [1, -1, 1]


def test_few_models_have_no_bends() -> None:
    assert fit_hinges(np.arange(5.0), np.zeros(5), np.ones((1, 5)), 1) is None
    assert fit_hinges(np.arange(5.0), np.zeros(5), np.ones((1, 5)), 0) is not None


# --- the turn


def test_the_turn_is_found_with_its_interval() -> None:
    turn = turning_point(X, EASY + noise(0), FAMILY)
    assert turn.status == "turned"
    assert turn.place.low <= 1.8 <= turn.place.high
    assert turn.place.x == pytest.approx(1.8, abs=0.2)
    assert turn.place.high - turn.place.low < 0.8


def test_nothing_beyond_the_cutoff_is_looked_at() -> None:
    y = EASY + noise(1)
    changed = np.where(X >= 1.5, 77.0, y)
    assert turning_point(X, y, FAMILY, cutoff=1.5) == turning_point(X, changed, FAMILY, cutoff=1.5)


def test_before_the_turn_there_is_none_yet() -> None:
    turn = turning_point(X, EASY + noise(2), FAMILY, cutoff=1.6)
    assert turn.status == "not yet"
    assert turn.place.x is None
    assert turn.place.high is None
    assert turn.models == (X < 1.6).sum()
    assert turn.place.low <= 1.6


def test_a_curve_that_never_falls_has_nothing_to_turn_from() -> None:
    assert turning_point(X, 0.2 * X + noise(3), FAMILY).status == "no fall"
    assert turning_point(X[:5], X[:5]).status == "too few models"


def test_a_turn_of_one_family_is_undecided() -> None:
    """Resamples without the family that turns have no turn."""
    family = np.where(X > 1.8, 99, FAMILY)
    turn = turning_point(X, EASY + noise(4), family)
    assert turn.status == "undecided"
    assert turn.share < 0.95
    assert turn.place.high is None


def test_coverage_of_the_interval() -> None:
    covered = 0
    for seed in range(40):
        turn = turning_point(X, EASY + noise(100 + seed), FAMILY, draws=100, seed=seed)
        high = np.inf if turn.place.high is None else turn.place.high
        covered += turn.place.low <= 1.8 <= high
    assert covered >= 32  # 95 % nominal; knots lie between models


# --- the soar


def test_the_soar_of_accuracy() -> None:
    accuracy = np.clip(0.25 + 0.3 * np.maximum(X - 1.5, 0) + noise(5), 0, 1)
    soar = observed_soar(X, accuracy, 0.25, FAMILY)
    assert soar.level == pytest.approx(0.325)
    assert soar.crossing.low <= 1.75 <= soar.crossing.high
    assert soar.takeoff.low <= 1.5 <= soar.takeoff.high
    assert not soar.from_the_start


def test_no_soar_and_a_soar_from_the_start() -> None:
    flat = observed_soar(X, 0.25 + noise(6, 0.005), 0.25, FAMILY)
    assert flat.crossing.x is None
    high = observed_soar(X, 0.5 + noise(7, 0.005), 0.25, FAMILY)
    assert high.from_the_start
    assert high.crossing.x == X[0]
    own = observed_soar(X, 0.25 + 0.1 * np.maximum(X - 1, 0), 0.25, FAMILY, delta=0.1)
    assert own.crossing.x == pytest.approx(2.0, abs=0.1)


# --- tasks


class Source:
    """Groups that are the same at every limit."""

    task = "made"

    def __init__(self, groups: DifficultyGroups) -> None:
        self._groups = groups

    def groups(self, *_: object, **__: object) -> DifficultyGroups:
        return self._groups


def made(**more: object) -> Source:
    accuracy = np.clip(0.25 + 0.3 * np.maximum(X - 1.5, 0), 0, 1)
    scores = np.column_stack([EASY, -0.6 + 0 * X, -0.7 + 0 * X])
    return Source(groups_by_hand(X, scores, accuracy, **more))


def test_onsets_of_a_task() -> None:
    (early, late), notes = soar_onsets(made(), [1.5, 2.9], draws=60)
    assert (early.turn.status, late.turn.status) == ("not yet", "turned")
    assert early.soar == late.soar
    assert late.error == pytest.approx(1.8 - 1.5, abs=0.2)
    assert early.error is None
    row = late.to_dict()
    assert row["turning_point"] == late.turn.place.x
    assert row["soar_level"] == pytest.approx(0.325)
    assert notes == ()


def test_onsets_need_chance_and_accuracy() -> None:
    with pytest.raises(InputError, match="--chance"):
        soar_onsets(made(chance=None), [1.5])
    (found,), _ = soar_onsets(made(chance=None), [1.5], chance=0.2, draws=20)
    assert found.soar.level == pytest.approx(0.28)


@pytest.mark.data
def test_published_thresholds_are_not_seen_from_below(shared_data: Path) -> None:
    """No easy group turns for sure below the published threshold; mmlu's does a half decade on."""
    folder = shared_data / "tony10101105/ExpEmergence@288b731/data"
    files = {
        "mmlu/mmlu_instance_brier_-1000_31.622776601683793_3_redist.csv": 1.5,
        "arithmetic/arithmetic_instance_brier_-1000_63.09573444801933_3_redist.csv": 1.8,
        "parsinlu_qa_mc/parsinlu_qa_mc_instance_brier_-1000_199.52623149688787_3_redist.csv": 2.3,
    }
    for name, threshold in files.items():
        source = group_source(read(folder / name))
        (before, later), _ = soar_onsets(source, [threshold, threshold + 0.5], draws=200)
        assert before.turn.status == "not yet"
        assert later.turn.status == ("turned" if "mmlu" in name else "not yet")
        assert before.sorted_up_to == pytest.approx(threshold)


@pytest.mark.parametrize("level", [1 / 3, 1.0, 0.25])
def test_equal_scores_neither_fall_nor_take_off(level: float) -> None:
    """Slopes of rounding errors are none, of scores that are equal or differ by rounding."""
    tiny = 1e-15 * np.random.default_rng(0).uniform(size=49)
    for score in (np.full(49, level), level - tiny):
        assert turning_point(X, score, FAMILY, draws=50).status == "no fall"
        takeoff = observed_soar(X, score, 0.25, FAMILY, draws=50).takeoff
        assert takeoff == (None, None, None)


def test_no_bend_at_the_scale_of_many_smallest_models() -> None:
    x = np.concatenate([np.full(12, -1.0), np.linspace(-0.5, 2, 12)])
    assert candidate_knots(x).min() > -1.0
    assert candidate_knots(-x[::-1]).max() < 1.0
    assert not len(candidate_knots(np.zeros(12)))


def test_chance_has_to_be_a_share() -> None:
    with pytest.raises(InputError, match="is 25 and must lie in"):
        soar_onsets(made(), [1.5], chance=25.0)


def test_models_that_are_left_out_are_told() -> None:
    _, notes = soar_onsets(made(), [1.5, 2.5], exclude=["m0*"], draws=20)
    (note,) = notes
    assert note.code == "models-left-out"
    assert len(note.details["models"]) == 10
