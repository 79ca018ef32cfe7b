"""The lab's results that come with Upswing: made by ``make lab-results``, read without PyTorch.

Two ladders of models trained from scratch, ``char-v1`` (six sizes) and ``char-v2`` (four sizes, on
a mixture with more 2-digit addition and less of the other tasks): scores of all tasks, answers to
every question on reversal, addition and multiplication of ``char-v1``, finetuned models, and a few
checkpoints.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec
import polars as pl

from upswing.errors import InputError
from upswing.lab.corpus import read_corpus
from upswing.lab.experiment_files import read_list
from upswing.lab.presets import RESULTS
from upswing.lab.runner.local import output_folder, plan
from upswing.lab.runner.output import finished_records
from upswing.lab.runner.record import Record
from upswing.sources.published import read_published
from upswing.sources.read import read
from upswing.tables.bundle import Tables
from upswing.tables.store import write_store

FOLDER = Path(str(files("upswing.lab"))) / "results"
"""Where the results lie in the package: a store, ``jobs.json`` and ``checkpoints/``."""

KEPT_CHECKPOINTS = (
    ("char-v1-d16L2", "step1000"),
    ("char-v1-d16L2", "step4000"),
    ("char-v1-d24L2", "step1000"),
    ("char-v1-d24L2", "step4000"),
    ("char-v1-d32L3", "step500"),
    ("char-v1-d32L3", "step1000"),
    ("char-v1-d32L3", "step4000"),
    ("char-v1-d48L3", "step1000"),
    ("char-v1-d48L3", "step4000"),
)
"""Checkpoints that come with the package: smaller rungs, of which more questions can be asked."""

DEMO_TASKS = ("reverse", "addition-2")
"""Tasks of the lab that the demo shows."""

_JOBS = "jobs.json"


@cache
def read_lab_results(items: bool = True) -> Tables:
    """Return the results of the lab's own experiments that come with Upswing.

    Parameters
    ----------
    items
        Whether to read the answers to single questions too, which are most of it.

    Returns
    -------
    Tables
        ``scores``, ``scales`` (with the loss on held-out text [nats/character]), ``finetunes``,
        and ``items``.

    Examples
    --------
    >>> tables = read_lab_results(items=False)
    >>> sorted(tables.scores["family"].unique())
    ['char-v1', 'char-v2']
    """
    return read(FOLDER, items=items)


def demo_tables() -> Tables:
    """Return what ``upswing demo`` shows: published figures, and some of the lab's own results."""
    own, published = read_lab_results(), read_published()
    shown = pl.col("task").is_in(DEMO_TASKS)
    frames = {name: getattr(own, name).filter(shown) for name in ("scores", "items", "finetunes")}
    frames |= {name: getattr(own, name) for name in ("scales", "files")}
    joined = {name: pl.concat([getattr(published, name), frame]) for name, frame in frames.items()}
    return Tables(**joined, notes=(*published.notes, *own.notes))


@cache
def lab_jobs() -> tuple[Record, ...]:
    """Return the records of the jobs behind the shipped results: configs, versions, times."""
    return msgspec.json.decode((FOLDER / _JOBS).read_bytes(), type=tuple[Record, ...])


def lab_checkpoint(model: str, revision: str) -> Path:
    """Return the folder of a checkpoint that comes with Upswing.

    It is a Hugging Face Llama with a tokenizer of one token per character.

    Raises
    ------
    InputError
        If that checkpoint does not come with Upswing.
    """
    if (model, revision) not in KEPT_CHECKPOINTS:
        known = ", ".join(f"{name}@{step}" for name, step in KEPT_CHECKPOINTS)
        raise InputError(f"no checkpoint {model}@{revision}", hint=f"there are {known}")
    return FOLDER / "checkpoints" / model / revision


def pack(store: Path, folder: Path = FOLDER) -> None:
    """Write what a finished grid found into the package.

    Parameters
    ----------
    store
        The store in which ``upswing lab results`` ran.
    folder
        Replaced, once everything is there.

    Raises
    ------
    InputError
        If a job of the grid or a checkpoint is missing.
    """
    records = finished_records(store)
    corpora = {r.config["corpus_sha256"] for r in records if r.kind == "pretrain"}
    tables = _compact(read(store))
    if len(corpora) != 1:
        raise InputError("one grid of one corpus is packed", where=str(store))
    aside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    write_store(tables, aside)
    encoded = msgspec.json.format(msgspec.json.encode(records), indent=1)
    (aside / _JOBS).write_bytes(encoded)
    places = {
        (trained.model, trained.revision): output_folder(store, record.key) / trained.folder
        for record in records
        if record.kind == "pretrain"
        for trained in read_list(output_folder(store, record.key))
    }
    for model, revision in KEPT_CHECKPOINTS:
        if (model, revision) not in places:
            raise InputError(f"no checkpoint {model}@{revision}", where=str(store))
        shutil.copytree(places[model, revision], aside / "checkpoints" / model / revision)
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


def _compact(tables: Tables) -> Tables:
    """Keep the answers of one ladder, sorted so that equal values stand together."""
    order = ("family", "task", "elicitation", "item", "model", "revision")
    kept = tables.items.filter(pl.col("family") == "char-v1")
    return replace(tables, items=kept.sort(order))


def main() -> None:
    """Pack the store named on the command line, if its grid is complete."""
    (store,) = map(Path, sys.argv[1:])
    corpus = read_corpus()
    left = plan(RESULTS.jobs(corpus, 0), store).filter(pl.col("state") != "done")
    if len(left):
        raise InputError(
            f"{len(left)} jobs are not done, such as {left['label'][0]}",
            where=str(store),
            hint=f"upswing lab results --out {store}",
        )
    pack(store)


if __name__ == "__main__":
    main()
