"""The corpus and the lists of checkpoints that jobs hand on."""

from __future__ import annotations

import numpy as np
import pytest

from upswing.errors import InputError
from upswing.lab.experiment_files import (
    Trained,
    keep_corpus,
    kept_corpus,
    read_list,
    write_list,
)


def test_a_kept_corpus_is_the_corpus(tmp_path, corpus):
    keep_corpus(tmp_path, corpus)
    found = kept_corpus(tmp_path, corpus.name, corpus.sha256)
    assert (found.name, found.sha256) == (corpus.name, corpus.sha256)
    assert np.array_equal(found.train, corpus.train)
    assert np.array_equal(found.held_out, corpus.held_out)


def test_a_corpus_is_kept_once(tmp_path, corpus):
    keep_corpus(tmp_path, corpus)
    (path,) = (tmp_path / "corpus").iterdir()
    before = path.stat().st_mtime_ns
    keep_corpus(tmp_path, corpus)
    assert [path] == list((tmp_path / "corpus").iterdir())
    assert path.stat().st_mtime_ns == before


def test_a_corpus_that_is_gone_or_damaged_is_told(tmp_path, corpus):
    with pytest.raises(InputError, match="is gone"):
        kept_corpus(tmp_path, corpus.name, corpus.sha256)
    keep_corpus(tmp_path, corpus)
    (path,) = (tmp_path / "corpus").iterdir()
    for damaged in (path.read_bytes()[:-5], b"\xff" + path.read_bytes()[1:], b""):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="is damaged") as error:
            kept_corpus(tmp_path, corpus.name, corpus.sha256)
        assert str(path) in str(error.value)


def test_a_list_of_checkpoints_is_read_back(tmp_path):
    trained = [
        Trained("char-v1", "char-v1-d8L1", f"step{step}", f"char-v1-d8L1/step{step}")
        for step in (10, 20)
    ]
    write_list(tmp_path, trained)
    assert read_list(tmp_path) == trained
    assert isinstance(read_list(tmp_path)[0], Trained)


@pytest.mark.parametrize("content", [None, b"", b"{}", b'[["a", "b"]]'])
def test_a_missing_or_damaged_list_is_told(tmp_path, content):
    if content is not None:
        (tmp_path / "checkpoints.json").write_bytes(content)
    with pytest.raises(InputError, match="no list of checkpoints"):
        read_list(tmp_path)
