"""``upswing difficulty shape``: is a group U-shaped, beyond what sorting alone produces?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from upswing.cli.difficulty_work import (
    Input,
    Questions,
    excluded,
    read_source,
    redistributed,
    save_figure,
    threshold_of,
)
from upswing.cli.options import Format, Paths
from upswing.cli.output import exit_code, print_frame, print_notes, say, working

_INPUT, _QUESTIONS = Input(), Questions()
_COLUMNS = (
    "group",
    "lo",
    "hi",
    "shape",
    "p_value",
    "p_value_null",
    "p_value_null_holm",
    "beyond_sorting",
    "arms",
    "arms_p_value_null",
)


def shape(
    paths: Paths,
    /,
    *,
    groups: int = 3,
    by: Literal["brier", "accuracy"] = "brier",
    threshold: float | None = None,
    undistributed: Annotated[bool, Parameter(negative=())] = False,
    cutoff: float | None = None,
    options: int | None = None,
    worlds: int = 500,
    seed: int = 0,
    figure: Path | None = None,
    format: Format = "table",
    questions: Questions = _QUESTIONS,
    input: Input = _INPUT,
) -> int:
    """Is a group U-shaped, beyond what sorting alone produces?

    p_value says how sure the shape is, p_value_null how probable it is for models that know
    nothing, whose questions were sorted in the same way.

    Parameters
    ----------
    groups
        How many groups.
    by
        Questions sorted by their TC Brier score or by accuracy.
    threshold
        Models below this compute sort the questions: log10 of it in 1e21 FLOP [default: the
        published one of a published task, else every model sorts].
    undistributed
        Take the TC Brier score without redistributing probability among the options.
    cutoff
        Look only at models below this compute.
    options
        Options of a question of the null [default: those of the task].
    worlds
        Null worlds of each of the four settings.
    seed
        Seed of the null and of the bootstraps.
    figure
        Draw to this file (.svg, .png, .pdf or .html).
    """
    from upswing.difficulty.groups.source import groups_at
    from upswing.difficulty.shapes.task_shapes import task_shapes

    source, notes = read_source(paths, questions, input)
    at = threshold_of(source, threshold)
    found = groups_at(source, groups, by, at, redistributed=redistributed(by, undistributed))
    with working("Drawing worlds without ability"):
        tested = task_shapes(
            found,
            cutoff=cutoff,
            exclude=excluded(questions),
            options=options,
            worlds=worlds,
            seed=seed,
        )
    shown = tested.table.select(_COLUMNS) if format == "table" else tested.table
    print_frame(shown, format, f"Shapes of the groups of {tested.task}, sorted by {by}")
    say(
        "Null: {worlds} worlds of {questions} questions with {options} options, sorted by "
        "{sorting_models} models".format(**tested.null)
    )
    if figure is not None:
        from upswing.charts.shape_test import shape_test as draw

        save_figure(draw(tested.table, tested.points, tested.lines, title=tested.task), figure)
    notes = (*notes, *tested.notes)
    print_notes(notes)
    return exit_code(notes, input.strict)
