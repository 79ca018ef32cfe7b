"""Means of finetuning runs and what amounts of data add, against values worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sample_finetunes import finetune_rows, finetune_tables, score_row
from upswing import Tables
from upswing.curves.finetune_gains import GAINS
from upswing.curves.finetuned import POINTS, Finetuned, finetuned

T1 = 12.706204736432095
"""97.5 % point of Student's t with one degree of freedom: tan(0.475 pi)."""


def found(rows: list[dict[str, Any]], scores: list[dict[str, Any]] | None = None) -> Finetuned:
    result = finetuned(finetune_tables(rows, scores or []))
    assert result is not None
    return result


def test_no_finetunes_no_summary() -> None:
    assert finetuned(Tables()) is None


def test_means_ranges_and_gains_of_each_checkpoint() -> None:
    points = found(finetune_rows()).points
    assert dict(points.schema) == POINTS
    row = points.row(by_predicate=(pl.col("revision") == "step3") & (pl.col("d") == 16), named=True)
    assert row["value"] == pytest.approx(0.55)
    assert (row["lowest"], row["highest"], row["runs"], row["draws"]) == (0.2, 0.9, 4, 2)
    assert (row["prompted"], row["gain"]) == (0.2, pytest.approx(0.35))
    assert (row["x"], row["axis"], row["loss_corpus"]) == (1.0, "loss", "web")
    assert row["stderr"] == pytest.approx(0.04)
    assert points.filter(d=64)["disagree"].to_list() == [False, True, False]
    prompted = points.filter(pl.col("few_shot"))
    assert prompted["value"].to_list() == [0.0, 0.1, 0.2]
    assert prompted["gain"].null_count() == 3
    assert points.filter(d=64)["x"].to_list() == [2.0, 1.5, 1.0]  # the weakest first


def test_gain_over_the_prompted_model_with_the_wider_interval() -> None:
    gains = found(finetune_rows()).gains
    assert dict(gains.schema) == GAINS
    few, many = gains.to_dicts()
    assert (few["d"], few["checkpoints"], few["compared"], few["runs"]) == (16, 3, 3, 12)
    # means 0.025, 0.2, 0.55 less 0, 0.1, 0.2
    assert few["gain"] == pytest.approx((0.025 + 0.1 + 0.35) / 3)
    assert (few["gain_least"], few["gain_most"]) == (pytest.approx(0.025), pytest.approx(0.35))
    assert (few["repeated"], few["disagreeing"]) == (3, 1)
    assert few["interval_over"] == "draws and seeds"
    assert (few["draws"], few["seeds"]) == (2, 2)
    # Draw 0 scores 0, 0.1, 0.2 and draw 1 0.05, 0.3, 0.9: means 0.1 and 1.25 / 3. Their interval is
    # cut at what the metric allows: the prompted model has 0.1 on average.
    half = T1 * (1.25 / 3 - 0.1) / 2
    assert few["gain"] + half > 0.9
    assert (few["gain_low"], few["gain_high"]) == (pytest.approx(-0.1), pytest.approx(0.9))
    # At 64 examples the draws agree, and only the runs of step2 scatter: 0.2, 0.8, 0.2, 0.8.
    spread = stats.t.ppf(0.975, 3) * math.sqrt(np.var([0.2, 0.8, 0.2, 0.8], ddof=1) / 4) / 3
    assert many["gain_high"] - many["gain"] == pytest.approx(spread)
    assert many["gain"] - many["gain_low"] == pytest.approx(spread)
    assert many["question_stderr"] == pytest.approx(0.05)  # of 0.03 and 0.04


