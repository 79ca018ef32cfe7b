"""Ablations: what is held out, what is fitted, and how it is scored."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from upswing import read_lab_results
from upswing.errors import InputError, UnknownNameError
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.studies.ablations import COLUMNS, STUDIES, ablate, summarise_ablations
from upswing.forecast.studies.published_ablations import published_ablations
from upswing.forecast.studies.settings import settings
from upswing.forecast.studies.study import forecast_study
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

LAW = EmergenceLaw(d0=5, intervals="iid", cap=False)
WORLD = FinetuningWorld(amounts=(256, 724, 2048, 8192), draws=2, noise=0.005)
TRUTH = 1.95
BEFORE = pl.col("loss") > TRUTH


def simulated(world=WORLD, prompted="all", seed=0):
    return simulate_finetuning(world, np.random.default_rng(seed), None, prompted)


@pytest.fixture(scope="module")
def table():
    return simulated()


@pytest.fixture(scope="module")
def found(table):
    return ablate(table, LAW, truth=TRUTH, other_truths=[1.9, 1.94])


def setting(found, text, study=None):
    rows = found.table.filter(pl.col("setting") == text)
    return (rows if study is None else rows.filter(pl.col("study") == study)).row(0, named=True)


def test_the_settings_are_those_of_the_paper(found):
    assert found.table.schema == pl.Schema(COLUMNS)
    assert found.table["study"].unique(maintain_order=True).to_list() == list(STUDIES)
    published = published_ablations()["setting"].unique(maintain_order=True).to_list()
    ours = found.table.filter(~pl.col("study").is_in(["form", "d0"]))["setting"].to_list()
    counted = [text.replace("draw 1", "draw 0").replace("draw 2", "draw 1") for text in published]
    assert ours == counted
    assert found.table["truth"].unique().to_list() == [TRUTH]
    assert found.table.height == 19 + 5 + 7


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("all data", pl.lit(True)),
        ("without the 2 smallest amounts", ~pl.col("d").is_in([256, 724])),
        ("without the largest amount", pl.col("d") != 8192),
        ("only subset draw 1", pl.col("draw") == 1),
        ("without the last 2 checkpoints", pl.col("loss") > 1.97),
    ],
)
def test_a_row_is_the_forecast_from_what_is_left(table, found, text, kept):
    row = setting(found, text)
    used = table.filter(BEFORE, pl.col("few_shot") | kept)
    if "checkpoint" in text:
        used = table.filter(BEFORE, kept)
    alone = replace(LAW, resamples=0).fit(used, truth=TRUTH)
    assert row["elbow"] == pytest.approx(alone.elbow["mle"], abs=1e-9)
    assert row["error"] == pytest.approx(row["elbow"] - TRUTH)
    assert row["absolute_error"] == abs(row["error"])
    assert row["within_criterion"] == (row["absolute_error"] <= 0.1)
    assert (row["q05"], row["q95"]) == (alone.elbow["q05"], alone.elbow["q95"])
    assert row["inside_90"] == (row["q05"] <= TRUTH <= row["q95"])
    assert row["gap"] == pytest.approx(used["loss"].min() - TRUTH)
    assert row["n_checkpoints"] == used.filter(~pl.col("few_shot"))["loss"].n_unique()
    assert row["n_amounts"] == used["d"].drop_nulls().n_unique()
    assert row["strongest_flops"] == used["flops"].max()


def test_brackets_are_quantiles_of_the_absolute_error(table, found):
    """Five percent of the posterior have a smaller error than the first, 95 than the second."""
    row = setting(found, "all data")
    alone = replace(LAW, resamples=0).fit(table.filter(BEFORE), truth=TRUTH)
    size = np.abs(alone.posterior.forecast - TRUTH)
    assert alone.posterior.weight[size <= row["error_q05"]].sum() == pytest.approx(0.05, abs=0.01)
    assert alone.posterior.weight[size <= row["error_q95"]].sum() == pytest.approx(0.95, abs=0.01)


def test_naive_forecasts_are_scored_beside(found):
    row = setting(found, "all data")
    assert row["best_still_random_error"] == pytest.approx(abs(1.953 - 0.05 - TRUTH))
    assert row["others_mean_error"] == pytest.approx(0.03)
    assert row["smallest_amount_error"] > row["absolute_error"]
    # what has emerged is only looked at for the lead: 6ND of 13e9 parameters and 4e11 tokens
    assert row["lead_flops"] == pytest.approx((13e9 * 4e11) / (3.4e9 * 16e11))


def test_settings_without_a_forecast_stay_as_refused_rows(found):
    for text in ("last 3 checkpoints", "last 6, every other, even", "last 6, every other, odd"):
        row = setting(found, text)
        assert (row["status"], row["n_checkpoints"]) == ("refused", 3)
        assert row["reason"].startswith("models of 3 different losses")
        assert row["elbow"] is row["absolute_error"] is row["within_criterion"] is None
        assert row["best_still_random_error"] is not None


def test_even_holds_the_most_capable(table, found):
    losses = sorted(table.filter(BEFORE)["loss"].unique())
    even, odd = (setting(found, f"last 6, every other, {name}") for name in ("even", "odd"))
    assert even["gap"] == pytest.approx(losses[0] - TRUTH)
    assert odd["gap"] == pytest.approx(losses[1] - TRUTH)


def test_forms_and_low_data_limits_change_the_law_only(found):
    full = setting(found, "all data")
    for text in ("log power law", "D0 = 5, 1 × the shots"):
        assert {**setting(found, text), "study": "full", "setting": "all data"} == full
    forms = found.table.filter(study="form")
    assert forms["setting"].to_list() == [
        "log power law",
        "power law",
        "without prompted models",
        "with a cap",
        "with a base per amount",
    ]
    assert forms["n_checkpoints"].unique().to_list() == [full["n_checkpoints"]]
    d0 = found.table.filter(study="d0")
    assert d0["setting"][0] == "D0 = 1.25, 1/4 × the shots"
    assert d0["elbow"].is_sorted()
    assert d0["elbow"][-1] > d0["elbow"][0]


def test_the_json_is_strict_and_counts_per_study(found):
    plain = json.loads(found.to_json(), parse_constant=pytest.fail)
    assert [row["study"] for row in plain["summary"]] == list(STUDIES)
    assert len(plain["settings"]) == found.table.height
    assert plain["summary"][3]["refused"] >= 3
    assert plain["truth"] == {
        "elbow": TRUTH, "q05": None, "q95": None, "sd": None, "source": "given"
    }  # fmt: skip


def test_counts_of_a_summary():
    rows = [
        {"task": "t", "study": "draws", "status": "forecast", "absolute_error": 0.1,
         "within_criterion": True, "inside_90": True, "best_still_random_error": 0.2},
        {"task": "t", "study": "draws", "status": "forecast", "absolute_error": 0.3,
         "within_criterion": False, "inside_90": False, "best_still_random_error": 0.1},
        {"task": "t", "study": "draws", "status": "refused"},
    ]  # fmt: skip
    row = summarise_ablations(pl.DataFrame(rows, COLUMNS)).row(0, named=True)
    assert (row["settings"], row["refused"], row["failed"], row["inside_90"]) == (3, 1, 1, 1)
    assert row["median_absolute_error"] == pytest.approx(0.2)
    assert row["best_still_random_failed"] == 1
    assert row["others_mean_failed"] is None


def test_models_before_the_true_elbow_are_used_unless_the_law_says_otherwise(table):
    study, notes = forecast_study(table, LAW)
    assert study.truth.source == "prompted scores"
    assert study.used["loss"].min() > study.truth.elbow
    assert study.law.resamples == 0
    assert notes == []
    study, notes = forecast_study(table, replace(LAW, before=1.9), truth=TRUTH)
    assert study.losses[-1] == 1.923
    assert [note.code for note in notes] == ["emerged-already"]


def test_a_truth_that_is_hardly_known_is_noted():
    """The few prompted models of the lab that emerge leave their elbow open to 0.15 nats."""
    study, notes = forecast_study(
        read_lab_results(), LAW, task="addition-2", metric="exact_match", family="char-v1"
    )
    assert study.truth.q95 - study.truth.q05 > 0.1
    assert "truth-uncertain" in [note.code for note in notes]


def test_small_tables_have_fewer_settings():
    few = table_of(losses=[2.25, 2.2, 2.15, 2.1, 2.05], amounts=[256, 8192], draws=[None])
    study, _ = forecast_study(few, LAW, truth=TRUTH)
    assert list(settings(study, "draws")) == []
    held = list(settings(study, "amounts"))
    assert [one.impossible for one in held] == ["", *["there are 2 amounts"] * 2] * 2
    checkpoints = {one.text: one.impossible for one in settings(study, "checkpoints")}
    assert checkpoints["last 6 checkpoints"] == "there are 5 checkpoints"
    assert checkpoints["last 5 checkpoints"] == ""
    assert checkpoints["without the last 4 checkpoints"] == ""
    forms = {one.text: one.impossible for one in settings(study, "form")}
    assert forms["without prompted models"] == "no prompted model is among those used"


def test_limits_below_one_example_are_left_out():
    few = table_of(losses=[2.2, 2.1], amounts=[256, 8192], draws=[0])
    study, _ = forecast_study(few, replace(LAW, d0=0), truth=TRUTH)
    assert [one.law.d0 for one in settings(study, "d0")] == [1, 2, 5, 10, 20]


def test_what_cannot_be_studied_is_told(table):
    with pytest.raises(InputError, match=r"no true elbow of simulated.*give it as truth"):
        ablate(table.filter(~pl.col("few_shot")), LAW)
    with pytest.raises(UnknownNameError, match="there are full, amounts"):
        ablate(table, LAW, studies=["words"])  # type: ignore[list-item]


def table_of(losses, amounts, draws):
    rows = [
        {"model": f"m{loss}", "loss": loss, "task": "t", "d": d, "draw": draw, "value": 0.3,
         "n": 100, "few_shot": False}
        for loss in losses for d in amounts for draw in draws
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"draw": pl.Int64})
