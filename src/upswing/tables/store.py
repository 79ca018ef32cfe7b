"""A store: a folder of Parquet files to which readings are added and from which nothing is lost.

Every addition is one *part*: Parquet files named by their content in ``data/``, then one small JSON
record in ``parts/`` that names them, which makes the part count. Files are written under another
name, flushed to the disk and renamed, so a reader sees a part as a whole or not at all. Nothing is
ever changed in place and the names follow from the content, so two writers cannot harm each other:
what both write is the same. A part whose record exists is complete, so an interrupted run is
continued by running it again.
"""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import polars as pl

from upswing.errors import InputError, OutputError
from upswing.notes import Note
from upswing.tables.bundle import Tables
from upswing.tables.provenance import FILES, sha256
from upswing.tables.reading import Reading

MANIFEST = "upswing-store.json"
_VERSION = 4
_TABLES = ("scores", "scales", "items", "finetunes", "files")
_ROWS = 20_000
"""Rows of a Parquet file from which on it is written, so that memory stays small."""

RESCORED = "rescore"
"""Source of entries that were computed from the questions of the store."""

_DAY = 24 * 3600


def is_store(path: object) -> bool:
    """Tell whether ``path`` is a folder that Upswing made as a store."""
    return isinstance(path, str | os.PathLike) and (Path(path) / MANIFEST).is_file()


def write_store(tables: Tables, folder: str | Path) -> None:
    """Add tables to the store in a folder, which is made where there is none.

    Adding the same tables again changes nothing.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    InputError
        If the folder holds a store of another version.
    """
    scales = tables.scales.with_columns(pl.lit(None, pl.String).alias("source"))
    reading = Reading(
        scores=tables.scores,
        scales=scales,
        items=tables.items,
        finetunes=tables.finetunes,
        files=tables.files,
        notes=tables.notes,
    )
    StoreWriter(folder).add([reading])


class StoreWriter:
    """Adds parts to the store in a folder.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    InputError
        If the folder holds a store of another version.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        with _writing(self.folder):
            for name in ("data", "parts"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            if is_store(self.folder):
                _check_version(self.folder)
            else:
                _write_json(
                    self.folder / MANIFEST, {"format": "upswing-store", "version": _VERSION}
                )
            self._remove_leftovers()

    def add(
        self, readings: Iterable[Reading], entry: Entry | None = None, sequence: int = 0
    ) -> None:
        """Add readings as one part.

        Parameters
        ----------
        readings
            What to add.
        entry
            What it was read from or computed with, where a later version shall take its place.
        sequence
            Order among settings, which a later one changes.

        Raises
        ------
        OutputError
            If the disk is full or the folder cannot be written; no part is then added.
        """
        part = Part(self.folder, held=self.entries() if entry is not None else ())
        for reading in readings:
            part.add(reading)
        if entry is not None:
            part.enter(entry)
        part.commit(sequence)

    def entries(self) -> list[Entry]:
        """Return the files that the store holds, each in its latest version."""
        return [
            entry
            for record in _current(_records(self.folder))
            for entry in map(_entry, record["entries"])
        ]

    def settings(self) -> list[tuple[dict[str, float], str]]:
        """Return chance levels and model tables as they were added, the latest last."""
        records = [r for r in _records(self.folder) if r["chance"] or r["models"]]
        return [(record["chance"], record["models"]) for record in records]

    def _remove_leftovers(self) -> None:
        """Remove what a killed writer left; what is younger than a day may still be written."""
        for old in [*self.folder.glob(".*.tmp*"), *self.folder.glob("*/.*.tmp*")]:
            with suppress(FileNotFoundError):  # another writer has just given it its name
                if old.stat().st_mtime < time.time() - _DAY:
                    old.unlink()


class Entry(NamedTuple):
    """One version of a file in a store, or of what was computed for it.

    Attributes
    ----------
    source, sha256
        Name and content.
    place
        Digest of where it lies: a later entry of the same place takes its place.
    context
        Digest of what its reading depended on beside it.
    options
        What the user said about it.
    is_read
        False for a file that could not be read.
    version
        Which version of its place it is, from 1: a file that gets its old content back is a new
        version, not the old one.
    sources
        Names in the column ``source`` of its rows; the rows of a replaced entry are left out.
    """

    source: str
    sha256: str
    place: str
    context: str = ""
    options: str = ""
    is_read: bool = True
    version: int = 0
    sources: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What names this version."""
        fields = "\n".join(map(str, self[:7]))  # all but the sources
        return sha256(fields.encode("utf-8", "replace"))[:20]


