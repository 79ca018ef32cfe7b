"""Tables of finetuned models: what is taken, what is noted, what stops."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing.errors import InputError
from upswing.forecast.finetuning.table import finetune_table, read_finetunes
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning
from upswing.tables.bundle import Tables
from upswing.tables.reading import scale_rows
from upswing.tables.schemas import FINETUNES

HEADER = "model,params,tokens,flops,loss,task,d,draw,seed,metric,value,n,few_shot"


@pytest.fixture
def frame():
    return simulate_finetuning(FinetuningWorld(draws=2), np.random.default_rng(0), prompted="used")


def codes(table):
    return [note.code for note in table.notes]


def test_the_table_by_hand_and_the_simulated_one_are_the_same(frame, tmp_path):
    path = tmp_path / "tuned.csv"
    frame.write_csv(path)
    assert path.read_text().splitlines()[0] == HEADER
    ours, theirs = (finetune_table(data) for data in (frame, read_finetunes(path)))
    first, second = ours.rows(5.0), theirs.rows(5.0)
    for name in ("loss", "amount", "value", "questions", "draw", "checkpoint", "few_shot"):
        assert np.array_equal(getattr(first, name), getattr(second, name))
    assert len(first) == 208
    assert first.few_shot.sum() == 16
    assert len(np.unique(first.checkpoint)) == 16
    assert codes(ours) == []


def test_a_reading_has_its_losses_in_the_scales(frame):
    models = frame.with_columns(pl.format("{}-{}", "model", pl.col("tokens")).alias("model"))
    scales = scale_rows(
        models.select("model", "params", "tokens", "flops", "loss").unique().to_dicts()
    ).with_columns(pl.lit("").alias("revision"), pl.lit("f").alias("family"))
    finetunes = models.select(
        "model",
        *(pl.lit(v).alias(k) for k, v in (("family", "f"), ("revision", ""), ("method", "full"))),
        *("task", "metric", "d", "draw", "seed", "few_shot", "value", "n"),
    )
    tables = Tables(finetunes=finetunes, scales=scales.select(Tables().scales.columns))
    found = finetune_table(tables)
    assert sorted(found.rows(5).loss) == sorted(frame["loss"].to_list())
    assert (found.family, found.method) == ("f", "full")
    with pytest.raises(InputError, match=r"column 'loss' is missing.*scales"):
        finetune_table(FINETUNES.conform(finetunes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (pl.lit(0).alias("d"), "finetuned model with D = 0.*few_shot = true"),
        ((pl.col("value") * 100).alias("value"), "outside 0 to 1.*percent"),
        ((pl.col("value") - 1).alias("value"), "outside 0 to 1"),
        (pl.lit(-2.0).alias("loss"), "loss is -2, and must be positive"),
        (pl.lit(None, pl.Float64).alias("loss"), "no row has a loss"),
        (pl.lit(0).alias("n"), "n is 0, and must be at least 1"),
        (pl.lit(0).alias("draw"), "two scores for size-1.*draw or seed"),
        (pl.lit("x").alias("loss"), "wrong type"),
    ],
)
def test_impossible_values_stop(frame, change, message):
    with pytest.raises(InputError, match=message):
        finetune_table(frame.with_columns(change))


@pytest.mark.parametrize("column", ["model", "loss", "task", "value", "d"])
def test_needed_columns_are_named(frame, column):
    with pytest.raises(InputError, match=f"column '{column}' is missing"):
        finetune_table(frame.drop(column))


def test_several_tasks_need_a_choice(frame):
    two = pl.concat([frame, frame.with_columns(pl.lit("other").alias("task"))])
    with pytest.raises(InputError, match=r"2 values of task.*other, simulated"):
        finetune_table(two)
    with pytest.raises(InputError, match="no task 'third'"):
        finetune_table(two, task="third")
    assert len(finetune_table(two, task="other").frame) == len(frame)


def test_other_methods_are_left_out_with_a_note(frame):
    both = pl.concat(
        [frame.with_columns(pl.lit(name).alias("method")) for name in ("full", "lora-4")]
    ).filter(~pl.col("few_shot"))
    both = both.with_columns(
        pl.when(pl.col("method") == "full").then(0.5).otherwise("value").alias("value")
    )
    found = finetune_table(both)
    assert (found.method, set(found.frame["value"])) == ("full", {0.5})
    assert "methods-left-out" in codes(found)
    assert finetune_table(both, method="lora-4").frame["value"].to_numpy().max() < 0.5


def test_what_is_odd_is_noted(frame):
    tuned = frame.filter(~pl.col("few_shot"))
    one = tuned.filter(pl.col("draw") == 0)
    assert codes(finetune_table(one)) == ["single-draw"]
    assert "draws-missing" in codes(finetune_table(one.drop("draw")))
    assert "n-missing" in codes(finetune_table(tuned.drop("n")))
    gaps = tuned.with_columns(
        pl.when(pl.col("d") == 512).then(None).otherwise("value").alias("value")
    )
    assert codes(finetune_table(gaps)) == ["value-missing"]
    assert codes(finetune_table(pl.concat([tuned, tuned[:3]]))) == ["rows-repeated"]


def test_a_loss_that_rises_with_tokens_is_noted(frame):
    swapped = frame.with_columns(
        pl.when((pl.col("model") == "size-2") & (pl.col("loss") == 2.141))
        .then(2.3)
        .otherwise("loss")
        .alias("loss")
    )
    found = finetune_table(swapped)
    assert codes(found) == ["loss-rises"]
    assert "size-2 rises with tokens, by up to 0.081 nats" in found.notes[0].message


def test_a_metric_to_be_lowered_is_turned(frame):
    turned = frame.with_columns(
        pl.lit("token_edit_distance").alias("metric"), (5.0 - pl.col("value")).alias("value")
    )
    found = finetune_table(turned)
    assert not found.higher_is_better
    rows = found.rows(5.0)
    assert np.isnan(rows.questions).all()  # no proportion, no binomial noise
    assert rows.value == pytest.approx(frame["value"].to_numpy() - 5.0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,1,1,1,abc,t,5,0,0,acc,0.5,10,false", "t.csv:2: column 'loss' holds 'abc'"),
        ("a,1,1,1,2.0,t,5,0,0,acc,0.5,10,maybe", "t.csv:2: few_shot is 'maybe'"),
        ("a,1,1,1,2.0,t,0,0,0,acc,0.5,10,false", "t.csv:2: a finetuned model with D = 0"),
        ("a,1,1,1,2.0,t,5,0,0,acc,45,10,false", "t.csv:2: a score of 45"),
        ("a,1,1,1,2.0,t,5,0.5,0,acc,0.4,10,false", "t.csv:2: column 'draw' holds '0.5'"),
        ("", "t.csv:1: the table has a header and no rows"),
    ],
)
def test_errors_name_the_line(tmp_path, row, message):
    path = tmp_path / "t.csv"
    path.write_text(f"{HEADER}\n{row}\n")
    with pytest.raises(InputError, match=message):
        finetune_table(read_finetunes(path))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_finetunes(tmp_path / "none.csv")
