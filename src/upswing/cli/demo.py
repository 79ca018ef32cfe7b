"""``upswing demo``: the main job on results that come with Upswing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from upswing.cli.options import AxisName, Format, Selection
from upswing.cli.output import working
from upswing.cli.work import judge_and_report


def demo(
    *,
    out: Annotated[Path, Parameter(help="Folder for the report.")] = Path("demo-out"),
    axis: AxisName = "flops",
    format: Format = "table",
    seed: int = 0,
) -> int:
    """Judge published curves of GPT-3 and Pythia, and models of the lab; needs no network."""
    from upswing.lab.shipped import demo_tables

    started = datetime.now(UTC)
    with working("Reading what comes with Upswing"):
        tables = demo_tables()
    judge_and_report(
        tables,
        Selection(axis=axis, seed=seed),
        out,
        format,
        command=f"upswing demo --axis {axis} --seed {seed}",
        started=started,
    )
    return 0
