"""Which rows of a table a loss law is fitted to."""

from __future__ import annotations

import polars as pl
import pytest

from upswing.errors import InputError
from upswing.laws.loss.points import loss_points

TABLE = pl.DataFrame(
    {
        "model": ["a", "a", "b", "b", "c"],
        "family": ["F"] * 5,
        "params": [1e8, 1e8, 1e9, 1e9, 1e10],
        "tokens": [0.0, 2e9, 1e9, 4e9, None],
        "loss": [4.0, 3.0, 2.9, 2.6, 2.4],
    }
)


def test_the_last_checkpoint_of_each_model_makes_a_law_of_parameters():
    points = loss_points(TABLE)
    assert sorted(points.loss.tolist()) == [2.4, 2.6, 3.0]
    assert {"last-checkpoints", "tokens-differ"} <= {note.code for note in points.notes}
    assert points.largest == {"params": 1e10, "tokens": 4e9, "flops": 6 * 1e9 * 4e9}


def test_compute_is_6nd_where_it_is_not_given_and_step_0_is_left_out():
    points = loss_points(TABLE, "flops")
    assert points.scales["flops"].tolist() == [1.2e18, 6e18, 2.4e19]
    assert [note.code for note in points.notes] == ["no-loss-or-scale"]
    stated = loss_points(TABLE.with_columns(flops=pl.lit(7e18)), "flops")
    assert set(stated.scales["flops"].tolist()) == {7e18}


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (TABLE.drop("loss"), {}, "says no loss"),
        (TABLE, {"form": "width"}, "no loss law 'width'"),
        (TABLE.with_columns(loss=-pl.col("loss")), {}, "not positive"),
        (TABLE.with_columns(family=pl.col("model")), {}, "3 families: a, b, c"),
        (TABLE, {"family": "G"}, "no family 'G'"),
        (TABLE.with_columns(loss_corpus=pl.col("model")), {}, "3 corpora"),
        (TABLE.drop("family"), {"family": "F"}, "names no families"),
    ],
)
def test_bad_tables_are_errors(table, options, message):
    with pytest.raises(InputError, match=message):
        loss_points(table, **options)
