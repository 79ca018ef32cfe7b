"""What experiments leave for those that build on them: the corpus, and lists of checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from upswing.errors import InputError
from upswing.lab.alphabet import decode
from upswing.lab.corpus import Corpus
from upswing.tables.provenance import sha256 as checksum
from upswing.tables.store import write_atomically

_LIST = "checkpoints.json"


class Trained(NamedTuple):
    """A checkpoint of a pretraining job.

    Attributes
    ----------
    family, model, revision
        Its names in all tables.
    folder
        Where it lies, below the job's own folder.
    """

    family: str
    model: str
    revision: str
    folder: str


def keep_corpus(store: Path, corpus: Corpus) -> None:
    """Write a corpus into a store, so that every worker reads the same; nothing if it is there."""
    path = _corpus_path(store, corpus.sha256)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        content = (decode(corpus.train) + decode(corpus.held_out)).encode()
        write_atomically(path, lambda temporary: Path(temporary).write_bytes(content))


def kept_corpus(store: Path, name: str, sha256: str) -> Corpus:
    """Return a corpus that was kept in a store.

    Raises
    ------
    InputError
        If it is not there or damaged.
    """
    path = _corpus_path(store, sha256)
    try:
        content = path.read_bytes()
    except OSError:
        raise InputError("the corpus of this experiment is gone", where=str(path)) from None
    if checksum(content) != sha256:
        raise InputError("the corpus of this experiment is damaged", where=str(path))
    return Corpus.of(name, content.decode())


def _corpus_path(store: Path, sha256: str) -> Path:
    return store / "corpus" / f"{sha256[:20]}.txt"


def write_list(folder: Path, trained: list[Trained]) -> None:
    """Write which checkpoints lie in a folder."""
    (folder / _LIST).write_bytes(msgspec.json.format(msgspec.json.encode(trained), indent=1))


def read_list(folder: Path) -> list[Trained]:
    """Return the checkpoints in a folder.

    Raises
    ------
    InputError
        If the list is missing or damaged.
    """
    try:
        return msgspec.json.decode((folder / _LIST).read_bytes(), type=list[Trained])
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"no list of checkpoints: {error}", where=str(folder)) from None
