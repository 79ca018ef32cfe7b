"""The tables behind figures hold the data, the fitted law, and its distribution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.figure_tables import emergence_figures
from upswing.forecast.finetuning.table import finetune_table
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

LAW = EmergenceLaw(intervals="iid", resamples=100, cap=False, before=1.98)
WORLD = FinetuningWorld(draws=2)


@pytest.fixture(scope="module")
def table():
    return finetune_table(simulate_finetuning(WORLD, np.random.default_rng(3), None, "all"))


@pytest.fixture(scope="module")
def forecast(table):
    return LAW.fit(table.frame)


@pytest.fixture(scope="module")
def made(forecast, table):
    return emergence_figures(forecast, table, LAW, 0.25)


def kind(made, name):
    return made.marks.filter(pl.col("kind") == name)


def test_every_score_is_there_and_knows_whether_it_was_used(made, table, forecast):
    assert sorted(made.runs["value"]) == sorted(table.frame["value"])
    assert made.runs["used"].sum() == len(forecast.rows)
    assert made.runs.filter("used")["loss"].min() > 1.98
    point = made.means.filter((pl.col("d") == 256) & (pl.col("loss") == 2.28))
    own = table.frame.filter((pl.col("d") == 256) & (pl.col("loss") == 2.28))["value"]
    assert point.select("value", "lowest", "highest", "runs", "draws").row(0) == pytest.approx(
        (own.mean(), own.min(), own.max(), 2, 2)
    )


def test_without_delta_prompted_scores_are_not_used(forecast, table):
    made = emergence_figures(forecast, table, replace(LAW, delta=False))
    assert not made.runs.filter("few_shot")["used"].any()


def test_curves_have_their_corner_at_the_elbow(made, forecast):
    curves = forecast.mle.curves
    for d in (256.0, 8192.0):
        own = made.curves.filter((pl.col("d") == d) & ~pl.col("few_shot"))
        elbow = float(curves.elbows.elbow([d])[0])
        assert elbow in own["loss"]
        # straight between corners, so that drawing them is drawing the law
        middle = np.linspace(own["loss"].min(), own["loss"].max(), 50)
        order = own.sort("loss")
        drawn = np.interp(middle, order["loss"], order["value"])
        np.testing.assert_allclose(drawn, curves.score(middle, d), atol=1e-12)


def test_capped_curves_have_two_corners(table):
    world = FinetuningWorld(draws=2, cap=0.33, noise=0.003)
    capped = replace(LAW, cap=True, resamples=0)
    frame = simulate_finetuning(world, np.random.default_rng(0), None, "all")
    forecast = capped.fit(frame)
    made = emergence_figures(forecast, finetune_table(frame), capped)
    own = made.curves.filter(pl.col("d") == 8192)
    assert len(own) == 4
    ramp = forecast.mle.curves.ramp
    assert np.diff(own.sort("loss")["loss"])[1] == pytest.approx(ramp)


def test_marks_are_those_of_the_forecast(made, forecast):
    assert kind(made, "amount")["elbow"][-1] == pytest.approx(forecast.parameters["e_max"])
    row = kind(made, "forecast").row(0, named=True)
    assert (row["elbow"], row["low"], row["high"]) == tuple(
        forecast.elbow[name] for name in ("mle", "q05", "q95")
    )
    assert row["name"] == "forecast"
    assert kind(made, "truth")["elbow"][0] == forecast.truth["elbow"]
    assert kind(made, "limit")["elbow"][0] == 1.98
    assert kind(made, "chance")["value"][0] == 0.25
    assert kind(made, "baseline")["name"].to_list() == [
        "just past the best random checkpoint",
        "elbow at the smallest D",
    ]
    assert kind(made, "quantile")["elbow"].is_sorted()


def test_the_distribution_is_that_of_the_interval(made, forecast):
    both = made.distribution.partition_by("source", as_dict=True)
    posterior = both["posterior",]
    assert posterior["main"].all()
    assert not both["bootstrap",]["main"].any()
    median = np.interp(0.5, posterior["cdf"], posterior["elbow"])
    assert median == pytest.approx(forecast.elbow["q50"], abs=1e-9)
    assert posterior["elbow"].is_sorted()


def test_what_is_below_the_irreducible_loss_is_put_at_it(table):
    law = replace(LAW, irreducible=1.97)
    made = emergence_figures(law.fit(table.frame), table, law)
    assert made.distribution["elbow"].min() == 1.97
    assert kind(made, "irreducible")["elbow"][0] == 1.97


def test_lower_is_better_keeps_the_unit_of_the_metric():
    frame = simulate_finetuning(WORLD, np.random.default_rng(3), None, "all").with_columns(
        (2.0 - pl.col("value")).alias("value"),
        pl.lit("perplexity").alias("metric"),
        pl.lit(None).alias("n"),
    )
    table = finetune_table(frame)
    assert not table.higher_is_better
    made = emergence_figures(LAW.fit(frame), table, LAW)
    strongest = made.curves.filter(pl.col("d") == 8192).sort("loss")["value"]
    assert strongest[0] < strongest[-1] == pytest.approx(1.75, abs=0.02)


def test_a_refusal_and_no_forecast_at_all_still_show_the_data(table):
    law = replace(LAW, before=2.21)
    forecast = law.fit(table.frame)
    assert forecast.refused
    for one in (forecast, None):
        made = emergence_figures(one, table, law)
        assert len(made.runs) == len(table.frame)
        assert made.curves.is_empty()
        assert made.distribution.is_empty()
        assert "forecast" not in made.marks["kind"]
    assert kind(emergence_figures(forecast, table, law), "truth")["value"][0] == pytest.approx(
        0.25, abs=0.01
    )
