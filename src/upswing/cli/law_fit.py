"""``upswing law fit``: fit an emergence law and forecast where prompted models leave chance."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from upswing.cli.law_studies import read_finetuned, to_thousandths
from upswing.cli.options import Format
from upswing.cli.output import exit_code, print_frame, print_notes, print_records, say, working

if TYPE_CHECKING:
    from upswing.forecast.finetuning.emergence_forecast import EmergenceForecast
    from upswing.forecast.finetuning.emergence_law import EmergenceLaw
    from upswing.forecast.finetuning.table import FinetuneTable


def fit(
    path: str,
    /,
    *,
    d0: float = 5,
    task: str | None = None,
    metric: str | None = None,
    family: str | None = None,
    method: str | None = None,
    intervals: Literal["hierarchical", "bootstrap", "iid"] = "hierarchical",
    before: float | None = None,
    truth: float | None = None,
    other_truths: Annotated[list[float] | None, Parameter(consume_multiple=True)] = None,
    cap: Annotated[bool | None, Parameter(negative="--no-cap")] = None,
    floors: Annotated[bool | None, Parameter(negative="--no-floors")] = None,
    power_law: Annotated[bool, Parameter(negative=())] = False,
    delta: bool = True,
    irreducible: float = 0.0,
    unit: Literal["subset", "checkpoint", "row"] = "subset",
    resamples: int = 1000,
    seed: int = 0,
    figure: Path | None = None,
    strict: Annotated[bool, Parameter(negative=())] = False,
    format: Format = "table",
) -> int:
    """Fit the law and forecast where prompted models leave chance.

    Parameters
    ----------
    path
        A table of finetuned models (model,params,tokens,flops,loss,task,d,draw,seed,metric,value,n,
        few_shot), or a store of the lab.
    d0
        Solved examples in the prompt, for which the law is extrapolated.
    task, metric, family, method
        Which, where the table has several.
    intervals
        hierarchical: subsets of examples differ in luck; iid: scores are independent; bootstrap.
    before
        Use only models with a loss above this [nats/token].
    truth
        The true elbow [nats/token], where the prompted models in the table do not tell it.
    other_truths
        True elbows of other tasks, for a baseline.
    cap
        Scores end at a cap [default: where the scores call for one].
    floors
        Every amount of data has a base of its own [default: where the scores call for it].
    power_law
        The elbow is a power law of the amount of data, not of its logarithm.
    delta
        Fit prompted models too, with a base of their own.
    irreducible
        Irreducible loss of the corpus [nats/token]; no elbow is below it.
    unit
        What the bootstrap resamples.
    resamples
        How often; 0 for no bootstrap.
    seed
        Of the bootstrap.
    figure
        Draw the fan of fitted curves (.svg, .png, .pdf, .html).
    strict
        Exit with 2 on warnings.
    """
    from upswing.forecast.finetuning.emergence_law import EmergenceLaw
    from upswing.forecast.finetuning.table import finetune_table

    data, notes = read_finetuned(path)
    law = EmergenceLaw(
        d0=d0,
        intervals=intervals,
        seed=seed,
        resamples=resamples,
        unit=unit,
        shape="power law" if power_law else "log power law",
        delta=delta,
        cap=cap,
        floors=floors,
        irreducible=irreducible,
        before=before,
    )
    chosen: dict[str, Any] = {"task": task, "metric": metric, "family": family, "method": method}
    with working("Fitting"):
        found = law.fit(data, truth=truth, other_truths=other_truths or (), **chosen)
    if format == "json":
        sys.stdout.write(found.to_json() + "\n")
    elif format == "table":
        _print(found)
    else:
        print_frame(found.to_frame(), format)
    if figure is not None:
        _draw(found, law, finetune_table(data, **chosen), figure)
        say(f"Figure: {figure}")
    notes = (*notes, *found.notes)
    print_notes(notes)
    return exit_code(notes, strict)


def _print(found: EmergenceForecast) -> None:
    rows: list[dict[str, Any]] = [{"interval": found.intervals, **found.elbow}]
    if found.bootstrap["unit"] is not None and found.intervals != "bootstrap":
        kept = {name: found.bootstrap[name] for name in found.elbow}
        rows.append({"interval": f"bootstrap of {found.bootstrap['unit']}s", **kept})
    what = f"{found.task}, {found.metric}"
    if not found.refused:
        print_records(
            to_thousandths(rows), "table", f"Elbow of {what} at D0 = {found.d0:g} [nats/token]"
        )
    forecasts = to_thousandths(found.to_frame().to_dicts())
    print_records(forecasts, "table", f"Forecasts for {what} [nats/token]")
    if found.reason:
        say(f"{found.status}: {found.reason}")


def _draw(found: EmergenceForecast, law: EmergenceLaw, table: FinetuneTable, figure: Path) -> None:
    from upswing.charts.emergence_fan import emergence_fan
    from upswing.charts.save import save_chart
    from upswing.forecast.finetuning.figure_tables import emergence_figures

    made = emergence_figures(found, table, law)
    save_chart(emergence_fan(made.means, made.runs, made.curves, made.marks), figure)
