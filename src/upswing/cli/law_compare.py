"""``upswing law compare``: which of two series of models gains an ability first."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from upswing.cli.law_studies import read_finetuned, to_thousandths
from upswing.cli.options import Format
from upswing.cli.output import exit_code, print_notes, print_records, say, working
from upswing.errors import InputError

if TYPE_CHECKING:
    from upswing.forecast.comparison.compare import EmergenceComparison


def compare(
    path: str,
    other: str | None = None,
    /,
    *,
    families: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    task: str | None = None,
    metric: str | None = None,
    method: str | None = None,
    d0: float = 5,
    before: Annotated[list[float] | None, Parameter(consume_multiple=True)] = None,
    truths: Annotated[list[float] | None, Parameter(consume_multiple=True)] = None,
    intervals: Literal["hierarchical", "bootstrap", "iid"] = "hierarchical",
    cap: Annotated[bool | None, Parameter(negative="--no-cap")] = None,
    floors: Annotated[bool | None, Parameter(negative="--no-floors")] = None,
    irreducible: float = 0.0,
    resamples: int = 1000,
    seed: int = 0,
    figure: Path | None = None,
    mode: Literal["light", "dark"] = "light",
    strict: Annotated[bool, Parameter(negative=())] = False,
    format: Format = "table",
) -> int:
    """Forecast two series of models and say which gains the ability first.

    Losses must be those of one validation text.

    Parameters
    ----------
    path
        A table of finetuned models of both series, or of the first; or a store of the lab.
    other
        A table of the second series.
    families
        The two families, where a table has others [default: those there are].
    task, metric, method
        Which, where the tables have several.
    d0
        Solved examples in the prompt, for which the law is extrapolated.
    before
        Use only models with a loss above this [nats/token]; two values for two limits.
    truths
        The two true elbows [nats/token], where prompted models in the tables do not tell them.
    intervals
        hierarchical: subsets of examples differ in luck; iid: scores are independent; bootstrap.
    cap
        Scores end at a cap [default: where the scores call for one].
    floors
        Every amount of data has a base of its own [default: where the scores call for it].
    irreducible
        Irreducible loss of the validation text [nats/token]; no elbow is below it.
    resamples
        Of the bootstrap.
    seed
        Of the bootstrap.
    figure
        Draw both distributions (.svg, .png, .pdf, .html).
    mode
        Colours of the figure.
    strict
        Exit with 2 on warnings.
    """
    from dataclasses import replace

    from upswing.forecast.comparison.compare import compare as compare_series
    from upswing.forecast.finetuning.emergence_law import EmergenceLaw

    limits = _pair("--before", before) or (None, None)
    chosen = _two("--families", families) or (None, None)
    true = _two("--truths", truths) or (None, None)
    read = [read_finetuned(one) for one in (path, other) if one is not None]
    law = EmergenceLaw(
        d0=d0,
        intervals=intervals,
        seed=seed,
        resamples=resamples if intervals == "bootstrap" else 0,
        cap=cap,
        floors=floors,
        irreducible=irreducible,
        before=limits[0],
    )
    with working("Fitting two laws"):
        found = compare_series(
            read[0][0],
            law,
            first=chosen[0],
            second=chosen[1],
            task=task,
            metric=metric,
            method=method,
            other=read[1][0] if len(read) > 1 else None,
            second_law=replace(law, before=limits[1]),
            names=None if other is None or families else _stems(path, other),
            truths=true,
        )
    if format == "json":
        sys.stdout.write(found.to_json() + "\n")
    else:
        title = f"Elbows of {found.task}, {found.metric} at D0 = {d0:g} [nats/token]"
        rows = found.to_frame().to_dicts()
        print_records(to_thousandths(rows) if format == "table" else rows, format, title)
        if format == "table":
            _say(found)
    if figure is not None and not found.refused:
        from upswing.charts.emergence_comparison import emergence_comparison
        from upswing.charts.save import save_chart

        save_chart(emergence_comparison(found.cdf_frame(), found.to_frame(), mode=mode), figure)
        say(f"Figure: {figure}")
    notes = (*(note for _, some in read for note in some), *found.notes)
    print_notes(notes)
    return exit_code(notes, strict)


def _say(found: EmergenceComparison) -> None:
    if found.p_second_first is None:
        say(f"refused: {found.reason}")
        return
    low, high = found.difference["q05"], found.difference["q95"]
    say(
        f"P({found.names[1]} emerges first) = {found.p_second_first:.3f}; "
        f"difference {low:.3g} to {high:.3g} nats/token (5 to 95 %)"
    )


def _two(name: str, values: list[Any] | None) -> tuple[Any, Any] | None:
    if values is None:
        return None
    if len(values) != 2:
        raise InputError(f"{name} has {len(values)} values, and needs two")
    return values[0], values[1]


def _pair(name: str, values: list[float] | None) -> tuple[float, float] | None:
    """Return two limits; one stands for both."""
    return _two(name, values * 2 if values is not None and len(values) == 1 else values)


def _stems(path: str, other: str) -> tuple[str, str] | None:
    """Return the names of the files, where they tell the series apart."""
    stems = Path(path).stem, Path(other).stem
    return None if stems[0] == stems[1] else stems
