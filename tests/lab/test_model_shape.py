"""Sizes of models: names, heads, and parameters that are counted right."""

from __future__ import annotations

import pytest

from upswing.errors import InputError
from upswing.lab.alphabet import SYMBOLS
from upswing.lab.model_shape import ModelShape


@pytest.mark.parametrize("name", ["d8L1", "d16L2", "d24L2", "d32L3", "d48L3", "d64L4", "d96L4"])
def test_a_name_gives_the_shape_back(name):
    shape = ModelShape.named(name)
    assert shape.name == name
    assert f"d{shape.width}L{shape.layers}" == name


@pytest.mark.parametrize(
    "name", ["", "48L3", "d48", "d48L0", "d0L1", "d12L1", "d-8L1", "D8L1", "d8L1 ", "d8.0L1"]
)
def test_a_name_of_another_form_is_refused(name):
    with pytest.raises(InputError, match="no model size") as error:
        ModelShape.named(name)
    assert "d48L3" in error.value.hint


@pytest.mark.parametrize("width", range(8, 264, 8))
def test_heads_are_at_least_two_equal_and_of_even_width(width):
    shape = ModelShape(width, 1)
    assert shape.heads >= 2
    assert width % shape.heads == 0
    assert width // shape.heads % 2 == 0  # rotary positions turn pairs


def test_rungs_of_the_ladder_have_heads_of_sixteen():
    heads = {w: ModelShape(w, 1).heads for w in (32, 48, 64, 96)}
    assert heads == {width: width // 16 for width in heads}


@pytest.mark.parametrize(("width", "layers"), [(8, 1), (16, 2), (24, 2), (48, 3), (64, 4)])
def test_parameters_are_counted_by_hand(width, layers):
    shape = ModelShape(width, layers)
    hidden = round(width / 3) * 8
    assert shape.hidden == hidden
    layer = 4 * width * width + 3 * width * hidden + 2 * width
    assert shape.params == 2 * len(SYMBOLS) * width + layers * layer + width
    assert shape.params_nonembedding == shape.params - len(SYMBOLS) * width
