"""The calls that several commands make: read the input, look for transitions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from upswing.cli.options import FormatName, Reading, Selection
from upswing.cli.output import print_notes, print_records, say, working
from upswing.curves.curve import AXES

if TYPE_CHECKING:
    from upswing.findings.finding import Detection
    from upswing.notes import Note
    from upswing.tables.bundle import Tables


def read_tables(paths: list[str], reading: Reading) -> Tables:
    """Read the input as the options say."""
    from upswing.sources.read import read

    with working("Reading"):
        return read(paths, **reading.arguments())


def detect_in(tables: Tables, selection: Selection, require_scales: bool) -> Detection:
    """Look for transitions as the options say."""
    from upswing.findings.detect import detect

    with working("Testing curves"):
        return detect(tables, **selection.arguments(), require_scales=require_scales)


def judge_and_report(
    tables: Tables,
    selection: Selection,
    out: Path,
    form: FormatName,
    *,
    command: str,
    started: datetime,
    inputs: Sequence[Path] = (),
) -> tuple[Note, ...]:
    """Judge every curve, write the report, print the verdicts; return all notes."""
    from upswing.detection.axes import compare_axes
    from upswing.detection.technique import technique_table
    from upswing.report.write import write_report

    detection = detect_in(tables, selection, require_scales=False)
    with working("Comparing techniques and axes"):
        techniques = technique_table(finding.curve for finding in detection)
        axes = compare_axes(
            tables, task=selection.task, family=selection.family, seed=selection.seed
        )
    with working("Writing the report"):
        written = write_report(
            detection,
            tables,
            out,
            techniques=techniques,
            axes=axes,
            command=command,
            inputs=inputs,
            started=started,
        )
    print_verdicts(detection, form)
    notes = (*tables.notes, *detection.all_notes)
    print_notes(notes)
    if not len(detection):
        known = [axis for axis in AXES if tables.scales[axis].is_not_null().any()]
        say(f"No curve on {selection.axis}; the data have {', '.join(known) or 'no scale at all'}.")
    say(f"Report: {written}")
    return notes


def print_verdicts(detection: Detection, form: FormatName) -> None:
    """Print the findings: a few columns for a terminal, everything in other formats."""
    from upswing.findings.summary import summary_rows

    if form == "table":
        print_records(summary_rows(detection), form, f"Verdicts on {detection.axis_label}")
    else:
        print_records([finding.to_dict() for finding in detection], form)
