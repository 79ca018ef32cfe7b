"""The text that the lab's models learn: what every machine with Python has, or a file.

The default is the documentation inside the standard library: the docstrings of its modules,
classes and functions, read with :mod:`ast` and never imported, and the topics of ``help()``. It
differs a little between versions of Python, so its checksum is part of every experiment.
"""

from __future__ import annotations

import ast
import hashlib
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from upswing.errors import InputError
from upswing.lab.alphabet import Tokens, as_text, encode
from upswing.tables.provenance import sha256

STANDARD_LIBRARY = "standard library"
"""Name of the default corpus."""

HELD_OUT = 0.05
"""Share of the text that is never trained on; the loss on it is the ladder's loss axis."""

_LEAST_DOCSTRING = 40
_LEAST_CHARACTERS = 100_000
_NOT_TEXT = {"test", "tests", "idlelib", "lib2to3", "site-packages", "dist-packages", "__pycache__"}


@dataclass(frozen=True, eq=False)
class Corpus:
    """A text in two parts.

    Attributes
    ----------
    name
        What it is: ``standard library`` or the name of a file.
    sha256
        Checksum of the cleaned text.
    train, held_out
        Tokens, shape (n_characters,).
    """

    name: str
    sha256: str
    train: Tokens
    held_out: Tokens

    @classmethod
    def of(cls, name: str, text: str) -> Corpus:
        """Return a cleaned text as a corpus; its end is held out.

        Raises
        ------
        InputError
            If the text holds a character that the models do not know.
        """
        tokens = encode(text)
        cut = round(len(tokens) * (1.0 - HELD_OUT))
        return cls(name, sha256(text.encode()), tokens[:cut], tokens[cut:])


@lru_cache(maxsize=2)
def read_corpus(name: str = STANDARD_LIBRARY) -> Corpus:
    """Return a corpus by its name, or that of a file.

    Raises
    ------
    InputError
        If the file cannot be read as UTF-8, or has less than 100,000 characters left when cleaned.
    """
    raw = "\n".join(_documents()) if name == STANDARD_LIBRARY else _file(Path(name))
    text = as_text(raw)
    if len(text) < _LEAST_CHARACTERS:
        raise InputError(
            f"a corpus of {len(text):,} characters is too small",
            where=name,
            hint=f"give one of at least {_LEAST_CHARACTERS:,} characters",
        )
    return Corpus.of(Path(name).name, text)


def _file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"the corpus cannot be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"the corpus is no UTF-8 text (byte {error.start:,})", where=str(path)
        ) from None


def _documents() -> list[str]:
    """Return each document once, in an order that has nothing to do with its module."""
    found = {hashlib.md5(text.encode()).hexdigest(): text for text in _standard_library()}
    return [found[digest] for digest in sorted(found)]


def _standard_library() -> Iterator[str]:
    from pydoc_data.topics import topics

    yield from topics.values()
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        if _NOT_TEXT.isdisjoint(path.relative_to(root).parts[:-1]):
            yield from _docstrings(path)


def _docstrings(path: Path) -> Iterator[str]:
    try:
        module = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return  # a template or a file for another version: no documentation to be had
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(module):
        text = ast.get_docstring(node) if isinstance(node, kinds) else None
        if text and len(text) >= _LEAST_DOCSTRING:
            yield text