def _entry(fields: list[Any]) -> Entry:
    entry = Entry(*fields)
    return entry._replace(sources=tuple(entry.sources))


class Part:
    """An addition to a store that counts once it is committed.

    Parameters
    ----------
    folder
        Folder of the store.
    options
        What the user said about the files, as text.
    held
        The entries that the store has; those of a place that is added again are replaced.
    """

    def __init__(self, folder: Path, options: str = "", held: Iterable[Entry] = ()) -> None:
        self._folder = folder
        self._options = options
        self._held = tuple(held)
        self._waiting: dict[str, list[pl.DataFrame]] = {name: [] for name in _TABLES}
        self._sources: set[str] = set()
        self._record: dict[str, Any] = {
            **{name: [] for name in _TABLES},
            "rows": dict.fromkeys(_TABLES, 0),
            "paths": {},
            "notes": [],
            "chance": {},
            "models": "",
            "sequence": 0,
            "entries": [],
            "replaces": [],
        }

    def add(self, reading: Reading) -> None:
        """Write the tables of a reading, which then need not be in memory any more.

        Raises
        ------
        OutputError
            If the disk is full or the folder cannot be written.
        """
        for name in _TABLES:
            frame: pl.DataFrame = getattr(reading, name)
            if frame.is_empty():
                continue
            self._record["rows"][name] += len(frame)
            self._sources |= set(frame["source"].drop_nulls().unique())
            if name == "files":
                self._record["files"] += frame.to_dicts()
                continue
            self._waiting[name].append(frame)
            if sum(map(len, self._waiting[name])) >= _ROWS:
                self._flush(name)
        self._record["paths"] |= reading.paths
        self._record["notes"] += [note.to_dict() for note in reading.notes]
        self._record["chance"] |= reading.chance
        self._record["models"] = reading.models or self._record["models"]
        if reading.origin is not None:
            row = reading.files.row(0, named=True)
            self.enter(Entry(row["source"], row["sha256"], *reading.origin, self._options))

    def enter(self, entry: Entry) -> None:
        """Name what was read; entries of the same place are replaced."""
        before = [held for held in self._held if held.place == entry.place]
        same = (e.version for e in before if e._replace(version=0, sources=()) == entry)
        version = next(same, 1 + max((e.version for e in before), default=0))
        entry = entry._replace(version=version, sources=tuple(sorted(self._sources)))
        self._sources = set()
        old = [held.key for held in before if held.key != entry.key]
        self._record["entries"].append([*entry])
        self._record["replaces"] += old

    def join(self, other: Part) -> None:
        """Take over what was added to another part."""
        for name in _TABLES:
            self._waiting[name] += other._waiting[name]
            self._record[name] += other._record[name]
            self._record["rows"][name] += other._record["rows"][name]
        for name in ("notes", "entries", "replaces"):
            self._record[name] += other._record[name]
        self._record["paths"] |= other._record["paths"]

    @property
    def rows(self) -> dict[str, int]:
        """Number of rows of each table."""
        return dict(self._record["rows"])

    def _flush(self, name: str) -> None:
        """Write what waits of one table; many small tables make one file."""
        if not self._waiting[name]:
            return
        buffer = io.BytesIO()
        pl.concat(self._waiting[name]).write_parquet(buffer)
        self._waiting[name] = []
        content = buffer.getvalue()
        file = f"{name}-{sha256(content)[:20]}.parquet"
        path = self._folder / "data" / file
        if not path.exists():
            with _writing(self._folder):
                write_atomically(path, lambda temporary: Path(temporary).write_bytes(content))
        self._record[name].append(file)

    def commit(self, sequence: int = 0) -> None:
        """Make the part count.

        A part to which nothing was added does not count.

        Raises
        ------
        OutputError
            If the disk is full or the folder cannot be written.
        """
        if not any((*self.rows.values(), *map(self._record.get, ("notes", "chance", "models")))):
            return
        for name in _TABLES:
            self._flush(name)
        self._record["sequence"] = sequence
        content = msgspec.json.encode(self._record, order="deterministic")
        path = self._folder / "parts" / f"{sha256(content)[:20]}.json"
        if not path.exists():
            with _writing(self._folder):
                write_atomically(path, lambda temporary: Path(temporary).write_bytes(content))


