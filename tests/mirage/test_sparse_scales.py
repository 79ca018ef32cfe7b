from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswing import Curve
from upswing.errors import InputError, UnknownNameError
from upswing.mirage.model.mirage_model import MirageModel
from upswing.mirage.sparse_scales import SCHEMA, kept_points, thin, thinning_table

SIZES = np.geomspace(1e7, 1e11, 9)


def rising(**options: object) -> Curve:
    y = np.array([0, 0.01, 0.02, 0.05, 0.3, 0.6, 0.8, 0.9, 0.92])
    arguments = {"x": SIZES, "y": y, "axis": "params", "models": tuple("abcdefghi"), **options}
    return Curve(**arguments)  # type: ignore[arg-type]


@given(count=st.integers(1, 40), every=st.integers(1, 8), data=st.data())
def test_both_ends_stay_and_the_ways_cover_all_scales(
    count: int, every: int, data: st.DataObject
) -> None:
    offset = data.draw(st.integers(0, every - 1))
    kept = kept_points(count, every, offset)
    assert kept[0] == 0
    assert kept[-1] == count - 1
    assert (np.diff(kept) > 0).all()
    assert (np.diff(kept) <= every).all()
    ways = [set(kept_points(count, every, i).tolist()) for i in range(every)]
    assert set.union(*ways) == set(range(count))


@pytest.mark.parametrize(("every", "offset"), [(0, 0), (2, 2), (2, -1)])
def test_thinnings_that_cannot_be(every: int, offset: int) -> None:
    with pytest.raises(InputError):
        kept_points(9, every, offset)


def test_thinning_keeps_what_belongs_to_the_points() -> None:
    curve = rising(n=np.arange(10, 19), stderr=np.linspace(0.01, 0.09, 9), chance=0.0, n_shot=2)
    thinned = thin(curve, [0, 4, 8])
    assert thinned.models == ("a", "e", "i")
    assert thinned.n is not None
    assert thinned.n.tolist() == [10, 14, 18]
    assert thinned.stderr is not None
    np.testing.assert_allclose(thinned.stderr, [0.01, 0.05, 0.09])
    assert (thinned.chance, thinned.n_shot, thinned.axis) == (0.0, 2, "params")


def test_numbers_of_a_curve_by_hand() -> None:
    row = thinning_table([rising()], every=(1,)).row(0, named=True)
    assert row["scales"] == 9
    assert row["largest_step_share"] == pytest.approx(0.3 / 0.92)
    # steps .01 .01 .03 .25 .3 .2 .1 .02: the median square of the eight is (.03^2 + .1^2) / 2
    assert row["emergence_score"] == pytest.approx(0.92 / np.sqrt((0.03**2 + 0.1**2) / 2))
    # 10 % of the rise is .092 and 90 % .828, on straight lines between points half a decade apart
    low, high = 3 + (0.092 - 0.05) / 0.25, 6 + (0.828 - 0.8) / 0.1
    assert row["sharpness"] == pytest.approx((high - low) / 2)


def test_every_way_of_thinning_is_a_row_once() -> None:
    table = thinning_table([rising()], every=(1, 2, 3, 2))
    assert table.schema == SCHEMA
    assert table.select("thinning", "offset").rows() == [
        ("all", 0), ("every 2nd", 0), ("every 2nd", 1),
        ("every 3rd", 0), ("every 3rd", 1), ("every 3rd", 2),
    ]  # fmt: skip
    # with three scales both ways of every third keep the ends only, the last one all
    short = thinning_table([Curve(x=[1e7, 1e8, 1e9], y=[0.0, 0.1, 0.5])], every=(1, 3))
    assert short["scales"].to_list() == [3, 2]
    assert short["emergence_score_status"].to_list() == ["finite", "too_few"]
    assert short["emergence_score"][1] is None


def test_named_points_are_a_ladder() -> None:
    table = thinning_table([rising(), rising(models=tuple("ABCDEFGHI"))], (1,), ["a", "e", "i"])
    named = table.filter(thinning="named")
    assert named["x"][0].to_list() == SIZES[[0, 4, 8]].tolist()
    assert named["every"].to_list() == [None, None]
    assert named["scales"].to_list() == [3, 0]
    assert named["emergence_score_status"].to_list() == ["finite", "too_few"]


def test_unknown_names_say_which_there_are() -> None:
    with pytest.raises(UnknownNameError, match=r"'?z.*there are a, b"):
        thinning_table([rising()], models=["z"])


def test_direction_and_axis_are_taken_into_account() -> None:
    up = rising()
    down = rising(y=1 - up.y, higher_is_better=False)
    loss = Curve(x=np.linspace(4, 2, 9), y=up.y, axis="loss")
    a, b, c = thinning_table([up, down, loss], every=(1,)).iter_rows(named=True)
    for name in ("emergence_score", "largest_step_share", "sharpness"):
        assert a[name] == pytest.approx(b[name])
    assert c["sharpness"] == pytest.approx(a["sharpness"] * 2 * 0.25)  # nats in place of decades


def test_curves_that_do_not_rise_have_no_share_and_no_sharpness() -> None:
    falling = rising(y=1 - rising().y)
    flat = rising(y=np.full(9, 0.3))
    nothing = Curve(x=[], y=[])
    table = thinning_table([falling, flat, nothing], every=(1,))
    assert table["largest_step_share"].to_list() == [None] * 3
    assert table["sharpness"].to_list() == [None] * 3
    assert table["emergence_score_status"].to_list() == ["finite", "flat", "too_few"]
    assert table["emergence_score"][0] < 0


def test_points_at_scale_zero_are_left_out() -> None:
    curve = Curve(x=[0.0, 1e9, 1e10, 1e11], y=[0.5, 0.1, 0.2, 0.9], axis="tokens", model="m")
    row = thinning_table([curve], every=(1,)).row(0, named=True)
    assert row["x"] == [1e9, 1e10, 1e11]


def test_a_smooth_curve_on_fewer_scales_jumps_more_and_scores_less() -> None:
    """The largest step grows with thinning; the emergence score falls, being a count of steps."""
    table = thinning_table(MirageModel(lengths=(1, 3, 5)).curves(), every=(1, 3))
    for length in (1, 3, 5):
        rows = table.filter(metric="exact_match", task=f"L = {length}")
        whole, thinned = rows.filter(thinning="all"), rows.filter(thinning="every 3rd")
        assert len(thinned) == 3
        assert (thinned["largest_step_share"] > whole["largest_step_share"][0]).all()
        assert (thinned["emergence_score"] <= whole["emergence_score"][0] + 1e-9).all()
