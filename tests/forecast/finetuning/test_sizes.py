"""Do sizes differ at equal loss?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import f_oneway

from upswing.forecast.finetuning.sizes import size_differences, size_note


def models(sizes: dict[float, int], amounts: tuple[int, ...] = (256, 512)) -> pl.DataFrame:
    rows = []
    for params, count in sizes.items():
        for _ in range(count):
            checkpoint = len(rows)
            rows += [{"params": params, "checkpoint": checkpoint, "d": d} for d in amounts]
    return pl.DataFrame(rows)


def test_it_is_an_analysis_of_variance_over_checkpoints() -> None:
    frame = models({1e6: 4, 1e7: 5})
    residual = np.random.default_rng(0).normal(size=len(frame))
    found = size_differences(frame, residual)
    assert found is not None
    centred = residual.reshape(-1, 2) - residual.reshape(-1, 2).mean(axis=0)
    means = centred.mean(axis=1)
    assert found["p_value"][0] == pytest.approx(f_oneway(means[:4], means[4:]).pvalue)
    assert found["residual"].to_list() == pytest.approx([means[:4].mean(), means[4:].mean()])
    assert found["checkpoints"].to_list() == [4, 5]


def test_false_alarms_are_as_rare_as_stated() -> None:
    frame, rng = models({1e6: 4, 1e7: 5, 1e8: 4}), np.random.default_rng(1)
    alarms = sum(
        bool(size_note(size_differences(frame, rng.normal(size=len(frame))))) for _ in range(400)
    )
    assert alarms <= 12  # 4 are expected


def test_a_difference_is_told_with_its_size() -> None:
    frame = models({1e6: 4, 1e7: 5})
    rng = np.random.default_rng(2)
    residual = np.where(frame["params"] == 1e7, 0.2, -0.2) + 0.02 * rng.normal(size=len(frame))
    (note,) = size_note(size_differences(frame, residual))
    assert note.code == "sizes-differ"
    assert note.severity == "warning"
    assert "1e+07 parameters score 0.4 higher than those of 1e+06" in note.message


@pytest.mark.parametrize("sizes", [{1e6: 9}, {1e6: 1, 1e7: 1, 1e8: 1}, {1e6: 2, 1e7: 2}])
def test_too_little_to_compare(sizes: dict[float, int]) -> None:
    frame = models(sizes)
    assert size_differences(frame, np.arange(float(len(frame)))) is None


def test_unknown_sizes_and_perfect_fits_are_not_compared() -> None:
    frame = models({1e6: 4, 1e7: 5})
    assert size_differences(frame, np.zeros(len(frame))) is None
    unknown = frame.with_columns(pl.lit(None, pl.Float64).alias("params"))
    assert size_differences(unknown, np.arange(float(len(frame)))) is None
    assert size_note(None) == []
