"""How far in advance: ever weaker checkpoints, and how leads are counted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswing.errors import InputError
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.studies.advance import COLUMNS, advance, furthest_leads
from upswing.forecast.studies.published_ablations import published_ablations
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

LAW = EmergenceLaw(d0=5, intervals="iid", cap=False)
WORLD = FinetuningWorld(amounts=(256, 1448, 8192), noise=0.005)
TRUTH = 1.95


@pytest.fixture(scope="module")
def table():
    return simulate_finetuning(WORLD, np.random.default_rng(0), None, "all")


@pytest.fixture(scope="module")
def found(table):
    return advance(table, LAW, truth=TRUTH)


def test_one_checkpoint_after_the_other_is_left_out(table, found):
    assert found.table.schema == pl.Schema(COLUMNS)
    losses = sorted(table.filter(pl.col("loss") > TRUTH)["loss"].unique())
    assert len(losses) == 16
    assert found.table["dropped"].to_list() == list(range(16 - 4 + 1))
    assert found.table["n_checkpoints"].to_list() == list(range(16, 3, -1))
    gaps = np.array(losses[:13]) - TRUTH
    assert found.table["gap"].to_numpy() == pytest.approx(gaps)
    assert found.table["strongest_flops"].is_sorted(descending=True)


def test_a_row_is_the_forecast_at_that_limit(table, found):
    row = found.table.row(5, named=True)
    limit = sorted(table.filter(pl.col("loss") > TRUTH)["loss"].unique())[4]
    alone = replace(LAW, before=limit, resamples=0).fit(table, truth=TRUTH)
    assert row["elbow"] == alone.elbow["mle"]
    assert row["absolute_error"] == alone.truth["absolute_error"]
    assert row["lead_flops"] == alone.truth["lead_flops"]
    assert row["lead_flops"] == row["emerged_flops"] / row["strongest_flops"]
    assert row["emerged_flops"] == table.filter(pl.col("loss") < TRUTH)["flops"].min()
    assert row["best_still_random_within"] == (row["best_still_random_error"] <= 0.1)


def test_near_forecasts_succeed_and_naive_ones_do_as_well(found):
    """Within a fixed 0.1 nats a naive forecast is right up to a gap of 0.15."""
    own, naive, smallest = found.reach.iter_rows(named=True)
    assert own["forecast"] == "emergence law"
    assert own["reliable_gap"] > 0.05
    assert naive["reliable_gap"] == naive["furthest_gap"] == pytest.approx(0.129)
    assert naive["failures_between"] == 0
    assert smallest["forecast"] == "elbow at the smallest D"
    plain = json.loads(found.to_json(), parse_constant=pytest.fail)
    assert len(plain["leads"]) == 13


def test_gaps_leave_out_what_is_nearer(table):
    found = advance(table, LAW, truth=TRUTH, gaps=[0.2, 0.06])
    assert found.table["dropped"].to_list() == [4, 12]
    assert found.table["gap"].to_list() == pytest.approx([0.068, 0.234])
    assert found.table["gap"][1] >= 0.2
    with pytest.raises(InputError, match="gap is missing or negative"):
        advance(table, LAW, truth=TRUTH, gaps=[-0.1])
    with pytest.raises(InputError, match="gap is missing or negative"):
        advance(table, LAW, truth=TRUTH, gaps=[float("nan")])
    with pytest.raises(InputError, match="true elbow of nan"):
        advance(table, LAW, truth=float("nan"))


def test_a_table_of_emerged_models_only_is_told(table):
    with pytest.raises(InputError, match="no finetuned model has a loss above 1"):
        advance(table.filter(pl.col("loss") < TRUTH), LAW, truth=TRUTH)


@pytest.mark.parametrize(
    ("task", "reliable", "furthest", "between"),
    [("GSM8K", 2, 4, 1), ("MMLU", 2, 2, 0), ("CSQA", 0, 0, 0), ("CoLA", 1, 1, 0)],
)
def test_published_leads(task, reliable, furthest, between):
    """GSM8K fails without the last three checkpoints, between two successes."""
    table = published_ablations().filter(
        (pl.col("setting") == "all data") | pl.col("setting").str.starts_with("without the last"),
        pl.col("task") == task,
    )
    row = furthest_leads(leads(table["within_criterion"].to_list())).row(0, named=True)
    assert (row["reliable_gap"], row["furthest_gap"]) == (reliable, furthest)
    assert row["failures_between"] == between


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=12))
def test_a_reliable_lead_is_never_beyond_the_furthest(successes):
    row = furthest_leads(leads(successes)).row(0, named=True)
    if True not in successes:
        assert row["furthest_gap"] is row["reliable_gap"] is row["failures_between"] is None
        return
    assert successes[int(row["furthest_gap"])] is True
    assert True not in successes[int(row["furthest_gap"]) + 1 :]
    reliable = -1 if row["reliable_gap"] is None else int(row["reliable_gap"])
    assert all(successes[: reliable + 1])
    assert reliable <= row["furthest_gap"]
    assert (row["failures_between"] == 0) == (reliable == row["furthest_gap"])


def test_a_success_beyond_a_failure_is_noted():
    """With much noise the nearer forecast misses by 0.15 nats, and the earlier one by 0.02."""
    world = FinetuningWorld(amounts=(256, 1448, 8192), noise=0.02)
    table = simulate_finetuning(world, np.random.default_rng(1))
    found = advance(table, LAW, truth=1.945, gaps=[0.06, 0.085])
    assert found.table["within_criterion"].to_list() == [False, True]
    assert found.reach["reliable_gap"][0] is None
    assert found.reach["furthest_gap"][0] == pytest.approx(0.095)
    note = next(note for note in found.notes if note.code == "lead-not-monotone")
    assert note.severity == "warning"
    assert note.details["failures"] == 1


def leads(successes):
    rows = [
        {"gap": float(i), "within_criterion": success, "status": "forecast"}
        for i, success in enumerate(successes)
    ]
    return pl.DataFrame(rows, COLUMNS)
