"""``upswing ls``: what is there."""

from __future__ import annotations

from typing import Literal

from upswing.cli.options import Format, Paths, Reading
from upswing.cli.output import exit_code, print_frame, say
from upswing.cli.work import read_tables

_READING = Reading()


def ls(
    paths: Paths,
    /,
    *,
    by: Literal["task", "model", "finetune", "file"] = "task",
    format: Format = "table",
    reading: Reading = _READING,
) -> int:
    """List what is in results or a store, by task, model, finetuning or file."""
    from upswing.tables.listing import list_files, list_finetunes, list_models, list_tasks

    tables = read_tables(paths, reading)
    listings = {
        "task": list_tasks,
        "model": list_models,
        "finetune": list_finetunes,
        "file": list_files,
    }
    print_frame(listings[by](tables), format)
    if by == "task" and len(tables.finetunes):
        say("There are finetuned models too: --by finetune lists them.")
    return exit_code(tables.notes, reading.strict)
