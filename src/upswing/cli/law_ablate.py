"""``upswing law ablate``: the forecast again, from parts of the data and by other laws."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from upswing.cli.law_studies import StudyOptions, read_finetuned, to_thousandths
from upswing.cli.options import Format
from upswing.cli.output import exit_code, print_frame, print_notes, print_records, say, working

if TYPE_CHECKING:
    from upswing.forecast.studies.ablations import Ablations

_OPTIONS = StudyOptions()
_Several = Parameter(consume_multiple=True, negative=())
_Study = Literal["amounts", "draws", "checkpoints", "form", "d0"]
_SHOWN = (
    "study",
    "setting",
    "status",
    "elbow",
    "q05",
    "q95",
    "absolute_error",
    "within_criterion",
    "relative_error",
    "best_still_random_error",
    "smallest_amount_error",
)


def ablate(
    path: str,
    /,
    *,
    study: Annotated[list[_Study] | None, _Several] = None,
    figure: Path | None = None,
    mode: Literal["light", "dark"] = "light",
    format: Format = "table",
    options: StudyOptions = _OPTIONS,
) -> int:
    """Forecast again from parts of the data and by other laws, and compare with the truth.

    Parameters
    ----------
    path
        A table of finetuned models (model,params,tokens,flops,loss,task,d,draw,seed,metric,value,n,
        few_shot), or a store of the lab.
    study
        What is varied: amounts, draws, checkpoints, form, d0 [default: all].
    figure
        Draw the errors into this file (.svg, .png, .pdf or .html).
    mode
        Colours of the figure.
    """
    from upswing.forecast.studies.ablations import STUDIES
    from upswing.forecast.studies.ablations import ablate as compute

    data, notes = read_finetuned(path)
    with working("Fitting"):
        found = compute(data, options.law(), studies=study or STUDIES, **options.arguments())
    if format == "json":
        sys.stdout.write(found.to_json() + "\n")
    elif format == "table":
        _print(found)
    else:
        print_frame(found.table, format)
    if figure is not None:
        from upswing.charts.ablation_errors import ablation_errors
        from upswing.charts.save import save_chart

        save_chart(ablation_errors(found.table, title=found.metric, mode=mode), figure)
        say(f"Figure: {figure}")
    notes = (*notes, *found.notes)
    print_notes(notes)
    return exit_code(notes, options.strict)


def _print(found: Ablations) -> None:
    what = f"{found.task}, {found.metric}, true elbow {found.truth.elbow:.4g}"
    rows = to_thousandths(found.table.select(_SHOWN).to_dicts())
    print_records(rows, "table", f"Forecasts of {what} [nats/token]")
    print_records(to_thousandths(found.summary().drop("task").to_dicts()), "table", "By study")
    for row in found.table.filter(status="refused").iter_rows(named=True):
        say(f"{row['setting']}: {row['reason']}")
