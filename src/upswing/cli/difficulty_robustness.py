"""``upswing difficulty robustness``: Slice-and-Sandwich under other degrees or thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from upswing.cli.difficulty_work import (
    Input,
    Questions,
    excluded,
    needed_threshold,
    print_document,
    published,
    read_source,
    save_figure,
)
from upswing.cli.options import Format, Paths
from upswing.cli.output import exit_code, print_notes

_INPUT, _QUESTIONS = Input(), Questions()
_SEVERAL = Parameter(consume_multiple=True, negative=())


def robustness(
    paths: Paths,
    /,
    *,
    over: Literal["degrees", "thresholds"] = "degrees",
    threshold: float | None = None,
    thresholds: Annotated[list[float] | None, _SEVERAL] = None,
    chance: float | None = None,
    easy_degrees: Annotated[list[int] | None, _SEVERAL] = None,
    hard_degrees: Annotated[list[int] | None, _SEVERAL] = None,
    figure: Path | None = None,
    format: Format = "table",
    questions: Questions = _QUESTIONS,
    input: Input = _INPUT,
) -> int:
    """Slice-and-Sandwich over degrees of its polynomials, or over thresholds.

    Parameters
    ----------
    over
        What is varied. Thresholds sort the questions anew and leave out the calibration, as
        published; both are in the table.
    threshold
        log10 of compute in 1e21 FLOP [default: the published one of a published task].
    thresholds
        For thresholds: several of them [default: the threshold and those .2 and .4 below it;
        without a threshold the published ones of a published task].
    chance
        Accuracy of a guess [default: one over the number of options, or what the table says].
    easy_degrees
        Degrees of the easy group's polynomial [default: 3 5 7, or 3 5 over thresholds].
    hard_degrees
        Degrees of the hard group's polynomial [default: 2 4 6, or 2 over thresholds].
    figure
        Draw to this file (.svg, .png, .pdf or .html).
    """
    from upswing.difficulty.groups.source import groups_at
    from upswing.difficulty.sandwich.degree_robustness import degree_robustness
    from upswing.difficulty.sandwich.threshold_robustness import (
        default_thresholds,
        threshold_robustness,
    )
    from upswing.errors import InputError

    source, notes = read_source(paths, questions, input)
    if thresholds is not None and over == "degrees":
        raise InputError(
            "--thresholds has no meaning over degrees",
            hint="give one --threshold, or --over thresholds",
        )
    constants, left_out = published(source.task), excluded(questions)
    if over == "degrees":
        at = needed_threshold(source, threshold)
        found = degree_robustness(
            groups_at(source, 3, "brier", at),
            at,
            chance,
            easy_degrees=easy_degrees,
            hard_degrees=hard_degrees,
            exclude=left_out,
        )
    else:
        if thresholds is None and threshold is None and constants is not None:
            thresholds = list(constants.thresholds) or None
        found = threshold_robustness(
            source,
            default_thresholds(needed_threshold(source, threshold))
            if thresholds is None
            else thresholds,
            chance,
            easy_degrees=easy_degrees,
            hard_degrees=hard_degrees,
            exclude=left_out,
        )
    document = {
        "task": found.task,
        "over": found.over,
        "forecasts": found.forecasts.to_dicts(),
        "fits": found.fits.to_dicts(),
        "links": found.links.to_dicts(),
    }
    print_document(document, "forecasts", format, f"{found.task}: Slice-and-Sandwich over {over}")
    if figure is not None:
        from upswing.charts.sandwich_robustness import sandwich_robustness

        save_figure(sandwich_robustness(found.lines, found.marks, title=found.task), figure)
    notes = (*notes, *found.notes)
    print_notes(notes)
    return exit_code(notes, input.strict)
