"""Power of plans: what spec sections 11.2, 11.3 and 11.5 found, targets, impossible plans."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from upswing.errors import InputError
from upswing.forecast.planning.power import LAW, assumed_world, power
from upswing.forecast.planning.power_search import needed_plan
from upswing.simulate.finetuning import LOSSES, FinetuningWorld

PLANNED = [loss for path in LOSSES for loss in path]
FEW = [2.28, 2.2, 2.13, 2.08, 2.03, 1.99]
WORLD = assumed_world(elbow=1.95, amounts=(256, 1448, 8192), noise=0.01)


def within(replicates=6, losses=PLANNED, **changed):
    found = power(replace(WORLD, **changed), losses, replicates=replicates, intervals=0)
    return found.p_within


def test_noise_decides_and_the_slope_sets_its_scale():
    quiet, loud = within(noise=0.0025), within(noise=0.04)
    assert quiet == 1.0
    assert loud <= 0.75
    # only sigma / A counts: the same luck gives the same elbows
    one = power(replace(WORLD, noise=0.02), FEW, replicates=2, intervals=0)
    other = power(replace(WORLD, noise=0.01, slope=0.3), FEW, replicates=2, intervals=0)
    assert one.forecasts[LAW] == pytest.approx(other.forecasts[LAW], abs=2e-3)


def test_the_span_of_amounts_beats_their_count():
    def of(*amounts):
        world = assumed_world(amounts=amounts, noise=0.01)
        return power(world, PLANNED, replicates=8, intervals=0).p_within

    assert of(256, 1448, 8192) >= 0.75
    assert of(2048, 2896, 4096, 5793, 8192) <= 0.7


def test_draws_lessen_the_luck_of_subsets():
    errors = {}
    for draws in (1, 4):
        world = FinetuningWorld(subset_sd=0.03, draws=draws)
        frame = power(world, PLANNED[::2], replicates=8, intervals=0).to_frame()
        errors[draws] = frame["median_error"][0]
    assert errors[4] < 0.75 * errors[1]


def test_the_law_of_the_world_does_not_depend_on_the_amounts():
    few, many = assumed_world(amounts=(512, 64)), assumed_world(amounts=(64, 8192))
    assert few.amounts == (64, 512)
    assert float(few.law.elbow([64])[0]) == pytest.approx(float(many.law.elbow([64])[0]))
    assert float(many.law.elbow([8192])[0]) == pytest.approx(2.25)
    assert float(few.law.elbow([5])[0]) == pytest.approx(1.95)


def test_baselines_and_intervals_stand_beside():
    world = replace(WORLD, questions=2000)
    found = power(world, FEW, replicates=3, intervals=1, seed=4)
    table = found.to_frame()
    assert table["forecast"].to_list() == [
        LAW,
        "just past the best random checkpoint",
        "elbow at the smallest D",
    ]
    # 1.99 - .05 is within .1 of 1.95 by construction
    assert table["within"][1] == 1.0
    assert table["median_error"][1] == pytest.approx(0.01)
    assert table["width"].null_count() == 2
    assert found.width == pytest.approx(np.mean(found.high - found.low))
    assert len(found.low) == 1
    assert found.gap == pytest.approx(0.04)
    assert found.runs == 6 * 3
    plain = json.loads(found.to_json(), parse_constant=pytest.fail)
    assert plain["assumed"]["elbow"] == 1.95
    assert plain["replicates"] == 3


def test_refusals_are_counted_and_are_no_success():
    # the smallest reach of any amount is below the best model
    world = assumed_world(reach=0.05, amounts=(64, 8192), questions=2000)
    found = power(world, [2.6, 2.5, 2.4, 2.3], replicates=3, intervals=1)
    assert found.p_refused == 1.0
    assert found.p_within == 0.0
    assert found.width is None
    assert found.coverage is None
    assert found.to_frame()["median_error"][0] is None
    assert json.loads(found.to_json())["reasons"]


def test_the_same_seed_gives_the_same_numbers():
    first, second = (power(WORLD, FEW, replicates=2, intervals=0, seed=1) for _ in range(2))
    assert first.to_json() == second.to_json()
    assert power(WORLD, FEW, replicates=2, intervals=0, seed=2).to_json() != first.to_json()


def test_questions_are_doubled_until_the_target_is_met():
    world = replace(WORLD, questions=250)
    found = needed_plan(world, FEW, target_probability=1.0, replicates=3, intervals=0)
    assert found.needed is not None
    assert found.needed > 250
    table = found.to_frame()
    assert table["questions"].to_list() == [250 * 2**i for i in range(len(table))]
    assert table["reached"].to_list() == [False] * (len(table) - 1) + [True]
    assert str(found.needed) in found.sentence


def test_a_target_out_of_reach_is_told():
    world = replace(WORLD, questions=500)
    found = needed_plan(
        world, FEW, vary="draws", target_width=1e-4, most=2, replicates=1, intervals=1
    )
    assert found.needed is None
    assert [one.world.draws for one in found.powers] == [1, 2]
    assert "no number of draws up to 2 reaches the target" in found.sentence
    assert found.to_dict()["needed"] is None


@pytest.mark.parametrize(
    ("changed", "losses", "message"),
    [
        ({}, [2.2, 2.1, 1.9, 1.8, 1.7], "2 of the planned models"),
        ({"amounts": (256,)}, FEW, "two positive amounts"),
        ({"draws": 0}, FEW, "at least 1"),
        ({"highest": 1.9}, FEW, "higher losses"),
        ({"slope": 0.0}, FEW, "slope must be positive"),
    ],
)
def test_impossible_plans_are_told(changed, losses, message):
    with pytest.raises(InputError, match=message):
        power(replace(FinetuningWorld(), **changed), losses)


def test_impossible_searches_are_told():
    with pytest.raises(InputError, match="no target"):
        needed_plan(WORLD, FEW)
    with pytest.raises(InputError, match="number of questions is needed"):
        needed_plan(WORLD, FEW, target_probability=0.8)
    with pytest.raises(InputError, match="must be above D0"):
        assumed_world(amounts=(5, 100))


@pytest.mark.parametrize(
    "assumed",
    [
        {"alpha": 0.0},
        {"alpha": float("nan")},
        {"elbow": float("nan")},
        {"reach": float("nan")},
        {"d0": float("nan")},
        {"slope": float("nan")},
        {"run_sd": float("nan")},
        {"cap": 0.2},
    ],
)
def test_assumptions_that_are_no_numbers_stop(assumed):
    with pytest.raises(InputError):
        power(assumed_world(**assumed), [2.3, 2.2, 2.1, 2.05, 2.0], replicates=1, intervals=0)


def test_a_planned_loss_that_is_none_stops():
    with pytest.raises(InputError, match="no loss"):
        power(assumed_world(), [2.3, float("nan"), 2.2, 2.1, 2.05], replicates=1, intervals=0)
