"""``upswing difficulty sandwich``: forecast accuracy from the easy and the hard group."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from upswing.cli.difficulty_work import (
    Input,
    Questions,
    excluded,
    needed_threshold,
    print_document,
    read_source,
    save_figure,
)
from upswing.cli.options import Format, Paths
from upswing.cli.output import cell, exit_code, print_notes, say

_INPUT, _QUESTIONS = Input(), Questions()


def sandwich(
    paths: Paths,
    /,
    *,
    threshold: float | None = None,
    chance: float | None = None,
    easy_degree: int | None = None,
    hard_degree: int | None = None,
    clip: Annotated[bool, Parameter(negative=())] = False,
    hard_lift: Annotated[bool, Parameter(negative=())] = False,
    figure: Path | None = None,
    format: Format = "table",
    questions: Questions = _QUESTIONS,
    input: Input = _INPUT,
) -> int:
    """Forecast accuracy beyond a threshold by Slice-and-Sandwich.

    Parameters
    ----------
    threshold
        Models below this compute are trained on: log10 of it in 1e21 FLOP [default: the published
        one of a published task].
    chance
        Accuracy of a guess [default: one over the number of options, or what the table says].
    easy_degree
        Degree of the easy group's polynomial [default: 5, or less for few models].
    hard_degree
        Degree of the hard group's polynomial [default: 2, or less for few models].
    clip
        Clip predictions at 1.
    hard_lift
        acc_pred is the forecast from the hard group alone.
    figure
        Draw to this file (.svg, .png, .pdf or .html).
    """
    from upswing.difficulty.groups.groups import to_flops
    from upswing.difficulty.groups.source import groups_at
    from upswing.difficulty.sandwich.slice_and_sandwich import slice_and_sandwich

    source, notes = read_source(paths, questions, input)
    at = needed_threshold(source, threshold)
    found = slice_and_sandwich(
        groups_at(source, 3, "brier", at),
        at,
        chance,
        easy_degree=easy_degree,
        hard_degree=hard_degree,
        exclude=excluded(questions),
    )
    document = found.to_dict(clip=clip, hard_lift=hard_lift)
    print_document(
        document, "predictions", format, f"{found.task}: accuracy forecast from below {at:g}"
    )
    if format != "json" and document["n_test"]:
        errors = found.errors.select("method", "mse").iter_rows()
        say("MSE at or beyond the threshold: " + ", ".join(f"{n} {cell(v)}" for n, v in errors))
    if figure is not None:
        from upswing.charts.sandwich import sandwich as draw

        flops = float(to_flops(at))
        save_figure(
            draw(found.predictions, found.curves, threshold=flops, title=found.task), figure
        )
    notes = (*notes, *found.notes)
    print_notes(notes)
    return exit_code(notes, input.strict)
