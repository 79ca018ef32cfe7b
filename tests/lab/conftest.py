"""Fixtures of the lab's tests: a small made-up text, and one thread, as the lab's workers have."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from upswing.lab.alphabet import decode, encode
from upswing.lab.corpus import Corpus
from upswing.tables.provenance import sha256

WORDS = "the model reads a text of few words and writes them again in some other order"


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """A text of a few words in random order: no digits, no lines, no signs, and easy to learn."""
    words = np.random.default_rng(0).choice(WORDS.split(), size=6000)
    tokens = encode(" ".join(words))
    cut = round(0.95 * len(tokens))
    return Corpus("made up", sha256(decode(tokens).encode()), tokens[:cut], tokens[cut:])
