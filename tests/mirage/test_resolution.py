from __future__ import annotations

import polars as pl
import pytest

from upswing.errors import InputError
from upswing.mirage.questions_needed import questions_for_a_success
from upswing.mirage.resolution import resolution_table


def test_the_table() -> None:
    table = resolution_table([1e8, 1e9], [0.0, 0.4], 100, [0.001, 0.3], 0.0)
    assert table["n"].to_list() == [100.0, 100.0]
    assert table["p_no_success"].to_list() == pytest.approx([0.999**100, 0.7**100])
    assert table["power"].to_list() == pytest.approx([1 - 0.999**100, 1 - 0.7**100])
    assert table["questions_needed"].to_list() == [2995, 9]
    assert table.schema["questions_needed"] == pl.Int64
    at_chance = resolution_table([1e8], [0.2], 50, [0.25], 0.25)
    assert at_chance["questions_needed"].to_list() == [None]
    assert at_chance["power"][0] <= 0.05
    with pytest.raises(InputError):
        resolution_table([1e8, 1e9], [0.0], 100, [0.1, 0.2])


def test_the_base_of_a_fit_counts_only_for_the_questions() -> None:
    smooth = 0.02 + 0.98 * 0.05
    table = resolution_table([1e8], [0.0], 100, [smooth], 0.0, base=0.02)
    assert table["questions_needed"][0] == questions_for_a_success(0.05)
    assert table["power"][0] == pytest.approx(1 - (1 - smooth) ** 100)
