"""``upswing law fit``: fit an emergence law and forecast where prompted models leave chance."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from upswing.cli.options import Format
from upswing.cli.output import exit_code, print_frame, print_notes, print_records, say, working

if TYPE_CHECKING:
    import polars as pl

    from upswing.forecast.finetuning.emergence_forecast import EmergenceForecast
    from upswing.notes import Note
    from upswing.tables.bundle import Tables

_TABLES = (".csv", ".tsv", ".parquet")


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
    floors: Annotated[bool, Parameter(negative=())] = False,
    power_law: Annotated[bool, Parameter(negative=())] = False,
    delta: bool = True,
    irreducible: float = 0.0,
    unit: Literal["subset", "checkpoint", "row"] = "subset",
    resamples: int = 1000,
    seed: int = 0,
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
        Every amount of data has a base of its own.
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
    strict
        Exit with 2 on warnings.
    """
    from upswing.forecast.finetuning.emergence_law import EmergenceLaw

    data, notes = _read(path)
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
    with working("Fitting"):
        found = law.fit(
            data,
            task=task,
            metric=metric,
            family=family,
            method=method,
            truth=truth,
            other_truths=other_truths or (),
        )
    if format == "json":
        sys.stdout.write(found.to_json() + "\n")
    elif format == "table":
        _print(found)
    else:
        print_frame(found.to_frame(), format)
    notes = (*notes, *found.notes)
    print_notes(notes)
    return exit_code(notes, strict)


def _read(path: str) -> tuple[pl.DataFrame | Tables, tuple[Note, ...]]:
    """Read a table of finetuned models, or anything that Upswing reads."""
    if Path(path).suffix.lower() in _TABLES:
        from upswing.forecast.finetuning.table import read_finetunes

        return read_finetunes(path), ()
    from upswing.sources.read import read

    with working("Reading"):
        tables = read(path, items=False)
    return tables, tables.notes


def _print(found: EmergenceForecast) -> None:
    rows: list[dict[str, Any]] = [{"interval": found.intervals, **found.elbow}]
    if found.bootstrap["unit"] is not None and found.intervals != "bootstrap":
        kept = {name: found.bootstrap[name] for name in found.elbow}
        rows.append({"interval": f"bootstrap of {found.bootstrap['unit']}s", **kept})
    what = f"{found.task}, {found.metric}"
    if not found.refused:
        print_records(rows, "table", f"Elbow of {what} at D0 = {found.d0:g} [nats/token]")
    print_frame(found.to_frame(), "table", f"Forecasts for {what} [nats/token]")
    if found.reason:
        say(f"{found.status}: {found.reason}")