def test_independent_runs_follow_welch() -> None:
    """Two checkpoints are Welch's test: the mean of both is half of one less minus the other."""
    values = {"step1": [-5.1, -5.25, -5.15], "step2": [-5.4, -5.9, -5.5]}
    rows = [
        {**row, "draw": 0, "seed": seed, "value": value}
        for row in finetune_rows(metric="target_logprob")
        if row.get("d") == 16 and row["draw"] == 0 and row["seed"] == 0
        for seed, value in enumerate(values.get(row["revision"], []))
    ] + [row for row in finetune_rows(metric="target_logprob") if row["few_shot"]]
    (gain,) = found(rows).gains.to_dicts()
    one, other = (np.asarray(v) for v in values.values())
    interval = stats.ttest_ind(one, -other, equal_var=False).confidence_interval()
    by_seed = (one + other) / 2
    shared = stats.ttest_1samp(by_seed, 0).confidence_interval()
    wider = max((interval.high - interval.low) / 4, (shared.high - shared.low) / 2)
    assert gain["gain_high"] - gain["gain"] == pytest.approx(wider)
    assert gain["interval_over"] == "seeds"
    assert gain["disagreeing"] is None  # the metric does not run from 0 to 1


def test_single_runs_have_no_interval() -> None:
    rows = [r for r in finetune_rows() if r["few_shot"] or (r["draw"], r["seed"]) == (0, 0)]
    gains = found(rows).gains
    assert gains["gain"].null_count() == 0
    for name in ("gain_low", "gain_high", "interval_over"):
        assert gains[name].null_count() == len(gains)
    assert gains["repeated"].to_list() == [0, 0]
    assert found(rows).points["disagree"].null_count() == len(found(rows).points)


def test_a_draw_that_a_checkpoint_lacks_is_no_replicate() -> None:
    rows = [
        row
        for row in finetune_rows()
        if row["few_shot"] or row["draw"] == 0 or row["revision"] != "step2"
    ]
    gains = found(rows).gains
    assert gains["draws"].to_list() == [1, 1]
    assert gains["interval_over"].to_list() == ["seeds", "seeds"]


def test_without_a_prompted_model_there_is_no_gain() -> None:
    rows = [row for row in finetune_rows() if not row["few_shot"]]
    gains = found(rows).gains
    assert gains["gain"].null_count() == len(gains) == 2
    assert gains["compared"].to_list() == [0, 0]
    assert gains["value"].to_list() == [pytest.approx(0.775 / 3), pytest.approx(1.6 / 3)]


def test_lower_is_better_turns_the_sign() -> None:
    metric = "character_edit_distance_norm"
    gains = found(finetune_rows(metric=metric)).gains.to_dicts()
    assert gains[0]["gain"] == pytest.approx(-(0.025 + 0.1 + 0.35) / 3)
    assert gains[0]["gain_low"] >= -0.9 - 1e-12


def test_chance_comes_from_the_scores_and_then_from_the_metric() -> None:
    rows = [*finetune_rows(), *finetune_rows(metric="acc"), *finetune_rows(metric="mine")]
    points = found(rows, [score_row("sums", "acc", chance=0.25)]).points
    by_metric = {r["metric"]: r for r in points.unique("metric", keep="first").to_dicts()}
    assert by_metric["acc"]["chance"] == 0.25
    assert by_metric["acc"]["chance_low"] == stats.binom.ppf(0.025, 100, 0.25) / 100
    assert by_metric["acc"]["chance_high"] == stats.binom.ppf(0.975, 100, 0.25) / 100
    assert by_metric["exact_match"]["chance"] == 0.0
    assert by_metric["mine"]["chance"] is None
    assert by_metric["mine"]["upper_bound"] == 1.0  # all its values lie from 0 to 1
    two = [score_row("sums", "acc", chance=c, model=f"m{c}") for c in (0.25, 0.5)]
    undecided = found(finetune_rows(metric="acc"), two).points
    assert undecided["chance"].null_count() == len(undecided)


