"""What the commands print: tables to standard output, notes and progress to standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from upswing.cli.options import FormatName
from upswing.notes import Note, warnings_in

if TYPE_CHECKING:
    import polars as pl

Records = Sequence[Mapping[str, Any]]

_LONGEST_CELL = 60
_NARROWEST = 24
_SPACING = 3
_SHOWN_NOTES = 3
_SHRINKING = (
    "task",
    "family",
    "model",
    "message",
    "reference",
    "citation",
    "title",
    "source",
    "point",
)
_LEAST = ("score", "scales", "first", "chance", "metric", "p_smooth", "n", "family")
"""Columns that a narrow terminal goes without, in this order."""


def print_records(records: Records, form: FormatName, title: str = "") -> None:
    """Print rows to standard output.

    Parameters
    ----------
    records
        One mapping per row.
    form
        ``json`` prints one array; ``csv`` and ``md`` text; ``table`` rounded values for a
        terminal, without the least important columns where it is narrow.
    title
        Title of that table.
    """
    if form == "json":
        text = msgspec.json.format(msgspec.json.encode(list(records)), indent=1).decode()
    elif form == "csv":
        text = _csv(records)
    elif form == "md":
        text = _markdown(records)
    else:
        _print_table(records, title)
        return
    sys.stdout.write(text.rstrip("\n") + "\n")


def print_frame(frame: pl.DataFrame, form: FormatName, title: str = "") -> None:
    """Print a frame to standard output; see :func:`print_records`."""
    print_records(frame.to_dicts(), form, title)


def print_notes(notes: Iterable[Note]) -> None:
    """Print notes to standard error, warnings first; where there are many others, count them."""
    from rich.markup import escape

    console = _stderr()
    notes = list(notes)
    for note in warnings_in(notes):
        text = f"[yellow]warning[/] {escape(printable(note.message))}"
        console.print(text, highlight=False, soft_wrap=True)
    others = [note for note in notes if note.severity == "info"]
    if len(others) > _SHOWN_NOTES:
        console.print(
            f"[dim]{len(others)} notes; `upswing validate` and the report list those on data.[/]",
            highlight=False,
        )
        return
    for note in others:
        text = f"[dim]note {escape(printable(note.message))}[/]"
        console.print(text, highlight=False, soft_wrap=True)


def exit_code(notes: Iterable[Note], strict: bool) -> int:
    """Return 2 where ``strict`` and there are warnings, else 0."""
    return 2 if strict and warnings_in(notes) else 0


def say(text: str) -> None:
    """Print a line for a person to standard error."""
    _stderr().print(text, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal's standard error that something is being done."""
    console = _stderr()
    if not console.is_terminal:
        yield
        return
    with console.status(f"{what} …"):
        yield


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show bytes done on a terminal's standard error; elsewhere show nothing."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = _stderr()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def printable(value: object) -> str:
    """Return text on one line without control characters and direction marks."""
    text = "".join(c if c.isprintable() else "�" for c in str(value))
    return text if len(text) <= 500 else f"{text[:499]}…"


def cell(value: object) -> str:
    """Return a value as the terminal shows it: three significant digits, empty for nothing.

    >>> cell(0.123456), cell(2775208960.0), cell(None), cell(0.0)
    ('0.123', '2.78e+09', '', '0')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list | tuple):
        return "; ".join(cell(item) for item in value)
    text = printable(value)
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"


def _stderr() -> Any:
    from rich.console import Console

    return Console(stderr=True, emoji=False)  # a model named unknown:x: is no emoji


def _print_table(records: Records, title: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:  # a pipe has no width: give every column what it needs
        console = Console(highlight=False, width=100_000)
    widths = {
        name: max(len(name), *(len(cell(record.get(name))) for record in records), 0)
        for name in (records[0] if records else ())
    }
    least = {
        name: min(width, _NARROWEST) if name in _SHRINKING else width
        for name, width in widths.items()
    }
    for name in _LEAST:
        if sum(least.values()) + _SPACING * len(least) > console.width:
            least.pop(name, None)
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
    for name, width in least.items():
        numbers = all(isinstance(r.get(name), int | float | None) for r in records)
        table.add_column(
            name,
            justify="right" if numbers else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=width,
        )
    for record in records:
        table.add_row(*(Text(cell(record.get(name))) for name in least))
    console.print(table)


def _csv(records: Records) -> str:
    import csv
    import io

    out = io.StringIO()
    names = list(records[0]) if records else []
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow(
            {k: "; ".join(map(str, v)) if isinstance(v, list) else v for k, v in record.items()}
        )
    return out.getvalue()


def _full(value: object) -> str:
    """Return a value as Markdown holds it: on one line, but whole."""
    if isinstance(value, list | tuple):
        return "; ".join(_full(item) for item in value)
    return cell(value) if isinstance(value, float) or value is None else printable(value)


def _markdown(records: Records) -> str:
    names = list(records[0]) if records else []
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    for record in records:
        cells = (_full(record[name]).replace("|", "\\|") for name in names)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
