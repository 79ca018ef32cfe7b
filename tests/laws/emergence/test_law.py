"""The emergence law itself: anchors, published parameters, caps and floors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswing.errors import InputError
from upswing.laws.emergence.law import (
    ElbowLaw,
    EmergenceCurves,
    EmergenceForm,
    lowest_amount,
    position,
)

LOG = "log power law"


@given(
    st.floats(1.5, 2.5),
    st.floats(0.0, 0.8),
    st.floats(0.25, 8.0),
    st.floats(1.0, 500.0),
    st.sampled_from(["log power law", "power law"]),
)
def test_anchors_and_published_parameters_are_one_law(low, span, alpha, amount, shape):
    if shape == "power law":
        alpha = alpha / 8.0
    law = ElbowLaw(low, low + span, alpha, 512.0, 8192.0, shape)
    assert law.elbow([512.0, 8192.0]) == pytest.approx([low, low + span])
    k, c = law.published
    g = np.log(amount) ** alpha if shape == LOG else amount**alpha
    assert law.elbow([amount])[0] == pytest.approx(k * g + c, abs=1e-8)


def test_a_power_law_with_no_exponent_is_linear_in_the_logarithm():
    near = position([5.0, 300.0], 1e-7, 256.0, 8192.0, "power law")
    zero = position([5.0, 300.0], 0.0, 256.0, 8192.0, "power law")
    assert zero == pytest.approx(position([5.0, 300.0], 1.0, 256.0, 8192.0, LOG))
    assert near == pytest.approx(zero, abs=1e-5)


def test_alpha_alone_sets_how_far_the_elbow_still_moves():
    """The shares of the specification, section 11.6, for D from 256 to 8192 and D0 = 5."""
    shares = [-position([5.0], a, 256.0, 8192.0, LOG)[0] for a in (1e-6, 1, 2, 3, 5)]
    assert shares == pytest.approx([2.55, 1.14, 0.56, 0.30, 0.10], abs=0.005)


def test_a_prompt_without_examples_stands_where_the_logarithm_is_zero():
    law = ElbowLaw(2.06, 2.25, 2.0, 256.0, 8192.0)
    assert law.elbow([lowest_amount(0)])[0] == pytest.approx(law.published[1])


def test_a_floor_takes_its_share_of_the_rise():
    law = ElbowLaw(2.0, 2.2, 1.0, 256.0, 8192.0)
    curves = EmergenceCurves(law, None, {256.0: 0.0, 8192.0: 0.5}, 0.1, cap=0.9, ramp=0.2)
    assert curves.score([3.0, 2.1, 2.0, 1.0], 8192.0) == pytest.approx([0.5, 0.7, 0.9, 0.9])
    assert curves.score([1.9], 256.0) == pytest.approx([0.45])
    assert curves.slope_at(256.0) == pytest.approx(4.5)
    assert curves.score([9.0], 5.0, few_shot=True) == pytest.approx([0.1])
    assert curves.score([9.0], 300.0) == pytest.approx([0.0])  # the nearest amount's floor


def test_an_unknown_shape_is_told():
    with pytest.raises(InputError, match="there are log power law, power law"):
        EmergenceForm("cubic")  # type: ignore[arg-type]