def read_store(folder: str | os.PathLike[str], items: bool = True) -> list[Reading]:
    """Return the readings of a store, one per part, in a stable order.

    Parameters
    ----------
    folder
        Folder of the store.
    items
        Whether to read the questions too, which are most of it.

    Raises
    ------
    InputError
        If a record or a table is damaged, or the store is of another version.
    """
    root = Path(folder)
    _check_version(root)
    readings = []
    for record in _current(_records(root)):
        try:
            frames: dict[str, Any] = {
                name: _kept(
                    pl.read_parquet([root / "data" / Path(file).name for file in record[name]]),
                    record["gone"],
                )
                for name in _TABLES
                if name != "files" and record[name] and (items or name != "items")
            }
            files = pl.DataFrame(record["files"], schema=FILES.polars)
            reading = Reading(
                **frames,
                paths=record["paths"],
                notes=tuple(
                    Note.from_dict(note)
                    for note in record["notes"]
                    if note["details"].get("source") not in record["gone"]
                ),
                files=_kept(files, record["gone"]),
                chance=record["chance"],
                models=record["models"],
            )
        except (OSError, KeyError, TypeError, AttributeError, pl.exceptions.PolarsError) as error:
            raise InputError(f"a damaged store: {error}", where=str(root)) from None
        readings.append(reading)
    return readings


def _kept(frame: pl.DataFrame, gone: list[str]) -> pl.DataFrame:
    """Leave out the rows of files of which there is a later version."""
    if not gone:
        return frame
    return frame.filter(~pl.col("source").is_in(gone).fill_null(False))


def _records(root: Path) -> list[dict[str, Any]]:
    """Return the records of all parts, ordered by the files that they were read from."""
    records = []
    for path in sorted((root / "parts").glob("*.json")):
        try:
            record: dict[str, Any] = msgspec.json.decode(path.read_bytes())
            first = min((row["source"] for row in record["files"]), default="")
            order = (first, record["sequence"])
        except (OSError, KeyError, TypeError, msgspec.DecodeError) as error:
            raise InputError(f"a damaged store: {error}", where=str(path)) from None
        records.append((order, record))
    return [record for _, record in sorted(records, key=lambda pair: pair[0])]


def _current(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return records without what a later one replaces; ``gone`` names the sources left out."""
    try:
        replaced = {key for record in records for key in record["replaces"]}
        current = []
        for record in records:
            entries = [_entry(fields) for fields in record["entries"]]
            kept = [entry for entry in entries if entry.key not in replaced]
            if entries and not kept:
                continue
            stay = {source for entry in kept for source in entry.sources}
            gone = {s for e in entries if e.key in replaced for s in (e.source, *e.sources)} - stay
            current.append(record | {"entries": [[*entry] for entry in kept], "gone": sorted(gone)})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"a damaged store: {error}") from None
    return current


def _check_version(root: Path) -> None:
    try:
        manifest: Any = msgspec.json.decode((root / MANIFEST).read_bytes())
        version = manifest["version"]
    except (OSError, KeyError, TypeError, msgspec.DecodeError) as error:
        raise InputError(f"a damaged store: {error}", where=str(root / MANIFEST)) from None
    if version != _VERSION:
        raise InputError(
            f"a store of version {version}",
            where=str(root / MANIFEST),
            hint=f"this Upswing reads version {_VERSION}; ingest the logs again",
        )


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turn errors of the file system into one of ours."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the store cannot be written: {error.strerror or error}", where=str(folder)
        ) from None


def _write_json(path: Path, value: object) -> None:
    content = msgspec.json.format(msgspec.json.encode(value), indent=1)
    write_atomically(path, lambda temporary: Path(temporary).write_bytes(content))


def write_atomically(path: Path, write: Callable[[str], object]) -> None:
    """Call ``write`` with a temporary name beside ``path``, then rename it to ``path``."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.tmp", dir=path.parent)
    os.close(descriptor)
    try:
        write(temporary)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        _flush_folder(path.parent)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _flush_folder(folder: Path) -> None:
    """Flush the renaming itself, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
