"""Who sorts the questions, with the published rules and without."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing.difficulty.groups.sorting import (
    REMOVED_WHEN_SORTING,
    Sorting,
    difficulty_order,
    sorting_models,
)
from upswing.errors import InputError

MODELS = pl.DataFrame(
    {
        "model": ["small", "microsoft/phi-2", "facebook/xglm-564M", "at-limit", "large", "unknown"],
        "flops": [1e20, 1e21, 5e21, 1e22, 1e23, None],
    }
)


def who(sorting: Sorting) -> list[str]:
    return MODELS.filter(pl.Series(sorting_models(MODELS, sorting)))["model"].to_list()


def test_models_below_the_limit_sort_and_unknown_compute_does_not():
    assert who(Sorting(1.0)) == ["small", "microsoft/phi-2", "facebook/xglm-564M"]
    assert who(Sorting()) == MODELS["model"].to_list()


def test_names_may_be_written_either_way_and_as_globs():
    assert who(Sorting(1.0, ["facebook/xglm-564M", "microsoft__*"])) == ["small"]


def test_published_quirks():
    """At the limit sorts, unknown compute sorts, and the name with a slash never matches."""
    published = ["small", "facebook/xglm-564M", "at-limit", "unknown"]
    assert who(Sorting(1.0, published_quirks=True)) == published
    assert "facebook/xglm-564M" in REMOVED_WHEN_SORTING
    # Without the quirks the same list does what it was meant to.
    assert who(Sorting(1.0, REMOVED_WHEN_SORTING)) == ["small"]


def test_nobody_left_to_sort():
    with pytest.raises(InputError, match="no model is left to sort the questions"):
        sorting_models(MODELS, Sorting(-3.0))


def test_equals_stay_in_their_order():
    questions = pl.DataFrame({"task": ["a", "a", "a", "b"], "item": ["2", "10", "11", "1"]})
    tied = np.zeros(4)
    assert difficulty_order(tied, questions, False).tolist() == [0, 1, 2, 3]
    # Theirs is the order of the texts a10, a11, a2, b1.
    assert difficulty_order(tied, questions, True).tolist() == [1, 2, 0, 3]
    one_task = questions.with_columns(task=pl.lit("a"))
    assert difficulty_order(tied, one_task, True).tolist() == [0, 1, 2, 3]
    assert difficulty_order(np.array([3.0, 1, 2, 0]), questions, True).tolist() == [3, 1, 2, 0]


def test_nobody_left_says_why():
    with pytest.raises(InputError, match=r"the limit is 1e\+18 FLOP and the smallest .* 1e\+20"):
        sorting_models(MODELS, Sorting(-3.0))
    unknown = MODELS.with_columns(flops=pl.lit(None, pl.Float64))
    with pytest.raises(InputError, match="the compute of no model is known"):
        sorting_models(unknown, Sorting(1.0))
    with pytest.raises(InputError, match="exclude fewer models"):
        sorting_models(MODELS, Sorting(exclude=["*"]))
