"""The models' symbols: text and signs apart, and nothing lost between text and numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswing.errors import InputError
from upswing.lab.alphabet import SIGNS, SYMBOLS, TEXT, as_text, decode, encode


@given(st.text(alphabet=SYMBOLS))
def test_encoding_and_decoding_give_the_text_back(text):
    tokens = encode(text)
    assert tokens.dtype == np.uint8
    assert len(tokens) == len(text)
    assert decode(tokens) == text


@given(st.text())
def test_cleaned_text_holds_text_only_and_stays_as_it_is(raw):
    text = as_text(raw)
    assert set(text) <= set(TEXT)
    assert not set(text) & set(SIGNS)
    assert "  " not in text
    assert as_text(text) == text
    assert decode(encode(text)) == text


@given(st.text(alphabet=TEXT))
def test_cleaning_only_joins_spaces_of_what_is_clean(text):
    assert as_text(text).replace(" ", "") == text.replace(" ", "")


def test_each_symbol_has_one_number_and_signs_are_not_text():
    assert len(set(SYMBOLS)) == len(SYMBOLS)
    assert not set(TEXT) & set(SIGNS)
    assert [int(encode(symbol)[0]) for symbol in SYMBOLS] == list(range(len(SYMBOLS)))


@pytest.mark.parametrize("text", ["A", "a\tb", "é", "a\r\n"])
def test_a_character_that_is_no_symbol_is_named(text):
    strange = next(character for character in text if character not in SYMBOLS)
    with pytest.raises(InputError) as error:
        encode(f"ok {text}")
    assert repr(strange) in str(error.value)


def test_decode_takes_arrays_of_any_shape():
    assert decode(encode("abcdef").reshape(2, 3)) == "abcdef"
    assert decode([]) == ""
