"""``upswing difficulty onset``: where the soar starts, from the easy group below a threshold."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from upswing.cli.difficulty_work import (
    Input,
    Questions,
    excluded,
    needed_threshold,
    published,
    read_source,
)
from upswing.cli.options import Format, Paths
from upswing.cli.output import exit_code, print_notes, print_records, say, working

_INPUT, _QUESTIONS = Input(), Questions()
_COLUMNS = (
    "cutoff",
    "models_below",
    "status",
    "turning_point",
    "turning_point_low",
    "turning_point_high",
    "soar",
    "soar_low",
    "soar_high",
    "takeoff",
    "takeoff_low",
    "takeoff_high",
    "published_threshold",
)


def onset(
    paths: Paths,
    /,
    *,
    cutoff: Annotated[list[float] | None, Parameter(consume_multiple=True, negative=())] = None,
    groups: int = 3,
    chance: float | None = None,
    seed: int = 0,
    format: Format = "table",
    questions: Questions = _QUESTIONS,
    input: Input = _INPUT,
) -> int:
    """Where the soar starts: the turn of the easy group below a cut-off, and the observed soar.

    Places are log10 of training compute in 1e21 FLOP. Only models below the cut-off are looked at
    for the turn, and all for the soar.

    Parameters
    ----------
    cutoff
        One or more cut-offs [default: the published threshold of a published task].
    groups
        How many groups; the easiest is looked at.
    chance
        Accuracy of a guess [default: one over the number of options, or what the table says].
    seed
        Seed of the bootstrap over families.
    """
    from upswing.difficulty.onset.onset_table import soar_onsets

    source, notes = read_source(paths, questions, input)
    at = cutoff or [needed_threshold(source, None, "--cutoff")]
    with working("Looking for the turn"):
        found, remarks = soar_onsets(
            source, at, count=groups, chance=chance, exclude=excluded(questions), seed=seed
        )
    constants = published(source.task)
    threshold = None if constants is None else constants.threshold
    rows = [{**one.to_dict(), "published_threshold": threshold} for one in found]
    shown = [{name: row[name] for name in _COLUMNS} for row in rows]
    title = f"Onset of the soar of {source.task}, log10 of compute in 1e21 FLOP"
    print_records(shown if format == "table" else rows, format, title)
    if format == "table":
        say(f"The soar is where accuracy exceeds {found[0].soar.level:.3g}, chance and delta.")
    notes = (*notes, *remarks)
    print_notes(notes)
    return exit_code(notes, input.strict)
