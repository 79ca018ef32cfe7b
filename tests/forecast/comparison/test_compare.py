"""Two series side by side: the distribution of a difference, orders, refusals, corpora."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from upswing.errors import InputError
from upswing.forecast.comparison.compare import compare
from upswing.forecast.comparison.elbow_distribution import (
    difference_quantiles,
    elbows_of_quantiles,
    probability_first,
    weighted_elbows,
)
from upswing.forecast.comparison.published_order import published_order
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

QUICK = EmergenceLaw(intervals="iid", resamples=0, cap=False)
REFUSED = replace(QUICK, before=2.2)
SHARES = (np.arange(2000) + 0.5) / 2000


def series(family, elbow, seed, prompted="all", gap=None, **more):
    world = FinetuningWorld(elbow=elbow, noise=0.004, amounts=(256, 1024, 8192), **more)
    frame = simulate_finetuning(world, np.random.default_rng(seed), gap, prompted)
    return frame.with_columns(
        pl.lit(family).alias("family"), (family + "-" + pl.col("model")).alias("model")
    )


@pytest.fixture(scope="module")
def table():
    """V2 emerges 0.09 nats before V1."""
    return pl.concat([series("v1", 1.93, 1), series("v2", 2.02, 2)])


@pytest.fixture(scope="module")
def found(table):
    laws = (replace(QUICK, before=1.95), replace(QUICK, before=2.03))
    return compare(table, laws[0], second_law=laws[1])


def normal(mean, sd):
    return weighted_elbows(norm.ppf(SHARES, mean, sd))


def test_the_difference_of_normals_is_normal():
    first, second = normal(2.0, 0.03), normal(2.1, 0.04)
    shares = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    assert difference_quantiles(first, second, shares) == pytest.approx(
        norm.ppf(shares, 0.1, 0.05), abs=2e-4
    )
    assert probability_first(second, first) == pytest.approx(norm.cdf(2.0), abs=2e-4)


@given(
    st.lists(st.floats(1.0, 3.0), min_size=1, max_size=20),
    st.lists(st.floats(1.0, 3.0), min_size=1, max_size=20),
)
def test_one_of_two_is_first_and_order_does_not_matter(one, other):
    first, second = (weighted_elbows(np.array(points)) for points in (one, other))
    p = probability_first(second, first)
    assert p + probability_first(first, second) == pytest.approx(1.0)
    by_hand = np.mean([(b > a) + 0.5 * (b == a) for a in one for b in other])
    assert p == pytest.approx(by_hand)


def test_what_is_never_reached_is_never_first():
    first, second = weighted_elbows(np.array([1.0, 1.4])), weighted_elbows(np.array([0.9, 2.0]))
    assert probability_first(second, first, irreducible=1.5) == 0.5
    assert probability_first(first, second, irreducible=1.5) == 0.0


def test_seven_quantiles_of_a_normal_give_it_back():
    shares = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
    names = [f"q{100 * share:02.0f}" for share in shares]
    made = elbows_of_quantiles(dict(zip(names, norm.ppf(shares, 2.0, 0.05), strict=True)))
    assert made.mean == pytest.approx(2.0, abs=1e-4)
    assert made.quantile(np.array([0.01, 0.6])) == pytest.approx(
        norm.ppf([0.01, 0.6], 2.0, 0.05), abs=2e-4
    )
    with pytest.raises(InputError, match="two quantiles"):
        elbows_of_quantiles({"q50": 2.0})
    with pytest.raises(InputError, match="ascending"):
        elbows_of_quantiles({"q05": 2.0, "q95": 1.0})


def test_the_published_order_is_right():
    table = published_order()
    assert table["method"].to_list() == ["posterior", "bootstrap"]
    assert table["order_right"].all()
    # 5 % of V2 lie above 95 % of V1: whatever the tails, at least .95 x .95
    assert table["p_v2_first"][0] > 0.95**2
    assert table["truth_difference"].to_list() == pytest.approx([0.092] * 2)


def test_the_order_and_the_difference_are_found(found):
    assert found.names == ("v1", "v2")
    assert not found.refused
    assert found.p_second_first > 0.8
    assert found.p_second_first + found.p_first_first == pytest.approx(1.0)
    assert found.difference["q05"] < 0.09 < found.difference["q95"]
    assert found.difference["mle"] == pytest.approx(
        found.second.elbow["mle"] - found.first.elbow["mle"]
    )
    assert found.truth["difference"] == pytest.approx(0.09, abs=0.03)
    assert found.truth["order_right"] is True
    assert found.truth["inside_90"] is True


def test_the_other_way_round_is_the_mirror_image(table, found):
    laws = (replace(QUICK, before=2.03), replace(QUICK, before=1.95))
    turned = compare(table, laws[0], first="v2", second_law=laws[1])
    assert turned.names == ("v2", "v1")
    assert turned.p_first_first == pytest.approx(found.p_second_first)
    assert turned.difference["q05"] == pytest.approx(-found.difference["q95"], abs=1e-6)


def test_tables_for_figures(found):
    curves = found.cdf_frame(51)
    assert curves.columns == ["family", "elbow", "cdf"]
    assert curves.group_by("family").len()["len"].to_list() == [51, 51]
    for _, part in curves.group_by("family"):
        assert part["cdf"].is_sorted()
        assert part["cdf"].max() > 0.99
    rows = found.to_frame()
    assert rows["family"].to_list() == ["v1", "v2", "v2 - v1"]
    assert rows["truth"][0] == pytest.approx(1.93, abs=0.02)


def test_json_is_strict(found):
    plain = json.loads(found.to_json(), parse_constant=pytest.fail)
    assert plain["p_second_first"] == found.p_second_first
    assert plain["first"]["status"] == "forecast"


def test_two_tables_are_as_good_as_one(table, found):
    first, second = (table.filter(pl.col("family") == name) for name in ("v1", "v2"))
    apart = compare(
        first, replace(QUICK, before=1.95), other=second, second_law=replace(QUICK, before=2.03)
    )
    assert apart.names == found.names
    assert apart.difference == found.difference


def test_a_refusal_of_one_side_refuses_the_comparison(table):
    flat = series("v2", 2.02, 2, slope=0.0)
    got = compare(table.filter(pl.col("family") == "v1"), QUICK, other=flat)
    assert got.refused
    assert got.reason.startswith("v2: ")
    assert "v1" not in got.reason
    assert got.p_second_first is None
    assert set(got.difference.values()) == {None}
    assert got.cdf_frame().is_empty()
    assert got.to_frame()["status"].to_list() == ["forecast", "refused", "refused"]
    assert json.loads(got.to_json())["refused"] is True


def test_losses_of_different_texts_are_warned_of(table):
    def codes(corpus):
        said = table if corpus is None else table.with_columns(corpus.alias("loss_corpus"))
        return [(note.code, note.severity) for note in compare(said, REFUSED).notes]

    assert ("loss-corpus-unknown", "info") in codes(None)
    assert not any(code.startswith("loss-corp") for code, _ in codes(pl.lit("c4")))
    assert ("loss-corpora-differ", "warning") in codes(pl.col("family"))


def test_two_families_are_needed(table):
    with pytest.raises(InputError, match="two families"):
        compare(table, QUICK, first="v1", second="v1")
    with pytest.raises(InputError, match="no column 'family'"):
        compare(table.drop("family"), QUICK)
    three = pl.concat([table, series("v3", 2.0, 3)])
    with pytest.raises(InputError, match="there are v1, v2, v3"):
        compare(three, QUICK, first="v1")


def test_two_tasks_are_not_compared(table):
    first, second = (table.filter(pl.col("family") == name) for name in ("v1", "v2"))
    renamed = second.with_columns(pl.lit("another").alias("task"))
    with pytest.raises(InputError, match="simulated, acc and another, acc"):
        compare(first, REFUSED, other=renamed)