def test_the_axis_is_loss_unless_another_is_known_for_more() -> None:
    tables = finetune_tables(finetune_rows())
    assert finetuned(tables).axis == "loss"  # type: ignore[union-attr]
    half = tables.scales.with_columns(
        pl.lit(1e6).alias("params"), pl.when(pl.col("loss") > 1).then("loss").alias("loss")
    )
    other = finetuned(Tables(finetunes=tables.finetunes, scales=half))
    assert other is not None
    assert other.axis == "params"
    assert set(other.points["x"]) == {1e6}
    nowhere = finetuned(Tables(finetunes=tables.finetunes))
    assert nowhere is not None
    assert nowhere.points["x"].null_count() == len(nowhere.points)


def test_scores_that_are_no_number_are_counted_and_left_out() -> None:
    rows = [*finetune_rows(), {**finetune_rows()[-1], "seed": 9, "value": math.nan}]
    result = found(rows)
    assert result.not_finite == 1
    assert result.points.equals(found(finetune_rows()).points)


def test_intervals_cover_where_draws_and_seeds_both_scatter() -> None:
    rng = np.random.default_rng(4)
    rows = []
    for trial in range(400):
        of_draw = rng.normal(0, 0.5, 2)
        common = {"family": "f", "task": f"t{trial}", "metric": "target_logprob", "stderr": 0.0}
        for c in range(3):
            model = {**common, "model": f"m{c}", "revision": ""}
            rows.append({**model, "few_shot": True, "value": -9.0})
            rows += [
                {**model, "few_shot": False, "method": "full", "d": 8, "draw": draw, "seed": seed,
                 "value": -9.0 + of_draw[draw] + rng.normal(0, 0.5)}
                for draw in range(2)
                for seed in range(3)
            ]  # fmt: skip
    gains = found(rows).gains
    covered = gains.select(((pl.col("gain_low") <= 0) & (pl.col("gain_high") >= 0)).mean()).item()
    assert 0.92 < covered <= 1.0


TEXT = st.sampled_from(["a", "b", "", "=1", "<i>"])
RANDOM = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["m", "n"]),
        "revision": st.sampled_from(["", "step1", "step2"]),
        "family": st.sampled_from(["f", ""]),
        "task": TEXT,
        "metric": st.sampled_from(["acc", "exact_match", "target_logprob", "mine"]),
        "method": st.sampled_from(["full", "lora-4", "", None]),
        "d": st.sampled_from([0, 8, 1000, None]),
        "draw": st.sampled_from([0, 1, None]),
        "seed": st.sampled_from([0, 1, None]),
        "few_shot": st.sampled_from([False, False, True, None]),
        "value": st.one_of(st.floats(0, 1), st.floats(-1e6, 1e6), st.just(math.inf)),
        "stderr": st.one_of(st.none(), st.floats(0, 1)),
        "n": st.one_of(st.none(), st.integers(1, 500)),
    }
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(RANDOM, min_size=1, max_size=25))
def test_any_table_of_finetunes(rows: list[dict[str, Any]]) -> None:
    result = finetuned(
        Tables(finetunes=pl.DataFrame(rows, schema_overrides=_TYPES, infer_schema_length=None))
    )
    assert result is not None
    finite = [row for row in rows if math.isfinite(row["value"])]
    assert result.not_finite == len(rows) - len(finite)
    assert len(result.runs) == len(finite)
    assert int(result.points["runs"].sum()) == len(finite)
    tuned = [row for row in finite if not row["few_shot"]]
    assert int(result.gains["runs"].sum()) == len(tuned)
    inside = result.points.filter(
        ~pl.col("value").is_between(pl.col("lowest") - 1e-6, pl.col("highest") + 1e-6)
    )
    assert inside.is_empty()
    known = result.gains.filter(pl.col("interval_over").is_not_null())
    assert (known["gain_low"] <= known["gain_high"] + 1e-9).all()


_TYPES: dict[str, type[pl.DataType]] = {
    "family": pl.String, "method": pl.String, "d": pl.Int64, "draw": pl.Int64, "seed": pl.Int64,
    "few_shot": pl.Boolean, "value": pl.Float64, "stderr": pl.Float64, "n": pl.Int64,
}  # fmt: skip
