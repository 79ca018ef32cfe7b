"""``upswing law advance``: from how far before emergence it can be forecast."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from upswing.cli.law_studies import StudyOptions, read_finetuned, to_thousandths
from upswing.cli.options import Format
from upswing.cli.output import exit_code, print_frame, print_notes, print_records, say, working

_OPTIONS = StudyOptions()
_SHOWN = (
    "dropped",
    "gap",
    "lead_flops",
    "status",
    "elbow",
    "q05",
    "q95",
    "absolute_error",
    "within_criterion",
    "best_still_random_within",
    "smallest_amount_within",
)


def advance(
    path: str,
    /,
    *,
    gaps: Annotated[list[float] | None, Parameter(consume_multiple=True, negative=())] = None,
    figure: Path | None = None,
    mode: Literal["light", "dark"] = "light",
    format: Format = "table",
    options: StudyOptions = _OPTIONS,
) -> int:
    """Leave out the strongest checkpoints one by one, and tell how far in advance it succeeds.

    Parameters
    ----------
    path
        A table of finetuned models (model,params,tokens,flops,loss,task,d,draw,seed,metric,value,n,
        few_shot), or a store of the lab.
    gaps
        Leave out models nearer to the truth than these [nats/token], instead of one by one.
    figure
        Draw the errors over the lead into this file (.svg, .png, .pdf or .html).
    mode
        Colours of the figure.
    """
    from upswing.forecast.studies.advance import advance as compute

    data, notes = read_finetuned(path)
    with working("Fitting"):
        found = compute(data, options.law(), gaps=gaps, **options.arguments())
    if format == "json":
        sys.stdout.write(found.to_json() + "\n")
    elif format == "table":
        what = f"{found.task}, {found.metric}, true elbow {found.truth.elbow:.4g}"
        rows = to_thousandths(found.table.select(_SHOWN).to_dicts())
        print_records(rows, "table", f"Forecasts of {what} [nats/token]")
        print_records(to_thousandths(found.reach.to_dicts()), "table", "How far in advance")
    else:
        print_frame(found.table, format)
    if figure is not None:
        from upswing.charts.forecast_advance import forecast_advance
        from upswing.charts.save import save_chart

        title = f"{found.task}, {found.metric}"
        save_chart(forecast_advance(found.table, title=title, mode=mode), figure)
        say(f"Figure: {figure}")
    notes = (*notes, *found.notes)
    print_notes(notes)
    return exit_code(notes, options.strict)
