"""The forecaster: forecasts, refusals, truths, scores and JSON."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import polars as pl
import pytest

from upswing.errors import InputError
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.scores import interval_score, score_elbow
from upswing.forecast.finetuning.summaries import disagreement
from upswing.forecast.finetuning.table import finetune_table
from upswing.forecast.finetuning.truth import elbow_truth, still_random
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

WORLD = FinetuningWorld(draws=2)
QUICK = EmergenceLaw(intervals="iid", resamples=0, cap=False)


def simulated(seed=0, gap=0.0, prompted="none", world=WORLD):
    return simulate_finetuning(world, np.random.default_rng(seed), gap, prompted)


@pytest.fixture(scope="module")
def forecast():
    """Forecast from 14 checkpoints; the table has the prompted scores of all 24."""
    world = FinetuningWorld(draws=2, noise=0.005)
    return EmergenceLaw(before=1.98, resamples=200).fit(simulated(3, None, "all", world))


def test_parameters_are_stored_unchanged_and_frozen():
    law = EmergenceLaw(d0=3, intervals="iid", seed=4)
    assert (law.d0, law.intervals, law.seed) == (3, "iid", 4)
    with pytest.raises(FrozenInstanceError):
        law.d0 = 7  # type: ignore[misc]


def test_the_forecast_holds_the_truth(forecast):
    assert forecast.status == "forecast"
    assert not forecast.refused
    quantiles = [forecast.elbow[f"q{q:02d}"] for q in (5, 10, 25, 50, 75, 90, 95)]
    assert quantiles == sorted(quantiles)
    assert quantiles[0] < 1.95 < quantiles[-1]
    assert forecast.elbow["mle"] == pytest.approx(1.95, abs=0.1)
    assert (forecast.bootstrap["unit"], forecast.bootstrap["resamples"]) == ("subset", 200)
    assert forecast.bootstrap["q05"] < forecast.bootstrap["q95"]
    assert forecast.p_beyond_reach == 0.0


def test_the_truth_comes_from_all_prompted_models(forecast):
    truth = forecast.truth
    assert truth["source"] == "prompted scores"
    assert truth["elbow"] == pytest.approx(1.95, abs=0.03)
    assert truth["q05"] < truth["elbow"] < truth["q95"]
    assert truth["gap"] == pytest.approx(1.983 - truth["elbow"])
    assert truth["absolute_error"] == abs(forecast.elbow["mle"] - truth["elbow"])
    assert truth["within_criterion"] is True
    assert truth["inside_90"] is True
    used = forecast.rows.loss > 1.98
    assert used.all()
    # 6ND of the smallest emerged model (13e9 parameters, 4e11 tokens) over the largest one used
    assert truth["lead_flops"] == pytest.approx((13e9 * 4e11) / (3.4e9 * 8e11), rel=1e-6)


def test_naive_forecasts_stand_beside_it(forecast):
    table = forecast.to_frame()
    assert table["forecast"].to_list() == [
        "emergence law, most likely",
        "emergence law, median",
        "just past the best random checkpoint",
        "elbow at the smallest D",
    ]
    assert table["elbow"][2] == pytest.approx(1.983 - 0.05)
    assert table["elbow"][3] == pytest.approx(2.057, abs=0.03)
    assert table["within_criterion"].dtype == pl.Boolean


def test_truths_of_other_tasks_are_a_baseline():
    found = QUICK.fit(simulated(), truth=1.95, other_truths=[1.8, 2.0])
    assert found.baselines[-1]["forecast"] == "mean truth of other tasks"
    assert found.baselines[-1]["absolute_error"] == pytest.approx(0.05)
    assert found.truth["source"] == "given"


def test_json_is_strict_and_complete(forecast):
    plain = json.loads(forecast.to_json(), parse_constant=pytest.fail)
    for name in ("refused", "reason", "elbow", "bootstrap", "parameters", "identifiability",
                 "baselines", "truth", "notes"):  # fmt: skip
        assert name in plain
    assert plain["refused"] is False
    assert set(plain["elbow"]) == {"mle", "mean", "q05", "q10", "q25", "q50", "q75", "q90", "q95"}
    assert plain["parameters"]["alpha"] > 0
    assert plain["identifiability"]["correlations"]["ln k, alpha"] < -0.9


def test_the_same_seed_gives_the_same_bytes():
    table = simulated(1).filter(pl.col("draw") == 0, pl.col("d") > 500)
    first, second = (EmergenceLaw(resamples=50, cap=False).fit(table).to_json() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("intervals", ["iid", "bootstrap"])
def test_other_intervals(intervals):
    found = EmergenceLaw(intervals=intervals, resamples=100, cap=False).fit(simulated(2))
    assert found.intervals == intervals
    assert found.elbow["q05"] < found.elbow["mle"] < found.elbow["q95"]
    assert (intervals == "bootstrap") == (found.elbow["q05"] == found.bootstrap["q05"])


def test_a_flat_task_is_refused():
    found = QUICK.fit(simulated(world=FinetuningWorld(draws=2, slope=0.0)))
    assert found.refused
    assert "two are needed" in found.reason
    assert set(found.elbow.values()) == {None}
    assert found.to_frame()["forecast"].to_list() == ["just past the best random checkpoint"]
    assert json.loads(found.to_json())["status"] == "refused"


def test_one_amount_is_refused():
    found = QUICK.fit(simulated(world=FinetuningWorld()).filter(pl.col("d") == 512))
    assert found.reason == "one amount of finetuning data only; the law needs at least two"


def test_three_losses_are_refused():
    found = QUICK.fit(simulated(gap=0.24))
    assert found.reason.startswith("models of 3 different losses were finetuned")


def test_an_elbow_below_the_irreducible_loss_is_beyond_reach():
    found = replace(QUICK, resamples=50, irreducible=2.0).fit(simulated(3))
    assert found.status == "beyond reach"
    assert found.elbow["mle"] == found.elbow["q05"] == 2.0
    assert found.p_beyond_reach > 0.5
    assert found.bootstrap["q05"] == 2.0


def test_saturation_calls_for_a_cap_by_itself():
    table = simulated(1, world=FinetuningWorld(draws=2, cap=0.35))
    found = replace(QUICK, cap=None).fit(table)
    assert found.parameters["cap"] == pytest.approx(0.35, abs=0.01)
    assert "cap-fitted" in [note.code for note in found.notes]
    assert replace(QUICK, cap=None).fit(simulated(1)).parameters["cap"] is None


def test_floors_are_fitted_where_the_scores_call_for_them():
    found = QUICK.fit(simulated(1, world=FinetuningWorld(draws=2, floor_rise=0.1)))
    bases = [row["base"] for row in found.parameters["bases"]]
    assert bases[-1] - bases[0] == pytest.approx(0.1, abs=0.03)
    assert "floors-fitted" in [note.code for note in found.notes]
    assert QUICK.fit(simulated(1)).parameters["bases"] is None


def test_models_beyond_the_elbow_are_noted_with_the_way_out():
    table = simulated(3, None, "all")
    note = {note.code: note for note in QUICK.fit(table).notes}["emerged-already"]
    assert note.severity == "warning"
    before = note.details["elbow"]
    assert note.details["prompted"] == len(table.filter("few_shot", pl.col("loss") <= before)) > 3
    assert f"before={before:.4g}" in note.message
    heeded = replace(QUICK, before=before).fit(table)
    assert heeded.rows.loss.min() > before
    assert "emerged-already" not in [note.code for note in heeded.notes]


def test_a_given_truth_tells_of_models_beyond_it():
    found = QUICK.fit(simulated(3, None), truth=1.95)
    note = {note.code: note for note in found.notes}["emerged-already"]
    assert note.details == {"elbow": 1.95, "prompted": 0}


def test_the_status_rests_on_the_distribution_and_not_on_the_most_likely_elbow():
    """Prompted models that have emerged pin the elbow; the fit of all rows is misled by shifts."""
    found = QUICK.fit(simulated(3))
    between = replace(QUICK, irreducible=0.5 * (found.elbow["q05"] + found.elbow["q10"]))
    assert between.fit(simulated(3)).status == "forecast"
    above = replace(QUICK, irreducible=found.elbow["q75"]).fit(simulated(3))
    assert above.status == "beyond reach"
    assert above.p_beyond_reach == pytest.approx(0.75, abs=0.02)


def test_a_fit_outside_its_interval_is_noted():
    inside = {"mle": 1.9, "q05": 1.8, "q95": 2.0}
    assert disagreement(inside) == []
    assert disagreement({**inside, "q05": None}) == []
    (note,) = disagreement({**inside, "mle": 0.0})
    assert (note.code, note.severity) == ("fits-disagree", "warning")
    assert "1.8 to 2" in note.message


def test_without_delta_prompted_models_are_left_out():
    table = simulated(3, 0.0, "used")
    found = replace(QUICK, delta=False).fit(table)
    assert not found.rows.few_shot.any()
    assert found.parameters["delta"] is None
    assert QUICK.fit(table).parameters["delta"] == pytest.approx(0.0, abs=0.02)


def test_few_shot_rows_stand_at_d0_whatever_d_says():
    table = simulated(3, 0.0, "used")
    said = table.with_columns(pl.when(pl.col("few_shot")).then(777).otherwise("d").alias("d"))
    assert QUICK.fit(said).elbow == QUICK.fit(table).elbow


def test_a_prompt_without_examples_is_noted():
    found = replace(QUICK, d0=0).fit(simulated(3))
    assert "zero-shot" in [note.code for note in found.notes]
    assert found.elbow["mle"] == pytest.approx(found.parameters["c"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"intervals": "exact"}, "there are hierarchical, bootstrap, iid"),
        ({"shape": "cubic"}, "there are log power law, power law"),
        ({"unit": "word"}, "there are subset, checkpoint, row"),
        ({"d0": -1}, "D0 is -1"),
        ({"resamples": 0, "intervals": "bootstrap"}, "needs resamples"),
        ({"before": 9.0}, "no finetuned model.*above 9"),
    ],
)
def test_impossible_settings_are_told(settings, message):
    with pytest.raises(InputError, match=message):
        EmergenceLaw(**settings).fit(simulated())


def test_the_fixed_criterion_is_met_at_its_edge_and_gaps_are_relative():
    assert score_elbow(2.0, 1.9, 2.1).within_criterion
    assert not score_elbow(2.01, 1.9, 2.1).within_criterion
    assert score_elbow(2.0, 1.9, 2.1).relative_error == pytest.approx(0.5)
    assert score_elbow(2.0, 1.9, 1.9).relative_error is None
    assert {f.name for f in fields(score_elbow(2.0, 1.9, 2.1))} >= {"error", "gap"}


def test_interval_score_is_that_of_gneiting_and_raftery():
    assert interval_score(1.0, 2.0, 1.5) == pytest.approx(1.0)
    assert interval_score(1.0, 2.0, 2.5, level=0.5) == pytest.approx(1.0 + 4 * 0.5)


def test_the_best_random_checkpoint_is_found_from_prompted_scores():
    world = FinetuningWorld(noise=0.005)
    rows = finetune_table(simulated(3, None, "all", world)).rows(5)
    assert still_random(rows) == pytest.approx(1.95, abs=0.03)
    assert still_random(rows.where(rows.loss > 1.98)) == 1.983
    assert still_random(rows.finetuned) == rows.loss.min()
    assert elbow_truth(rows.where(rows.loss > 1.98)) is None
