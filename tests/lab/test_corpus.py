"""The corpus: the standard library's documentation, or a file; always the same, always clean."""

from __future__ import annotations

import sysconfig

import numpy as np
import pytest

from upswing.errors import InputError
from upswing.lab import corpus as corpus_module
from upswing.lab.alphabet import TEXT, as_text, decode
from upswing.lab.corpus import HELD_OUT, STANDARD_LIBRARY, read_corpus
from upswing.tables.provenance import sha256

LONG = "This sentence is a documentation that is long enough to be kept."


@pytest.fixture(autouse=True)
def _nothing_remembered():
    read_corpus.cache_clear()
    yield
    read_corpus.cache_clear()


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A made-up standard library."""
    root = tmp_path / "lib"
    root.mkdir()
    paths = {**sysconfig.get_paths(), "stdlib": str(root)}
    monkeypatch.setattr(sysconfig, "get_paths", lambda: paths)
    return root


def text_of(corpus):
    return decode(corpus.train) + decode(corpus.held_out)


@pytest.mark.slow
def test_the_default_corpus_is_large_and_clean():
    corpus = read_corpus()
    assert corpus.name == STANDARD_LIBRARY
    text = text_of(corpus)
    assert len(text) > 1_000_000
    assert set(text) <= set(TEXT)
    assert corpus.sha256 == sha256(text.encode())
    assert "return a copy of the string" in text


def test_a_corpus_is_twice_the_same(library):
    (library / "code.py").write_text(f'"""{LONG}"""\n')
    first = read_corpus()
    read_corpus.cache_clear()
    second = read_corpus()
    assert first.sha256 == second.sha256
    assert np.array_equal(first.train, second.train)
    assert np.array_equal(first.held_out, second.held_out)


def test_docstrings_are_found_and_nothing_else(library):
    (library / "package").mkdir()
    (library / "package" / "code.py").write_text(
        f'"""Of the module. {LONG}"""\n'
        "raise SystemExit('a module that is imported would end the tests')\n"
        f'class Some:\n    """Of the class. {LONG}"""\n'
        f'    def method(self):\n        """Of the method. {LONG}"""\n'
        f'async def later():\n    """Of the coroutine. {LONG}"""\n'
        f'    def inner():\n        """Of the inner one. {LONG}"""\n'
        f'value = """Of no docstring. {LONG}"""\n'
        f"# Of a comment. {LONG}\n"
        'def short():\n    """Too short zzqqx."""\n'
    )
    text = text_of(read_corpus())
    for found in ("module", "class", "method", "coroutine", "inner one"):
        assert f"of the {found}. {LONG.lower()}" in text
    for other in ("of no docstring", "of a comment", "too short zzqqx"):
        assert other not in text


def test_tests_broken_files_and_doubles_are_left_out(library):
    for name in ("test", "idlelib", "site-packages", "good"):
        (library / name).mkdir()
        (library / name / "code.py").write_text(f'"""From folder {name}. {LONG}"""\n')
    (library / "test.py").write_text(f'"""From a file called test. {LONG}"""\n')
    (library / "broken.py").write_text(f'"""Of broken code. {LONG}"""\ndef (:\n')
    (library / "nothing.py").write_bytes(b"\x00\xff")
    for name in ("one", "two"):
        (library / f"{name}.py").write_text(f'"""Written twice. {LONG}"""\n')
    text = text_of(read_corpus())
    assert "from folder good" in text
    assert "from a file called test" in text
    for other in ("from folder test", "from folder idlelib", "from folder site", "of broken code"):
        assert other not in text
    assert text.count("written twice") == 1


def test_the_order_does_not_depend_on_where_a_docstring_stands(library):
    texts = [f"Paragraph number {i}. {LONG}" for i in range(30)]
    for i, text in enumerate(texts):
        (library / f"m{i:02}.py").write_text(f'"""{text}"""\n')
    first = read_corpus()
    for i, text in enumerate(reversed(texts)):
        (library / f"m{i:02}.py").write_text(f'"""{text}"""\n')
    read_corpus.cache_clear()
    assert read_corpus().sha256 == first.sha256


def test_a_file_is_cleaned_hashed_and_cut(tmp_path):
    raw = "".join(f"Line {i} of ÄÖÜ\ttext >>> here.\n" for i in range(5000))
    path = tmp_path / "text.txt"
    path.write_text(raw, encoding="utf-8")
    corpus = read_corpus(str(path))
    clean = as_text(raw)
    assert text_of(corpus) == clean
    assert corpus.name == "text.txt"
    assert corpus.sha256 == sha256(clean.encode())
    assert len(corpus.held_out) == pytest.approx(HELD_OUT * len(clean), abs=1)
    path.write_text(raw + "One more line.\n", encoding="utf-8")
    read_corpus.cache_clear()
    assert read_corpus(str(path)).sha256 != corpus.sha256


def test_a_small_file_is_refused_by_what_is_left_of_it(tmp_path):
    path = tmp_path / "small.txt"
    path.write_text("é" * 200_000 + "only this", encoding="utf-8")
    with pytest.raises(InputError, match=r"a corpus of 10 characters is too small.*100,000") as e:
        read_corpus(str(path))
    assert str(path) in str(e.value)


def test_a_file_that_is_no_utf8_is_refused_at_its_byte(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"a" * 1234 + b"\xe4" + b"b" * 200_000)
    with pytest.raises(InputError, match=r"no UTF-8 text \(byte 1,234\)") as error:
        read_corpus(str(path))
    assert str(path) in str(error.value)


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    with pytest.raises(InputError, match="cannot be read") as error:
        read_corpus(str(tmp_path / name))
    assert str(tmp_path) in str(error.value)


def test_documents_are_those_of_help_and_of_the_library(library):
    from pydoc_data.topics import topics

    assert set(corpus_module._documents()) == set(topics.values())
