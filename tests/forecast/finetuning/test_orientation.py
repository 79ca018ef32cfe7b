"""Metrics of which less is better: the same forecast, and a law in the metric's own unit."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing.errors import InputError
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.figure_tables import emergence_figures
from upswing.forecast.finetuning.table import finetune_table, read_finetuned
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

WORLD = FinetuningWorld(draws=2, questions=4000, amounts=(256, 1448, 8192))
LAW = EmergenceLaw(intervals="iid", resamples=0, cap=True, floors=True)


@pytest.fixture(scope="module")
def frame():
    return simulate_finetuning(WORLD, np.random.default_rng(0), prompted="used")


@pytest.fixture(scope="module")
def mirrored(frame):
    return frame.with_columns(value=1.0 - pl.col("value"), metric=pl.lit("brier_score"), n=None)


def test_less_is_better(frame, mirrored):
    unknown = frame.with_columns(n=pl.lit(None, pl.Float64))
    up = LAW.fit(unknown)
    down = LAW.fit(mirrored)
    assert down.elbow == pytest.approx(up.elbow, abs=1e-6)
    ours, theirs = down.parameters, up.parameters
    assert ours["slope"] == pytest.approx(-theirs["slope"], rel=1e-5)
    assert ours["cap"] == pytest.approx(1.0 - theirs["cap"], abs=1e-5)
    assert ours["delta"] == pytest.approx(-theirs["delta"], abs=1e-6)
    for own, other in zip(ours["bases"], theirs["bases"], strict=True):
        assert own["base"] == pytest.approx(1.0 - other["base"], abs=1e-6)
    low, high = (
        emergence_figures(found, finetune_table(table), LAW).curves["value"].to_numpy()
        for found, table in ((down, mirrored), (up, unknown))
    )
    assert low == pytest.approx(1.0 - high, abs=1e-5)
    said = {note.code: note.message for note in down.notes}
    assert said["cap-fitted"].endswith(f"cap of {ours['cap']:.3g}.")
    assert "from 0.7" in said["floors-fitted"]


def test_a_share_of_which_less_is_better_has_no_binomial_noise_here(frame):
    """It is turned upside down, and the formula for shares does not hold for negative ones."""
    table = finetune_table(frame.with_columns(metric=pl.lit("pct_stereotype")))
    assert table.proportion
    assert not table.higher_is_better
    assert np.isnan(table.rows(5.0).questions).all()


@pytest.mark.parametrize(
    ("settings", "chosen", "message"),
    [
        ({"irreducible": float("nan")}, {}, "irreducible loss is nan"),
        ({"irreducible": -1.0}, {}, "irreducible loss is -1"),
        ({"d0": float("inf")}, {}, "D0 is inf"),
        ({"before": float("nan")}, {}, "that is no loss"),
        ({}, {"truth": float("nan")}, "true elbow of nan.*nats per token"),
        ({}, {"truth": -1.0}, "true elbow of -1"),
        ({}, {"other_truths": [1.9, 0.0]}, "true elbow of 0"),
    ],
)
def test_numbers_that_are_none_stop(frame, settings, chosen, message):
    with pytest.raises(InputError, match=message):
        EmergenceLaw(resamples=0, **settings).fit(frame, **chosen)


def test_refusals_name_the_way_out(frame):
    law = EmergenceLaw(resamples=0)
    with pytest.raises(InputError, match=r"not few_shot are finetuned.*upswing lab finetune"):
        law.fit(frame.filter("few_shot"))
    with pytest.raises(InputError, match=r"score of -1.*target_logprob_per_token"):
        law.fit(frame.with_columns(pl.lit(-1.5).alias("value"), metric=pl.lit("my_logprob")))
    with pytest.raises(InputError, match="two scores for size-1 with D = 256 "):
        law.fit(frame.with_columns(draw=0))


def test_columns_that_are_not_known_are_told(frame, tmp_path):
    path = tmp_path / "tuned.csv"
    frame.rename({"n": "questions"}).write_csv(path)
    (note,) = read_finetuned(str(path))[1]
    assert (note.code, note.details["columns"]) == ("columns-ignored", ["questions"])
