"""``write_report``: the folder that a run of Upswing leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import polars as pl

from upswing.errors import OutputError
from upswing.findings.document import encode_document, findings_document
from upswing.findings.finding import Detection
from upswing.report.csv_tables import write_tables
from upswing.report.difficulty_groups_section import difficulty_frames
from upswing.report.difficulty_tasks import difficulty_tasks
from upswing.report.emergence_law_cases import emergence_cases
from upswing.report.emergence_law_section import emergence_frames
from upswing.report.finetuned_models import finetuned_models, finetuned_tables
from upswing.report.mirage_jumps import mirage_jumps, pair_tables
from upswing.report.page import notes_table, render_page
from upswing.report.run_info import run_info
from upswing.report.same_answers import ANSWER_TABLES, same_answers
from upswing.tables.bundle import Tables
from upswing.tables.store import write_atomically


def write_report(
    detection: Detection,
    tables: Tables,
    folder: str | Path,
    *,
    techniques: pl.DataFrame | None = None,
    axes: pl.DataFrame | None = None,
    command: str = "",
    inputs: Sequence[str | Path] = (),
    started: datetime | None = None,
) -> Path:
    """Write a report: one offline page, the findings as JSON, and all tables as CSV.

    ======================  =====================================================================
    ``report.html``         one file that needs no network
    ``findings.json``       same input and seed, same bytes
    ``run.json``            versions, times, command and paths
    ``tables/*.csv``        findings, points, scores, scales, files, notes, techniques, axes; of
                            jumps metric_pairs, metric_pair_points; of answers to questions
                            departures, metric_points, item_bins, and of easy and hard ones
                            difficulty_tasks, difficulty_groups, difficulty_curves,
                            difficulty_shapes, difficulty_null; of finetuned models finetunes,
                            finetuned_points, finetuned_gains; of forecasts from them
                            emergence_forecasts, emergence_baselines, emergence_points,
                            emergence_curves, emergence_distributions: those with rows. Lists are
                            joined with ``"; "``; text that a spreadsheet would run as a formula has
                            an apostrophe in front.
    ======================  =====================================================================

    Every file is written whole or not at all, and none outside ``folder``.

    Parameters
    ----------
    detection
        What :func:`upswing.detect` returned.
    tables
        What :func:`upswing.read` returned; empty tables for curves made by hand.
    folder
        Where to; it is made if need be, and an earlier report in it is replaced.
    techniques, axes
        Tables of :func:`upswing.technique_effects` and :func:`upswing.compare_axes`, if made.
    command
        The command that was run, to be shown.
    inputs
        Paths that were read; ``run.json`` has them in full.
    started
        When the run began.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    root = Path(folder)
    run = run_info(seed=detection.settings.seed, command=command, inputs=inputs, started=started)
    points = detection.points()
    document = encode_document(findings_document(detection, tables, techniques, axes))
    frames: dict[str, pl.DataFrame | None] = {
        "findings": detection.to_frame(),
        "points": points,
        "scores": tables.scores,
        "scales": tables.scales,
        "files": tables.files,
        "notes": notes_table([*tables.notes, *detection.notes]),
        "techniques": techniques,
        "axes": axes,
    }
    jumps = mirage_jumps(detection)
    frames |= pair_tables(jumps)
    answers = same_answers(tables, detection)
    frames |= dict.fromkeys(ANSWER_TABLES) if answers is None else answers.tables()
    difficulty = difficulty_tasks(tables, detection)
    frames |= difficulty_frames(difficulty)
    finetuned = finetuned_models(tables, detection)
    frames |= finetuned_tables(finetuned)
    emergence = emergence_cases(tables, finetuned, detection.settings.seed)
    frames |= emergence_frames(emergence)
    page = render_page(
        detection,
        tables,
        run,
        points,
        techniques,
        axes,
        jumps,
        answers,
        difficulty,
        finetuned,
        emergence,
    )
    try:
        root.mkdir(parents=True, exist_ok=True)
        write_tables(frames, root / "tables")
        _write(root / "findings.json", document)
        _write(root / "run.json", msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")
        _write(root / "report.html", page.encode())
    except OSError as error:
        raise OutputError(
            f"the report cannot be written: {error.strerror or error}",
            where=str(folder),
            hint="choose a folder that you may write to with --out",
        ) from None
    return root / "report.html"


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda temporary: Path(temporary).write_bytes(content))
